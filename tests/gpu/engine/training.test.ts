import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { openPackShelf } from '../../../src/engine/packShelf.ts'
import type { TrainParams } from '../../../src/engine/protocol.ts'
import type { Stage } from '../../../src/engine/stage.ts'
import { trainOn } from '../../../src/engine/trainer.ts'
import type { Backbone } from '../../../src/model/backbone.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpuBackbone.ts'
import { testDevice } from '../../support/device.ts'

const root = resolve(import.meta.dirname, '../../../public/models/starter')

const params: TrainParams = {
  backbone: 'Starter',
  dialogues: Array.from({ length: 4 }, (_, index) => ({
    role: 'Brine',
    split: 'train' as const,
    turns: [
      { speaker: 'user', text: `Question ${index}?` },
      { speaker: 'role', text: 'Mind the rope.' },
    ],
  })),
  config: { steps: 1, batch: 1, rank: 2, targets: ['q'], contrast: { form: 'off' } },
  start: null,
  checkpoint: null,
  rehearsal: { role: 'Brine', prompts: ['Who are you?'], everySteps: 1 },
  duty: 1,
}

test('a run that fails says why, though its backbone takes no pack any more', async () => {
  const model = await openChatModel(folder(root), { model: 'onnx/model_fp16.onnx' })
  const device = await testDevice()
  const backbone: Backbone = await GpuBackbone.create(device, model.decoder)
  const attach = backbone.attach.bind(backbone)
  let attached = 0
  // As when the device goes: the first rehearsal succeeds, then every attaching fails by a complaint of its own.
  backbone.attach = (pack) => {
    attached++
    return attached === 1 ? attach(pack) : Promise.reject(new Error(`attaching ${attached} failed`))
  }
  const shelf = openPackShelf({ backbone, model, name: 'Starter', pack: null })
  const info = { name: 'Starter', architecture: 'qwen2' } as Stage['info']
  const stage: Stage = { device, backbone, model, pack: null, shelf, info }
  const run = trainOn(stage, params, { signal: new AbortController().signal, duty: () => 1 })
  const finished = (async () => {
    while (!(await run.next()).done);
  })()
  await expect(finished).rejects.toThrow('attaching 2 failed')
  await expect(shelf.attach(undefined)).rejects.toThrow('attaching 3 failed')
})
