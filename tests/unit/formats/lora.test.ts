import { describe, expect, test } from 'vitest'

import { floatToHalf } from '../../../src/core/half.ts'
import { readGgufHeader, writeGguf } from '../../../src/formats/gguf.ts'
import type { JsonRecord } from '../../../src/core/json.ts'
import type { LoraRole } from '../../../src/formats/loraRole.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { addBlend } from '../../../src/formats/packParts.ts'
import { peftPack, readPeft, writePeft } from '../../../src/formats/peft.ts'
import { writeSafetensors, type SafetensorsTensor } from '../../../src/formats/safetensors.ts'
import { openAdapterMatrices } from '../../../src/model/adapter/cpuAdapter.ts'
import { loraRole } from '../../../src/model/adapter/loraRole.ts'
import { generateA, type Parameters } from '../../reference/hypernetwork.ts'
import { readGguf } from '../../support/gguf.ts'
import { parametersOf, tinyConfig, tinyPack, type TinyPackOptions } from '../../support/tinyPack.ts'

const UNSUPPORTED = expect.objectContaining({ name: 'HycoraError', code: 'format-unsupported' })
const INVALID = expect.objectContaining({ name: 'HycoraError', code: 'format-invalid' })
const FACTS = {
  baseModel: 'owner/tiny',
  architecture: 'llama',
  licence: 'mit',
  system: 'You are [Ada].\n\n# Line',
}
const MIX = { name: 'Mix', card: null, system: null }
const PARTS = [
  { role: 'Role 0', weight: 1.5 },
  { role: 'Role 2', weight: -0.75 },
]

async function openRole(name: string, options: TinyPackOptions = {}, strength = 1): Promise<LoraRole> {
  const content = tinyPack(options)
  const whole = options.B && options.B !== 'shared' ? content : addBlend(content, MIX, PARTS)
  return loraRole(await readPack(memorySource('tiny', await writePack(whole))), name, { strength, name })
}

/** ΔW [out, in] = scale·(B·A), B [out, rank], A [rank, in]. */
function product(scale: number, a: Float32Array, b: Float32Array, rank: number): Float64Array {
  const [inSize, outSize] = [a.length / rank, b.length / rank]
  return Float64Array.from({ length: outSize * inSize }, (_, index) => {
    const [row, column] = [Math.floor(index / inSize), index % inSize]
    let sum = 0
    for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * inSize + column]!
    return scale * sum
  })
}

/** ΔW [out, in] of a role of the pack, from its matrices on the CPU: strength·(α/rank)·(A·B)ᵀ. */
async function expectedDelta(name: string, options: TinyPackOptions, strength: number, layer: number) {
  const content = addBlend(tinyPack(options), MIX, PARTS)
  const pack = await readPack(memorySource('tiny', await writePack(content)))
  const blend = pack.roles.find((role) => role.name === name)?.blend
  const parts = (blend ?? [{ role: name, weight: 1 }]).map(({ role, weight }) => ({
    role: pack.roles.findIndex((known) => known.name === role),
    weight,
  }))
  const matrices = openAdapterMatrices(pack)
  const a = matrices.mixA({ parts, strength }, layer, 'down')
  const b = matrices.b({ parts, strength }, layer, 'down')
  return Float64Array.from({ length: 8 * 12 }, (_, index) => {
    const [row, column] = [Math.floor(index / 12), index % 12]
    return a[column * 2]! * b[row]! + a[column * 2 + 1]! * b[8 + row]!
  })
}

function expectClose(actual: Float64Array, expected: Float64Array): void {
  const norm = expected.reduce((sum, value) => sum + value * value, 0)
  const error = expected.reduce((sum, value, index) => sum + (value - actual[index]!) ** 2, 0)
  expect(norm).toBeGreaterThan(0)
  expect(error / norm).toBeLessThan(1e-12)
}

const CASES = [
  ['Role 1', 1],
  ['Mix', 1],
  ['Mix', 0.37],
  ['Role 1', -1.5],
] as const

/** A small LoRA of another program. */
function foreign(
  change: (config: Record<string, unknown>, tensors: Map<string, SafetensorsTensor>) => void = () => {},
): ReadonlyMap<string, Uint8Array> {
  const stem = 'base_model.model.model.layers.2.self_attn.q_proj.lora_'
  const values = Float32Array.from({ length: 8 }, (_, index) => index + 0.5)
  const halves = Uint16Array.from({ length: 12 }, (_, index) => floatToHalf(index / 4))
  const tensors = new Map<string, SafetensorsTensor>([
    [`${stem}A.weight`, { dtype: 'F32', shape: [2, 4], bytes: new Uint8Array(values.buffer) }],
    [`${stem}B.weight`, { dtype: 'F16', shape: [6, 2], bytes: new Uint8Array(halves.buffer) }],
  ])
  const config: Record<string, unknown> = {
    peft_type: 'LORA',
    r: 2,
    lora_alpha: 16,
    target_modules: ['q_proj'],
    bias: 'none',
    base_model_name_or_path: 'owner/model',
    rank_pattern: {},
  }
  change(config, tensors)
  return new Map([
    ['adapter_config.json', new TextEncoder().encode(JSON.stringify(config))],
    ['adapter_model.safetensors', writeSafetensors(tensors, new Map())],
  ])
}

describe('PEFT', () => {
  test('A is what the hyper-network generates, transposed; B too', async () => {
    const content = tinyPack()
    const parameters: Parameters = parametersOf(content)
    const files = writePeft(await openRole('Role 1'), FACTS)
    const { tensors } = await readPeft(files)
    const reference = generateA(parameters, tinyConfig(), 1, 5 * 2 + 1)
    const a = new Float32Array(tensors.get('layers.1.down.lora_A')!.bytes.slice().buffer)
    expectClose(Float64Array.from(a), Float64Array.from(reference))
    expect(
      Buffer.compare(
        tensors.get('layers.1.down.lora_B')!.bytes,
        content.tensors.get('layers.1.down.lora_B')!.bytes,
      ),
    ).toBe(0)
  })

  test('the files are those of PEFT', async () => {
    const files = writePeft(await openRole('Role 1'), FACTS)
    expect([...files.keys()]).toEqual(['adapter_config.json', 'adapter_model.safetensors', 'README.md'])
    const config = JSON.parse(Buffer.from(files.get('adapter_config.json')!).toString()) as JsonRecord
    expect(config).toMatchObject({
      peft_type: 'LORA',
      r: 2,
      lora_alpha: 4,
      target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj', 'gate_proj'],
      base_model_name_or_path: 'owner/tiny',
    })
    const header = Buffer.from(files.get('adapter_model.safetensors')!).toString('latin1')
    expect(header).toContain('"__metadata__":{"format":"pt"}')
    expect(header).toContain(
      '"base_model.model.model.layers.1.mlp.down_proj.lora_A.weight":{"dtype":"F32","shape":[2,12]',
    )
    expect(header).toContain(
      '"base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight":{"dtype":"F32","shape":[4,2]',
    )
    const readme = Buffer.from(files.get('README.md')!).toString()
    expect(readme).toMatch(/^---\nlibrary_name: peft\nbase_model: "owner\/tiny"\nlicense: "mit"/)
    expect(readme).toContain('    You are [Ada].\n    \n    # Line\n')
  })

  test.each(CASES)('%s at strength %f: (B·A)·lora_alpha/r is ΔW', async (name, strength) => {
    const files = writePeft(await openRole(name, {}, strength), FACTS)
    const { config, tensors } = await readPeft(files)
    const pack = await readPack(
      memorySource(
        'back',
        await writePack(
          peftPack(
            { config, tensors, baseModel: 'x', warnings: [] },
            { roleName: name, system: null, backbone: null },
          ),
        ),
      ),
    )
    const matrices = openAdapterMatrices(pack)
    const back = { parts: [{ role: 0, weight: 1 }], strength: 1 }
    const [a, b] = [matrices.plainA(back, 1, 'down'), matrices.b(back, 1, 'down')]
    const delta = Float64Array.from({ length: 96 }, (_, index) => {
      const [row, column] = [Math.floor(index / 12), index % 12]
      return (config.alpha / config.rank) * (a[column * 2]! * b[row]! + a[column * 2 + 1]! * b[8 + row]!)
    })
    expectClose(delta, await expectedDelta(name, {}, strength, 1))
  })

  test('a role with its own B, and one of a table', async () => {
    for (const options of [{ B: 'hyper' }, { A: 'table', B: 'table' }] as const) {
      const { config } = await readPeft(writePeft(await openRole('Role 1', options), FACTS))
      expect(config.sources).toEqual({ A: 'shared', B: 'shared' })
    }
  })

  test('strange architectures have no names', async () => {
    const role = await openRole('Role 1')
    expect(() => writePeft(role, { ...FACTS, architecture: 'gpt2' })).toThrow(UNSUPPORTED)
  })

  test('another program’s folder: dtype and bits kept, left-out blocks zero', async () => {
    const role = await readPeft(foreign(), 4)
    expect(role.config).toMatchObject({ rank: 2, alpha: 16, layers: 4, projections: ['q'] })
    expect(role.config.dims.get('q')).toEqual([4, 6])
    expect(role.warnings).toEqual(['The LoRA leaves 3 linears out; there the role changes nothing.'])
    const a = role.tensors.get('layers.2.q.lora_A')!
    expect(a.shape).toEqual([4, 2])
    expect([...new Float32Array(a.bytes.slice().buffer)]).toEqual([0.5, 4.5, 1.5, 5.5, 2.5, 6.5, 3.5, 7.5])
    expect(role.tensors.get('layers.2.q.lora_B')).toMatchObject({ dtype: 'F16', shape: [2, 6] })
    const pack = await readPack(
      memorySource('x', await writePack(peftPack(role, { roleName: 'Ada', system: null, backbone: null }))),
    )
    expect(pack.backbone).toEqual({ name: 'owner/model', architecture: '', fingerprint: '' })
  })

  test('rank-stabilised scaling, and bfloat16', async () => {
    const files = foreign((config, tensors) => {
      config['use_rslora'] = true
      const [name, tensor] = [...tensors][0]!
      const bits = Uint16Array.from({ length: 8 }, (_, index) => 0x3f80 + index)
      tensors.set(name, { ...tensor, dtype: 'BF16', bytes: new Uint8Array(bits.buffer) })
    })
    const { config, tensors } = await readPeft(files)
    expect(config.alpha / config.rank).toBeCloseTo(16 / Math.sqrt(2), 12)
    const a = tensors.get('layers.2.q.lora_A')!
    expect(a.dtype).toBe('F32')
    expect(new Float32Array(a.bytes.slice().buffer)[2]).toBe(1 + 1 / 128)
  })

  test.each([
    ['DoRA', { use_dora: true }],
    ['biases', { bias: 'all' }],
    ['whole modules', { modules_to_save: ['lm_head'] }],
    ['another method', { peft_type: 'IA3' }],
    ['an alpha of zero', { lora_alpha: 0 }],
    ['a rank of a thousand', { r: 1000 }],
  ])('%s: refused by name', async (_, change) => {
    await expect(readPeft(foreign((config) => Object.assign(config, change)))).rejects.toThrow(
      expect.objectContaining({
        code: 'format-unsupported',
        message: expect.stringContaining(Object.keys(change)[0]!),
      }),
    )
  })

  test.each([
    ['a fused linear', 'base_model.model.model.layers.0.self_attn.qkv_proj.lora_A.weight'],
    ['an embedding', 'base_model.model.model.embed_tokens.lora_embedding_A'],
    ['a magnitude', 'base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector'],
    ['an encoder', 'base_model.model.encoder.layers.0.self_attn.q_proj.lora_A.weight'],
    ['a projection in the wrong part', 'base_model.model.model.layers.0.mlp.q_proj.lora_A.weight'],
  ])('%s: refused by name', async (_, name) => {
    const files = foreign((_config, tensors) => {
      tensors.set(name, { dtype: 'F32', shape: [1, 1], bytes: new Uint8Array(4) })
    })
    await expect(readPeft(files)).rejects.toThrow(UNSUPPORTED)
  })

  test('halves of pairs, wrong shapes, missing files', async () => {
    const half = foreign((_, tensors) => void tensors.delete([...tensors.keys()][1]!))
    await expect(readPeft(half)).rejects.toThrow(INVALID)
    await expect(readPeft(foreign((config) => Object.assign(config, { r: 3 })))).rejects.toThrow(INVALID)
    await expect(readPeft(new Map())).rejects.toThrow(INVALID)
    await expect(readPeft(new Map([...foreign()].slice(0, 1)))).rejects.toThrow(INVALID)
    await expect(readPeft(foreign(), 2)).rejects.toThrow(
      expect.objectContaining({ code: 'model-incompatible' }),
    )
  })
})

describe('GGUF', () => {
  test.each(CASES)('%s at strength %f: scaled by alpha / rank it is ΔW', async (name, strength) => {
    const file = writeGguf(await openRole(name, {}, strength), {
      name: 'tiny',
      architecture: 'qwen2',
      headDim: null,
    })
    const { fields, tensors } = readGguf(file)
    expect(Object.fromEntries(fields)).toMatchObject({
      'general.type': 'adapter',
      'general.architecture': 'qwen2',
      'adapter.type': 'lora',
    })
    const a = tensors.get('blk.1.ffn_down.weight.lora_a')!
    const b = tensors.get('blk.1.ffn_down.weight.lora_b')!
    expect([a.shape, b.shape]).toEqual([
      [2, 12],
      [8, 2],
    ])
    const scale = Number(fields.get('adapter.lora.alpha')) / 2
    expect(scale).toBeGreaterThan(0)
    expectClose(product(scale, a.values, b.values, 2), await expectedDelta(name, {}, strength, 1))
    expect(tensors.size).toBe(2 * 7 * 2)
  })

  test('Llama: the rows of q and k as the converter permutes them, no others', async () => {
    const role = await openRole('Role 1')
    const plain = readGguf(writeGguf(role, { name: 't', architecture: 'qwen2', headDim: null })).tensors
    const llama = readGguf(writeGguf(role, { name: 't', architecture: 'mistral', headDim: 4 }))
    expect(llama.fields.get('general.architecture')).toBe('llama')
    for (const [name, { values, shape }] of llama.tensors) {
      const before = plain.get(name)!.values
      // reshape(heads, 2, 2, rank), swap the middle axes, reshape.
      const expected: number[] = []
      const isReordered = /attn_[qk]\.weight\.lora_b/.test(name)
      for (let head = 0; head < shape[0]! / 4; head++) {
        for (let i = 0; i < 2; i++) {
          for (let side = 0; side < 2; side++) {
            const row = head * 4 + side * 2 + i
            expected.push(before[row * 2]!, before[row * 2 + 1]!)
          }
        }
      }
      expect([...values]).toEqual(isReordered ? expected : [...before])
    }
  })

  test('our own reader of headers agrees', async () => {
    const file = writeGguf(await openRole('Role 1'), { name: 'tiny', architecture: 'qwen3', headDim: null })
    const header = readGgufHeader(file, 'x.gguf')
    const { fields, tensors } = readGguf(file)
    expect(header.metadata).toEqual(fields)
    expect(header.tensors).toEqual([...tensors].map(([name, { shape }]) => ({ name, shape })))
    for (let cut = 0; cut < 600; cut += 7) {
      expect(() => readGgufHeader(file.subarray(0, cut), 'x.gguf')).toThrow(INVALID)
    }
  })

  test('what cannot be written is said', async () => {
    const role = await openRole('Role 1')
    expect(() => writeGguf(role, { name: 't', architecture: 'gemma', headDim: 4 })).toThrow(UNSUPPORTED)
    const usage = expect.objectContaining({ code: 'usage' })
    expect(() => writeGguf(role, { name: 't', architecture: 'llama', headDim: null })).toThrow(usage)
    expect(() => writeGguf(role, { name: 't', architecture: 'llama', headDim: 3 })).toThrow(usage)
  })
})
