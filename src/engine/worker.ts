/*
 * The engine's worker: takes requests one message each (see protocol.ts), owns the one graphics device.
 */
import { failureOf } from '../core/errors.ts'
import { Engine } from './engine.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

const post = (message: FromWorker): void => self.postMessage(message)
const engine = new Engine(navigator.gpu, (state, info) => post({ kind: 'device', state, info }))
const running = new Map<number, AbortController>()

/** Sends on what a generator yields and gives back what it returns. */
async function forward<Y, R>(id: number, generator: AsyncGenerator<Y, R>): Promise<R> {
  try {
    for (;;) {
      const { done, value } = await generator.next()
      if (done) return value
      post({ kind: 'yield', id, value })
    }
  } catch (error) {
    // What cannot be posted ends the request: the generator lets the next one in.
    await generator.throw(error).catch(() => undefined)
    throw error
  }
}

async function run(message: Exclude<ToWorker, { kind: 'cancel' }>, signal: AbortSignal): Promise<unknown> {
  switch (message.kind) {
    case 'diagnose':
      return engine.diagnose()
    case 'room':
      return engine.room(message.params.wanted)
    case 'compare':
      return engine.compare(signal)
    case 'load':
      return forward(message.id, engine.load(message.params))
    case 'generate':
      return forward(message.id, engine.generate(message.params, signal))
    case 'preview':
      return engine.preview(message.params)
    case 'together':
      return forward(message.id, engine.together(message.params, signal))
    case 'weigh':
      return forward(message.id, engine.weigh(message.params, signal))
    case 'alternatives':
      return engine.alternatives(message.params)
    case 'map':
      return engine.map(message.params)
    case 'prove':
      return forward(message.id, engine.prove(message.params, signal))
    case 'dataset':
      return engine.dataset(message.params)
    case 'estimate':
      return engine.estimate(message.params, signal)
    case 'train':
      return forward(message.id, engine.train(message.params, signal))
    case 'tune':
      engine.tune(message.params.duty)
      return null
  }
}

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'cancel') {
    running.get(data.id)?.abort()
    return
  }
  const { id } = data
  const controller = new AbortController()
  running.set(id, controller)
  run(data, controller.signal)
    .then((value) => post({ kind: 'return', id, value }))
    .catch((error: unknown) => post({ kind: 'throw', id, ...failureOf(error, 'webgpu-unavailable') }))
    .finally(() => running.delete(id))
})

self.addEventListener('messageerror', () => post({ kind: 'unread' }))
