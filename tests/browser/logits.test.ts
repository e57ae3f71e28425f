import * as ort from 'onnxruntime-web/wasm'
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'
import { expect, test } from 'vitest'

import { requestAdapter, requestDevice } from '../../src/gpu/device.ts'
import { blobFiles } from '../../src/play/blobFiles.ts'
import { openChatModel } from '../../src/model/chatModel.ts'
import { GpuBackbone } from '../../src/model/gpu/gpuBackbone.ts'
import { nmse } from '../support/compare.ts'

const MODEL = 'onnx/model_fp16.onnx'
const IDS = [1, 388, 266, 201, 42, 77, 1023, 4000, 5]

async function starterFiles(): Promise<Map<string, Blob>> {
  const paths = ['config.json', 'tokenizer.json', 'tokenizer_config.json', MODEL]
  const entries = paths.map(async (path) => {
    const response = await fetch(`/models/starter/${path}`)
    expect(response.ok).toBe(true)
    return [path, await response.blob()] as const
  })
  return new Map(await Promise.all(entries))
}

/** The same file through onnxruntime-web on WebAssembly, with an empty cache. */
async function rivalLogits(
  file: Blob,
  shape: { layers: number; kvHeads: number; headDim: number },
): Promise<Float32Array> {
  ort.env.wasm.numThreads = 1
  ort.env.wasm.wasmPaths = { wasm: wasmUrl }
  const session = await ort.InferenceSession.create(new Uint8Array(await file.arrayBuffer()))
  const count = IDS.length
  const feeds: Record<string, ort.Tensor> = {
    input_ids: new ort.Tensor('int64', BigInt64Array.from(IDS, BigInt), [1, count]),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(count).fill(1n), [1, count]),
  }
  for (let layer = 0; layer < shape.layers; layer++) {
    for (const part of ['key', 'value']) {
      const dims = [1, shape.kvHeads, 0, shape.headDim]
      feeds[`past_key_values.${layer}.${part}`] = new ort.Tensor('float16', new Uint16Array(0), dims)
    }
  }
  const { logits } = await session.run(feeds)
  const bits = logits!.data
  return Float32Array.from(bits as unknown as Iterable<number>)
}

test('the page’s logits equal onnxruntime-web’s on the same file', async () => {
  const files = await starterFiles()
  const model = await openChatModel(blobFiles(files), { listing: [...files.keys()] })
  const adapter = await requestAdapter(navigator.gpu)
  const gpu = await requestDevice(adapter!)
  const backbone = await GpuBackbone.create(gpu, model.decoder)
  const ours = await backbone.logits(IDS, null)
  const theirs = await rivalLogits(files.get(MODEL)!, model.decoder)
  expect(nmse(ours, theirs)).toBeLessThan(1e-5)
}, 600_000)
