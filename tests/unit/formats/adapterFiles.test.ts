import { describe, expect, test } from 'vitest'

import { silenceOf } from '../../../src/formats/packFacts.ts'
import { readPeft } from '../../../src/formats/peft.ts'
import type { SafetensorsTensor } from '../../../src/formats/safetensors.ts'
import { tensorValues } from '../../../src/formats/tensorValues.ts'
import { expectExact, fault } from '../../support/adapterDelta.ts'
import {
  f32,
  linears,
  mlxFolder,
  mlxTensors,
  peftConfig,
  peftFolder,
  peftTensors,
  unpadded,
  utf8,
  weights,
} from '../../support/adapterFolder.ts'
import type { Tensors } from '../../support/adapterFolder.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const Q0 = 'model.layers.0.self_attn.q_proj'

/** The first matrix in another type: its bytes. */
const withFirst = (dtype: SafetensorsTensor['dtype'], bytes: Uint8Array): Tensors => {
  const [[name, { shape }], ...rest] = [...peftTensors(linears())] as [
    [string, SafetensorsTensor],
    ...[string, SafetensorsTensor][],
  ]
  return new Map([...rest, [name, { dtype, shape, bytes }]])
}
describe('types of numbers', () => {
  const row = [0, 1, -1.5, 0.25, 2, -0.5, 3, -4]

  test.each<[SafetensorsTensor['dtype'], Uint8Array]>([
    ['F64', new Uint8Array(Float64Array.from(row).buffer)],
    [
      'BF16',
      new Uint8Array(
        Uint16Array.from(new Uint32Array(Float32Array.from(row).buffer), (bits) => bits >>> 16).buffer,
      ),
    ],
    ['F8_E4M3', Uint8Array.of(0, 0x38, 0xbc, 0x28, 0x40, 0xb0, 0x44, 0xc8)],
    ['F8_E5M2', Uint8Array.of(0, 0x3c, 0xbe, 0x34, 0x40, 0xb8, 0x42, 0xc4)],
  ])('%s becomes F32', async (dtype, bytes) => {
    const { tensors } = await readPeft(peftFolder({}, withFirst(dtype, bytes)))
    const a = tensors.get('layers.0.q.lora_A')!
    // A [in, rank] of a matrix [rank, in].
    expect([...tensorValues(a)]).toEqual([0, 4, 1, 5, 2, 6, 3, 7].map((index) => row[index]))
    expect(a.dtype).toBe('F32')
  })

  test('small and large numbers of eight bits', async () => {
    const small = Uint8Array.of(1, 7, 8, 0x81, 0x7e, 0, 0, 0)
    const { tensors } = await readPeft(peftFolder({}, withFirst('F8_E4M3', small)))
    const values = tensorValues(tensors.get('layers.0.q.lora_A')!)
    expect([0, 2, 4, 6, 1].map((index) => values[index])).toEqual([
      2 ** -9,
      7 * 2 ** -9,
      2 ** -6,
      -(2 ** -9),
      448,
    ])
  })

  test.each<[SafetensorsTensor['dtype'], Uint8Array]>([
    ['F8_E4M3', Uint8Array.of(0x7f, 0, 0, 0, 0, 0, 0, 0)],
    ['F32', new Uint8Array(Float32Array.of(0, 0, Infinity, 0, 0, 0, 0, 0).buffer)],
    ['F16', new Uint8Array(Uint16Array.of(0, 0xfe00, 0, 0, 0, 0, 0, 0).buffer)],
    ['F64', new Uint8Array(Float64Array.of(0, 1e300, 0, 0, 0, 0, 0, 0).buffer)],
  ])('%s that is not finite tells of a run that went astray', async (dtype, bytes) => {
    expect(await fault(peftFolder({}, withFirst(dtype, bytes)))).toMatchObject({
      code: 'format-invalid',
      message: expect.stringMatching(
        /layers\.0\.self_attn\.q_proj\.lora_A\.weight holds a value that is not finite/,
      ),
    })
  })

  test('whole numbers, as quantised adapters have them, are named', async () => {
    expect(await fault(peftFolder({}, withFirst('I8', new Uint8Array(8))))).toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining('is I8 [2, 4], expected a matrix of F32, F16, BF16, F64 or F8'),
    })
  })
})

describe('files of weights', () => {
  const all = linears()
  const parts = (): Map<string, Uint8Array> => {
    const [first, second] = [all.slice(0, 1), all.slice(1)].map((some) => weights(peftTensors(some)))
    return new Map([
      ['adapter_config.json', peftConfig()],
      ['adapter_model-00001-of-00002.safetensors', first!],
      ['adapter_model-00002-of-00002.safetensors', second!],
      ['adapter_model.safetensors.index.json', utf8({ weight_map: {} })],
    ])
  }

  test('in parts', async () => {
    await expectExact(parts(), all, () => 8)
    const cut = parts()
    cut.delete('adapter_model-00001-of-00002.safetensors')
    expect(await fault(cut)).toMatchObject({
      code: 'format-invalid',
      message: expect.stringContaining('1 of 2 parts of its weights: adapter_model-00002-of-00002'),
    })
  })

  test('in a form that can run code: refused, with the way out', async () => {
    const files = new Map([
      ['adapter_config.json', peftConfig()],
      ['adapter_model.bin', new Uint8Array(9)],
    ])
    const { code, message } = await fault(files)
    expect(code).toBe('format-unsupported')
    expect(message).toMatch(/^adapter_model\.bin holds .*can run code.*weights_only=True.*save_file/)
  })

  test('that are texts about a file, or hold another form under the usual name', async () => {
    for (const [content, what] of [
      ['version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n', 'a pointer of Git LFS'],
      ['\n<!DOCTYPE html>\n<html>', 'a page of the web'],
      [Uint8Array.of(0x80, 2, 0x7d), 'own form (pickle)'],
    ] as const) {
      const bytes = typeof content === 'string' ? utf8(content) : content
      expect(await fault(peftFolder().set('adapter_model.safetensors', bytes))).toMatchObject({
        code: 'format-unsupported',
        message: expect.stringContaining(what),
      })
    }
  })

  test('beside a configuration in another encoding', async () => {
    const text = new TextDecoder().decode(peftConfig())
    const marked = `\uFEFF${text}`
    const wide = new Uint8Array(Uint16Array.from(marked, (one) => one.codePointAt(0)!).buffer)
    for (const bytes of [utf8(marked), wide]) {
      await expectExact(peftFolder().set('adapter_config.json', bytes), all, () => 8)
    }
  })

  test('missing, or without their configuration', async () => {
    expect(await fault(new Map([['adapter_config.json', peftConfig()]]))).toMatchObject({
      code: 'format-invalid',
      message: expect.stringContaining('has no adapter_model.safetensors'),
    })
    expect(await fault(new Map([['adapter_model.safetensors', weights(peftTensors(all))]]))).toMatchObject({
      code: 'format-invalid',
      message: expect.stringContaining('adapter_config.json is missing'),
    })
  })
})

describe('mlx-lm', () => {
  const all = linears()
  test('is read: its matrices are turned, its scale is α / r', async () => {
    const role = await expectExact(mlxFolder(), all, () => 8)
    expect(role).toMatchObject({
      program: 'mlx-lm',
      baseModel: 'owner/model',
      config: { rank: 2, alpha: 16 },
    })
    const peft = await readPeft(peftFolder())
    expect(role.tensors).toEqual(peft.tensors)
  })

  test('is read as MLX writes it, with a header that is not padded', async () => {
    const files = mlxFolder()
    const file = unpadded(files.get('adapters.safetensors')!)
    expect(file.length % 8).not.toBe(0)
    await expectExact(files.set('adapters.safetensors', file), all, () => 8)
  })

  test('states its scale in other ways', async () => {
    const older = { lora_parameters: { rank: 2, alpha: 16, scale: 10, dropout: 0 } }
    const role = await expectExact(mlxFolder(older), all, () => 80)
    expect(role.warnings).toEqual([expect.stringContaining('an alpha beside its scale')])
    expect(await fault(mlxFolder({ lora_parameters: { rank: 2 } }))).toMatchObject({
      message: expect.stringContaining('the scale none'),
    })
  })

  test.each(['dora', 'full'])('of the kind %s is refused by name', async (kind) => {
    expect(await fault(mlxFolder({ fine_tune_type: kind }))).toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining(`an mlx-lm adapter with the fine_tune_type "${kind}"`),
    })
  })

  test('with the magnitudes of DoRA, or in quantised form, is refused by name', async () => {
    for (const [name, what] of [
      [`${Q0}.m`, 'magnitudes of DoRA'],
      [`${Q0}.lora_a_scales`, 'quantised LoRA'],
    ] as const) {
      const tensors = new Map([...mlxTensors(all), [name, f32([2], new Float32Array(2))] as const])
      expect(await fault(mlxFolder({}, tensors))).toMatchObject({ message: expect.stringContaining(what) })
    }
  })
})

describe('adapters that are not what they seem', () => {
  test.each(['pissa', 'pissa_niter_16', 'olora', 'OLoRA', 'corda', 'loftq', 'lora_ga'])(
    '%s changed the base model: told',
    async (initial) => {
      const { warnings } = await readPeft(
        peftFolder({ init_lora_weights: initial, lora_ga_config: { scale: 'stable' } }),
      )
      expect(warnings).toEqual([
        expect.stringContaining(`began with ${initial}, which changes the base model's own weights`),
      ])
    },
  )

  test.each([true, false, 'gaussian', 'eva', 'orthogonal', 'mica', null])('%s did not', async (initial) => {
    expect((await readPeft(peftFolder({ init_lora_weights: initial }))).warnings).toEqual([])
  })

  test('nothing was learnt where every B is zero, or every A', async () => {
    expect(silenceOf(await readPeft(peftFolder()))).toBeNull()
    for (const side of ['a', 'b'] as const) {
      const all = linears().map((one) => ({
        ...one,
        [side]: one[side].map((_, index) => (index === 1 ? -0 : 0)),
      }))
      expect(silenceOf(await readPeft(peftFolder({}, peftTensors(all))))).toMatch(
        new RegExp(`^Every ${side.toUpperCase()} is zero`),
      )
    }
  })

  test.each([
    {},
    { B: 'hyper' },
    { A: 'table', B: 'table' },
    { A: 'shared' },
    { A: 'hyper+static' },
  ] as const)('a pack of the sources %j too', (options) => {
    const pack = tinyPack(options)
    expect(silenceOf(pack)).toBeNull()
    const silent = [...pack.tensors].map(
      ([name, tensor]) =>
        [
          name,
          /lora_B|up_linear\.up/.test(name)
            ? { ...tensor, bytes: new Uint8Array(tensor.bytes.length) }
            : tensor,
        ] as const,
    )
    expect(silenceOf({ tensors: new Map(silent) })).toMatch(/^Every B is zero/)
  })

  test.each<[string, Record<string, unknown>]>([
    ['fan_in_fan_out', { fan_in_fan_out: true }],
    ['SEQ_CLS', { task_type: 'SEQ_CLS' }],
    ['next_year', { next_year: { any: 1 } }],
  ])('%s is told, and the matrices are read', async (word, change) => {
    const all = linears()
    const { warnings } = await expectExact(peftFolder(change), all, () => 8)
    expect(warnings).toEqual([expect.stringContaining(word)])
  })

  test.each([
    { use_dora: true },
    { bias: 'lora_only' },
    { lora_bias: true },
    { modules_to_save: ['lm_head'] },
    { trainable_token_indices: [1] },
    { layer_replication: [[0, 2]] },
    { alora_invocation_tokens: [1, 2] },
    { use_bdlora: { nblocks: 2 } },
    { kasa_config: { beta: 1 } },
    { arrow_config: { top_k: 1 } },
    { peft_type: 'ADALORA' },
    { peft_type: undefined },
  ])('%j is refused by name', async (change) => {
    expect(await fault(peftFolder(change))).toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining(Object.keys(change)[0]!),
    })
  })
})
