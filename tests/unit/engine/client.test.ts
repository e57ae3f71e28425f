import { describe, expect, test } from 'vitest'

import { connectEngine } from '../../../src/engine/client.ts'
import type { WorkerPort } from '../../../src/engine/client.ts'
import type { FromWorker, ToWorker } from '../../../src/engine/protocol.ts'

/** An engine's worker that says what the test has it say, and copies what it is sent as a worker does. */
function worker() {
  const events = new EventTarget()
  const asked: ToWorker[] = []
  const port: WorkerPort = {
    postMessage: (message) => void asked.push(structuredClone(message)),
    addEventListener(type: string, listener: (event: never) => void) {
      events.addEventListener(type, listener as (event: Event) => void)
    },
    terminate: () => undefined,
  }
  return {
    port,
    asked,
    say: (data: FromWorker) => events.dispatchEvent(new MessageEvent('message', { data })),
    emit: (type: string) => events.dispatchEvent(new Event(type)),
  }
}

describe('a request to the engine', () => {
  test('is answered, its pieces before it', async () => {
    const { port, asked, say } = worker()
    const duties: unknown[] = []
    const answer = connectEngine(port).request(
      'tune',
      { duty: 0.5 },
      { onYield: (value) => duties.push(value) },
    )
    expect(asked).toEqual([{ kind: 'tune', id: 1, params: { duty: 0.5 } }])
    say({ kind: 'yield', id: 1, value: 'a piece' })
    say({ kind: 'return', id: 1, value: null })
    expect(await answer).toBeNull()
    expect(duties).toEqual(['a piece'])
  })

  test('that fails keeps its code, and leaves the others waiting', async () => {
    const { port, say } = worker()
    const engine = connectEngine(port)
    const [first, second] = [engine.request('diagnose', {}), engine.request('tune', { duty: 1 })]
    say({ kind: 'throw', id: 1, code: 'device-lost', message: 'gone' })
    say({ kind: 'return', id: 2, value: null })
    await expect(first).rejects.toMatchObject({ code: 'device-lost', message: 'gone' })
    expect(await second).toBeNull()
  })

  test('that cannot be sent fails by itself', async () => {
    const { port, say } = worker()
    const engine = connectEngine(port)
    const before = engine.request('tune', { duty: 1 })
    const dialogues = [{ role: 'Brine', turns: [], split: 'train' as const }]
    const params = { backbone: 'Starter', dialogues, config: { steps: () => 1 }, start: null }
    await expect(engine.request('estimate', params)).rejects.toMatchObject({
      name: 'HycoraError',
      code: 'usage',
      message: expect.stringMatching(/^“estimate” cannot be sent to the engine: .*could not be cloned/),
    })
    say({ kind: 'return', id: 1, value: null })
    expect(await before).toBeNull()
  })

  test.each([
    ['an answer cannot be read', ({ emit }: ReturnType<typeof worker>) => emit('messageerror')],
    ['a request cannot be read', ({ say }: ReturnType<typeof worker>) => say({ kind: 'unread' })],
  ])('fails where %s, whosever it was', async (_, happen) => {
    const stage = worker()
    const engine = connectEngine(stage.port)
    const waiting = [engine.request('diagnose', {}), engine.request('tune', { duty: 1 })]
    happen(stage)
    for (const request of waiting) await expect(request).rejects.toMatchObject({ code: 'out-of-memory' })
  })

  test('in flight when the engine is closed is cancelled', async () => {
    const engine = connectEngine(worker().port)
    const answer = engine.request('diagnose', {})
    engine.close()
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' })
  })
})
