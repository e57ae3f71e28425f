import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'

import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { expectClose } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { readTensors } from '../../support/readTensors.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

/** Exporters' folders, with how far ONNX Runtime's own rounding lets its logits lie from ours. */
const FOLDERS = [
  ['g_llama_fp32_cpu', 1e-8],
  ['g_qwen2_fp32_cpu', 1e-8],
  ['g_qwen2_fp32_cpu_nofuse', 1e-8],
  ['t_llama_dyn18', 1e-8],
  ['t_llama_ts17', 1e-8],
  ['t_qwen2_ts17', 1e-8],
  ['g_llama_fp16_cpu', 1e-5],
  ['g_llama_int4_web', 1e-3],
  ['q_q4', 1e-3],
  ['q_int8', 1e-3],
  ['q_uint8', 1e-3],
  ['f_qwen3_opt', 1e-8],
  ['f_smollm3_opt', 1e-8],
  ['f_ernie_genai_fp32', 1e-8],
  ['f_phi4mini_opt', 1e-8],
  ['f_granite4_genai_fp32', 1e-8],
  ['f_mistral_window_opt', 1e-8],
  ['f_gemma3_opt', 1e-8],
] as const

function integers(values: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length])
}

/** What ONNX Runtime computes of an exporter's own graph, from an empty cache. */
async function exportedLogits(path: string, decoder: Decoder, ids: readonly number[]): Promise<Float32Array> {
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 })
  const feeds = Object.fromEntries(
    session.inputNames.map((name) => {
      if (name === 'input_ids') return [name, integers(ids)]
      if (name === 'attention_mask') return [name, integers(ids.map(() => 1))]
      const shape = [1, decoder.kvHeads, 0, decoder.headDim]
      return [name, new Tensor('float32', new Float32Array(0), shape)]
    }),
  )
  const { logits } = await session.run(feeds)
  return logits!.data as Float32Array
}

describe.skipIf(!hasShared)(
  'exporters’ folders against ONNX Runtime (needs the developers’ material)',
  () => {
    test.each(FOLDERS)('%s', async (name, tolerance) => {
      const root = sharedPath(`onnx/${name}`)
      const { tensors } = await readTensors(resolve(root, 'golden.safetensors'))
      const model = await openChatModel(folder(root), { listing: readdirSync(root) })
      const backbone = await GpuBackbone.create(await testGpu(), model.decoder)
      const ids = Array.from(tensors.get('input_ids')!.values)
      expectClose(await backbone.logits(ids, null), tensors.get('logits')!.values, tolerance)
      expectClose(await backbone.step(42), tensors.get('step_logits')!.values, tolerance)
      backbone.destroy()
    })

    test('f_gemma3_opt behind more tokens than a window has', async () => {
      const root = sharedPath('onnx/f_gemma3_opt')
      const { decoder } = await openChatModel(folder(root), { listing: readdirSync(root) })
      expect(decoder.blocks.map(({ window }) => window)).toEqual([512, null])
      const ids = Array.from({ length: 560 }, (_, i) => (37 * i + i * i) % decoder.vocabulary)
      const expected = await exportedLogits(resolve(root, 'model.onnx'), decoder, ids)
      const backbone = await GpuBackbone.create(await testGpu(), decoder)
      const { vocabulary } = decoder
      const read = await backbone.logits(ids.slice(0, -3), null)
      const beyond = (530 + 1) * vocabulary
      expectClose(read.subarray(beyond), expected.subarray(beyond, read.length), 1e-8)
      for (let at = ids.length - 3; at < ids.length; at++) {
        const step = await backbone.step(ids[at]!)
        expectClose(step, expected.subarray(at * vocabulary, (at + 1) * vocabulary), 1e-8)
      }
      backbone.destroy()
    })

    test.each(['g_llama_int4_web', 'q_q4', 'q_int8', 'q_uint8'])(
      '%s against a decoder in f64 on the dequantised weights',
      async (name) => {
        const root = sharedPath(`onnx/${name}`)
        const model = await openChatModel(folder(root), { listing: readdirSync(root) })
        const backbone = await GpuBackbone.create(await testGpu(), model.decoder)
        const ids = [5, 17, 300, 2, 2, 91, 256, 7, 42, 0, 319]
        const { logits } = referenceForward(await loadReference(model.decoder), ids)
        expectClose(await backbone.logits(ids, null), logits, 1e-8)
        backbone.destroy()
      },
    )
  },
)
