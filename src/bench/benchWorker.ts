/*
 * The worker that measures the graphics card, on a device of its own: one question (see benchProtocol.ts), one answer.
 */
import { failureOf, HycoraError } from '../core/errors.ts'
import { namesOf, requestAdapter, requestDevice } from '../gpu/device.ts'
import { openChatModel } from '../model/chatModel.ts'
import { blobFiles } from '../play/blobFiles.ts'
import type { FromBenchWorker, ToBenchWorker } from './benchProtocol.ts'
import { measureCard } from './measureCard.ts'
import type { CardPlace } from './measureCard.ts'

const post = (message: FromBenchWorker): void => self.postMessage(message)

function pagePlace({ files, commit }: ToBenchWorker): CardPlace {
  return {
    async openDevice(features) {
      const adapter = 'gpu' in navigator ? await requestAdapter(navigator.gpu) : undefined
      if (!adapter) throw new HycoraError('webgpu-unavailable', 'the browser offers no graphics card')
      const missing = features.find((feature) => !adapter.features.has(feature))
      if (missing) throw new HycoraError('webgpu-unavailable', `this browser has no ${missing}`)
      return { ...(await requestDevice(adapter, features)), names: namesOf(adapter) }
    },
    async openServed(name) {
      const found = files.get(name)
      if (!found) throw new HycoraError('usage', `the files of ${name} are not here`)
      const { decoder } = await openChatModel(blobFiles(found), { listing: [...found.keys()] })
      const why = 'the page has onnxruntime for processors alone; hycora bench --card has it for cards'
      return { decoder, openRival: () => Promise.reject(new HycoraError('format-unsupported', why)) }
    },
    browser: navigator.userAgent,
    commit,
  }
}

async function answer(question: ToBenchWorker): Promise<void> {
  const measuring = measureCard(pagePlace(question), question.request)
  let step = await measuring.next()
  while (!step.done) {
    post({ kind: 'yield', value: step.value })
    step = await measuring.next()
  }
  post({ kind: 'return', value: step.value })
}

self.addEventListener('message', ({ data }: MessageEvent<ToBenchWorker>) => {
  answer(data).catch((error: unknown) => post({ kind: 'throw', ...failureOf(error, 'webgpu-unavailable') }))
})
