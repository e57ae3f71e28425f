import { resolve } from 'node:path'

import { folder } from '../../src/cli/files.ts'
import { openChatModel } from '../../src/model/chatModel.ts'
import { GpuBackbone } from '../../src/model/gpu/gpuBackbone.ts'
import { openPackShelf } from '../../src/play/packShelf.ts'
import type { Stage } from '../../src/play/stage.ts'
import { testGpu } from './device.ts'

const root = resolve(import.meta.dirname, '../../public/models/starter')

/** The starter on the tests' device, without a pack. */
export async function starterStage(): Promise<Stage> {
  const name = 'Starter'
  const model = await openChatModel(folder(root), { model: 'onnx/model_fp16.onnx' })
  const gpu = await testGpu()
  const backbone = await GpuBackbone.create(gpu, model.decoder)
  const shelf = openPackShelf({ backbone, model, name, pack: null })
  const computing = { path: 'webgpu', why: 'chosen', reason: '', rates: {} } as const
  return { name, device: gpu.device, backbone, computing, model, pack: null, shelf, warnings: [] }
}
