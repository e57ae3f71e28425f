import { readdirSync } from 'node:fs'

import * as ort from 'onnxruntime-web'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { openExportedGraph } from '../../../src/fallback/exportedGraph.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import type { Casting } from '../../../src/model/decoder/backbone.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { openExported } from '../../../src/model/graph/openBackbone.ts'
import type { ExportedModel } from '../../../src/model/graph/openBackbone.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { expectClose, nmse } from '../../support/compare.ts'
import { decoderPack, referenceAdapters } from '../../support/decoderPack.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { memoryFolder, recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

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
    const answer = async (ids: readonly number[]): Promise<number[]> => {
      const tokens: number[] = []
      const request = { ids, casting: null, maxTokens: 5, stopIds: [] }
      const sampling = {
        temperature: 0,
        topK: 0,
        topP: 1,
        minP: 0,
        repetitionPenalty: 1,
        repetitionWindow: 0,
        seed: 0,
      }
      for await (const id of backbone.generate({ ...request, sampling })) tokens.push(id)
      return tokens
    }
    const other = [...IDS.slice(0, 5), 1, 2]
    const fresh = await answer(other)
    await answer(IDS)
    expect(await answer(other)).toEqual(fresh)
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

describe.skipIf(!hasShared)('exporters’ folders as they are (needs the developers’ material)', () => {
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
