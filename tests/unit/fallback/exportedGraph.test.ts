import { readdirSync } from 'node:fs'

import * as ort from 'onnxruntime-web'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import { folder } from '../../../src/cli/files.ts'
import { openExportedGraph } from '../../../src/fallback/exportedGraph.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import type { Casting } from '../../../src/model/decoder/backbone.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { openExported } from '../../../src/model/graph/openBackbone.ts'
import type { ExportedModel } from '../../../src/model/graph/openBackbone.ts'
import { logProbability, scoreTokens } from '../../../src/model/decoder/score.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { guidedReference, roleGuidedReference } from '../../reference/guided.ts'
import { expectClose, nmse } from '../../support/compare.ts'
import { decoderPack, referenceAdapters } from '../../support/decoderPack.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import type { WrittenModel, WrittenNode, WrittenTensor } from '../../support/onnxWriter.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { STRANGE_DECODERS, convolutional } from '../../support/strangeDecoders.ts'
import { insertAfter, memoryFolder, recogniseBytes, withTensors } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8]
const alone = (role: number): Casting => ({ parts: [{ role, weight: 1 }], strength: 1 })
const blend: Casting = {
  parts: [
    { role: 1, weight: 0.8 },
    { role: 2, weight: -0.3 },
  ],
  strength: 0.5,
}

vi.setConfig({ testTimeout: 60_000 })

beforeAll(() => {
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
})

let opened: OrtBackbone[] = []
async function open(exported: ExportedModel): Promise<OrtBackbone> {
  const backbone = new OrtBackbone(ort, await openExportedGraph(ort, exported))
  opened.push(backbone)
  return backbone
}
afterEach(() => {
  for (const backbone of opened) backbone.destroy()
  opened = []
})

async function answerOf(backbone: OrtBackbone, ids: readonly number[]): Promise<number[]> {
  const tokens: number[] = []
  const request = { ids, casting: null, maxTokens: 5, stopIds: [], sampling: GREEDY }
  for await (const id of backbone.generate(request)) tokens.push(id)
  return tokens
}

function integersOf(name: string, values: readonly number[]): WrittenTensor {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
  return { name, dataType: 7, dims: [values.length], bytes }
}

const isAttention = ({ opType }: WrittenNode): boolean => opType === 'GroupQueryAttention'

/** An attention operator with the norms of its heads inside. */
function inside(node: WrittenNode): WrittenNode {
  return {
    ...node,
    inputs: [...node.inputs, '', '', '', '', '', 'query.gain', 'key.gain'],
    attributes: { ...node.attributes, qk_norm_epsilon: { float: 1e-5 } },
  }
}

/** The norm of each head, written out before an attention operator. */
function normOfHeads(part: string, gain: string): { output: string; nodes: readonly WrittenNode[] } {
  const [split, normed, output] = [`${part}.split`, `${part}.normed`, `${part}.joined`]
  const attributes = { epsilon: { float: 1e-5 }, axis: { int: -1 } }
  const nodes = [
    { opType: 'Reshape', inputs: [part, 'to.heads'], outputs: [split] },
    { opType: 'SimplifiedLayerNormalization', inputs: [split, gain], outputs: [normed], attributes },
    { opType: 'Reshape', inputs: [normed, 'from.heads'], outputs: [output] },
  ]
  return { output, nodes }
}

const tiny = (
  change: (model: ReturnType<typeof tinyDecoder>) => ReturnType<typeof tinyDecoder> = (x) => x,
) => {
  const bytes = writeOnnx(change(tinyDecoder()))
  const model = parseOnnx(bytes, 'tiny.onnx')
  return { bytes, exported: { model, bytes, folder: memoryFolder({}), config: TINY_CONFIG } }
}

describe('a graph as it was exported', () => {
  test('gives the logits of the decoder in it, at once and with the cache', async () => {
    const { bytes, exported } = tiny()
    const backbone = await open(exported)
    const reference = await loadReference(await recogniseBytes(bytes, TINY_CONFIG))
    const { logits } = referenceForward(reference, IDS)
    expectClose(await backbone.logits(IDS, null), logits)
    await backbone.logits(IDS.slice(0, 4), null)
    const { vocabulary } = backbone.shape
    for (let i = 4; i < IDS.length; i++) {
      expectClose(await backbone.step(IDS[i]!), logits.subarray(i * vocabulary, (i + 1) * vocabulary))
    }
  })

  test('goes back in its cache to where a prompt differs', async () => {
    const backbone = await open(tiny().exported)
    const answer = (ids: readonly number[]): Promise<number[]> => answerOf(backbone, ids)
    const other = [...IDS.slice(0, 5), 1, 2]
    const fresh = await answer(other)
    await answer(IDS)
    expect(await answer(other)).toEqual(fresh)
  })

  test.each(Object.entries(STRANGE_DECODERS))('%s gives the same logits', async (_, write) => {
    const bytes = writeOnnx(write())
    const model = parseOnnx(bytes, 'tiny.onnx')
    const backbone = await open({ model, bytes, folder: memoryFolder({}), config: TINY_CONFIG })
    const base = /float zero/.test(_) ? tinyDecoder({ linear: 'blocks4', zeros: 'floats' }) : tinyDecoder()
    const reference = await loadReference(await recogniseBytes(writeOnnx(base), TINY_CONFIG))
    const { logits } = referenceForward(reference, IDS)
    const { vocabulary } = backbone.shape
    expectClose(await backbone.logits(IDS, null), logits)
    await backbone.logits(IDS.slice(0, 4), null)
    expectClose(await backbone.step(IDS[4]!), logits.subarray(4 * vocabulary, 5 * vocabulary))
    const scores = await scoreTokens(
      backbone,
      IDS,
      IDS.map((__, index) => index > 2),
      null,
    )
    const expected = [3, 4, 5, 6].map((index) => {
      return logProbability(
        Float32Array.from(logits.subarray((index - 1) * vocabulary, index * vocabulary)),
        IDS[index]!,
      )
    })
    expectClose(scores, Float32Array.from(expected))
    const other = [...IDS.slice(0, 5), 1, 2]
    const fresh = await answerOf(
      await open({ model, bytes, folder: memoryFolder({}), config: TINY_CONFIG }),
      other,
    )
    await answerOf(backbone, IDS)
    expect(await answerOf(backbone, other)).toEqual(fresh)
  })

  test('with a state that cannot go back is read again from the beginning', async () => {
    const bytes = writeOnnx(convolutional())
    const exported = {
      model: parseOnnx(bytes, 'tiny.onnx'),
      bytes,
      folder: memoryFolder({}),
      config: TINY_CONFIG,
    }
    const [backbone, fresh] = [await open(exported), await open(exported)]
    const { vocabulary } = backbone.shape
    const whole = await backbone.logits(IDS, null)
    expect(nmse(whole, await (await open(tiny().exported)).logits(IDS, null))).toBeGreaterThan(1e-3)
    await backbone.logits(IDS.slice(0, 4), null)
    for (const index of [4, 5, 6]) {
      expectClose(
        await backbone.step(IDS[index]!),
        whole.subarray(index * vocabulary, (index + 1) * vocabulary),
      )
    }
    const other = [...IDS.slice(0, 5), 1, 2]
    const expected = await answerOf(fresh, other)
    const first = await answerOf(backbone, IDS)
    expect(await answerOf(backbone, other)).toEqual(expected)
    expect(await answerOf(backbone, other)).toEqual(expected)
    expect(await answerOf(backbone, IDS)).toEqual(first)
    expect(await answerOf(backbone, [...IDS, ...first, 4])).toEqual(
      await answerOf(fresh, [...IDS, ...first, 4]),
    )
    const guided = async (on: OrtBackbone): Promise<number[]> => {
      const request = { ids: other, beside: IDS, casting: null, maxTokens: 5, stopIds: [] }
      const tokens: number[] = []
      const sampling = { ...GREEDY, guidance: 3 }
      for await (const id of on.generate({ ...request, sampling })) tokens.push(id)
      return tokens
    }
    expect(await guided(backbone)).toEqual(await guided(await open(exported)))
  })

  test('with norms of heads inside of its attention gives what norms before it give', async () => {
    const gains = ['query', 'key'].map((name, at) => ({
      name: `${name}.gain`,
      dataType: 1,
      dims: [TINY.headDim],
      floats: Array.from({ length: TINY.headDim }, (_, index) => 1 + 0.1 * ((index * (at + 3)) % 7)),
    }))
    const plain = tinyDecoder({ qkv: 'separate' })
    const nodesOf = (edit: (node: WrittenNode) => readonly WrittenNode[]): WrittenModel =>
      withTensors({ ...plain, nodes: plain.nodes.flatMap(edit) }, ...gains)
    const unpacked = nodesOf((node) => (isAttention(node) ? [inside(node)] : [node]))
    const packed = nodesOf((node) => {
      if (!isAttention(node)) return [node]
      const all = `${node.outputs[0]}.packed`
      const joined = {
        opType: 'Concat',
        inputs: node.inputs.slice(0, 3),
        outputs: [all],
        attributes: { axis: { int: -1 } },
      }
      return [joined, inside({ ...node, inputs: [all, '', '', ...node.inputs.slice(3)] })]
    })
    const before = nodesOf((node) => {
      if (!isAttention(node)) return [node]
      const normed = node.inputs
        .slice(0, 2)
        .map((part, at) => normOfHeads(part, ['query.gain', 'key.gain'][at]!))
      const inputs = [...normed.map(({ output }) => output), ...node.inputs.slice(2)]
      return [...normed.flatMap(({ nodes }) => nodes), { ...node, inputs }]
    })
    const shapes = [integersOf('to.heads', [0, 0, -1, TINY.headDim]), integersOf('from.heads', [0, 0, -1])]
    const logitsOf = async (model: WrittenModel): Promise<Float32Array> => {
      const bytes = writeOnnx(withTensors(model, ...shapes))
      const exported = {
        model: parseOnnx(bytes, 'tiny.onnx'),
        bytes,
        folder: memoryFolder({}),
        config: TINY_CONFIG,
      }
      return (await open(exported)).logits(IDS, null)
    }
    const expected = await logitsOf(before)
    expectClose(await logitsOf(unpacked), expected)
    expectClose(await logitsOf(packed), expected)
  })

  test('that onnxruntime does not know is refused by its operator, at opening', async () => {
    const strange = insertAfter(tinyDecoder(), 'final_norm.y', (x) => ({
      opType: 'Wobble',
      domain: 'com.microsoft',
      inputs: [x],
    }))
    const bytes = writeOnnx(strange)
    const exported = {
      model: parseOnnx(bytes, 'tiny.onnx'),
      bytes,
      folder: memoryFolder({}),
      config: TINY_CONFIG,
    }
    await expect(open(exported)).rejects.toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining('Wobble'),
    })
  })

  test('that forgets what it has read is refused, not believed', async () => {
    const forgetful = insertAfter(tinyDecoder(), 'present.0.value', (x) => ({ opType: 'Exp', inputs: [x] }))
    const bytes = writeOnnx(forgetful)
    const exported = {
      model: parseOnnx(bytes, 'tiny.onnx'),
      bytes,
      folder: memoryFolder({}),
      config: TINY_CONFIG,
    }
    await expect(open(exported)).rejects.toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining('with its cache'),
    })
  })

  test('answers with guidance as the equation says, each chat read by itself', async () => {
    const { bytes, exported } = tiny()
    const backbone = await open(exported)
    expect(backbone.affordsGuidance).toBe(false)
    const reference = await loadReference(await recogniseBytes(bytes, TINY_CONFIG))
    const beside = [...IDS.slice(0, 3), 5, 31]
    const request = { ids: IDS, beside, casting: null, maxTokens: 6, stopIds: [] }
    for (const guidance of [1, 0, 1]) {
      const tokens: number[] = []
      const sampling = { ...GREEDY, guidance }
      for await (const id of backbone.generate({ ...request, sampling })) tokens.push(id)
      expect(tokens).toEqual(guidedReference(reference, [IDS, beside], { guidance, tokens: 6 }))
    }
  })

  test('with an input that nobody knows is refused by its name', async () => {
    const { exported } = tiny()
    const { model } = exported
    const strange = { name: 'pixel_values', dataType: 1, dims: [1] }
    const graph = { ...model.graph, inputs: [...model.graph.inputs, strange] }
    await expect(open({ ...exported, model: { ...model, graph } })).rejects.toThrow(
      'tiny.onnx has the input pixel_values',
    )
  })
})

const exportedOf = (name: string): Promise<ExportedModel> => {
  const root = sharedPath(`onnx/${name}`)
  return openExported(folder(root), { listing: readdirSync(root) })
}

const families = hasShared ? readdirSync(sharedPath('onnx')).filter((name) => name.startsWith('f_')) : []

describe.skipIf(!hasShared)('exporters’ folders as they are (needs the developers’ material)', () => {
  test.each(families)('%s against its golden, with its cache and back in it', async (name) => {
    const { tensors } = await readTensors(sharedPath(`onnx/${name}/golden.safetensors`))
    const backbone = await open(await exportedOf(name))
    const ids = [...tensors.get('input_ids')!.values]
    const whole = await backbone.logits([...ids, 42], null)
    expectClose(await backbone.logits(ids, null), tensors.get('logits')!.values, 1e-8)
    expectClose(await backbone.step(42), whole.subarray(-backbone.shape.vocabulary), 1e-8)
    const likeliest = await answerOf(backbone, ids)
    await answerOf(backbone, [...ids.slice(0, 3), 1, 2])
    expect(await answerOf(backbone, ids)).toEqual(likeliest)
  })

  test.each(['q_int8', 'q_uint8'])('%s, which is not recognised, against its golden', async (name) => {
    const { tensors } = await readTensors(sharedPath(`onnx/${name}/golden.safetensors`))
    const backbone = await open(await exportedOf(name))
    const ids = [...tensors.get('input_ids')!.values]
    expectClose(await backbone.logits(ids, null), tensors.get('logits')!.values, 1e-3)
    expectClose(await backbone.step(42), tensors.get('step_logits')!.values, 1e-3)
  })

  test.each(['q_int8', 'q_uint8'])('%s takes roles', async (name) => {
    const sibling = sharedPath('onnx/q_q4')
    const { decoder } = await openChatModel(folder(sibling), { listing: readdirSync(sibling) })
    const backbone = await open(await exportedOf(name))
    await backbone.attach(await decoderPack(decoder))
    const bare = await backbone.logits(IDS, null)
    const [one, two] = [await backbone.logits(IDS, alone(1)), await backbone.logits(IDS, alone(2))]
    expect(nmse(one, bare)).toBeGreaterThan(1e-3)
    expect(nmse(two, one)).toBeGreaterThan(1e-3)
    expectClose(await backbone.logits(IDS, { ...alone(1), strength: 0 }), bare, 1e-6)
  })

  test('t_llama_ts17 leans into its role as the equation says, either row read by itself', async () => {
    const root = sharedPath('onnx/t_llama_ts17')
    const { decoder } = await openChatModel(folder(root), { listing: readdirSync(root) })
    const pack = await decoderPack(decoder)
    const backbone = await open(await exportedOf('t_llama_ts17'))
    await backbone.attach(pack)
    const reference = await loadReference(decoder)
    for (const guidance of [1, 4]) {
      const tokens: number[] = []
      const sampling = { ...GREEDY, roleGuidance: guidance }
      const request = { ids: IDS, casting: alone(1), maxTokens: 6, stopIds: [], sampling }
      for await (const id of backbone.generate(request)) tokens.push(id)
      const adapters = referenceAdapters(pack, alone(1))
      expect(tokens).toEqual(roleGuidedReference(reference, IDS, { guidance, tokens: 6, adapters }))
    }
  })

  test.each([
    ['t_llama_ts17', 1e-10],
    ['t_llama_dyn18', 1e-10],
    ['g_llama_fp32_cpu', 1e-10],
    ['g_qwen2_fp32_cpu', 1e-10],
    ['g_llama_fp16_cpu', 1e-5],
    ['q_q4', 1e-6],
  ])('%s plays a blend as the reference does', async (name, tolerance) => {
    const root = sharedPath(`onnx/${name}`)
    const { decoder } = await openChatModel(folder(root), { listing: readdirSync(root) })
    const pack = await decoderPack(decoder)
    const backbone = await open(await exportedOf(name))
    await backbone.attach(pack)
    const { logits } = referenceForward(await loadReference(decoder), IDS, referenceAdapters(pack, blend))
    expectClose(await backbone.logits(IDS, blend), logits, tolerance)
  })
})
