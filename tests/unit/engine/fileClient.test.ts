import { describe, expect, test } from 'vitest'

import { askFileWorker } from '../../../src/engine/fileClient.ts'
import type { FileWorkerPort } from '../../../src/engine/fileClient.ts'
import type { FromFileWorker, ToFileWorker } from '../../../src/engine/fileProtocol.ts'

/** A worker that answers a question with these messages. */
function worker(answers: readonly FromFileWorker[]) {
  const events = new EventTarget()
  const asked: ToFileWorker[] = []
  const state = { ended: 0 }
  const port: FileWorkerPort = {
    postMessage(message) {
      asked.push(message)
      for (const data of answers) events.dispatchEvent(new MessageEvent('message', { data }))
    },
    addEventListener(type: string, listener: (event: never) => void) {
      events.addEventListener(type, listener as (event: Event) => void)
    },
    terminate: () => state.ended++,
  }
  return { open: () => port, asked, state, emit: (type: string) => events.dispatchEvent(new Event(type)) }
}

const question = { files: [], backbone: null }

describe('a question to the worker for files', () => {
  test('is answered, and the worker ends', async () => {
    const value = { arrivals: [], refusals: [] }
    const { open, asked, state } = worker([{ kind: 'return', value }])
    expect(await askFileWorker(open, 'arrive', question, { limitMs: 60_000 })).toEqual(value)
    expect(asked).toEqual([{ kind: 'arrive', params: question }])
    expect(state.ended).toBe(1)
  })

  test('that takes too long is given up', async () => {
    const { open, state } = worker([])
    await expect(askFileWorker(open, 'arrive', question, { limitMs: 1 })).rejects.toMatchObject({
      code: 'format-invalid',
      message: 'reading took longer than 0.001 s',
    })
    expect(state.ended).toBe(1)
  })

  test('that fails keeps its code', async () => {
    const { open, state } = worker([{ kind: 'throw', code: 'format-unsupported', message: 'no such thing' }])
    await expect(askFileWorker(open, 'arrive', question, { limitMs: 60_000 })).rejects.toMatchObject({
      code: 'format-unsupported',
    })
    expect(state.ended).toBe(1)
  })

  test('that cannot be sent fails at once, and the worker ends', async () => {
    const { open, state } = worker([])
    const port = {
      ...open(),
      postMessage() {
        throw new DOMException('() => 1 could not be cloned.', 'DataCloneError')
      },
    }
    await expect(askFileWorker(() => port, 'arrive', question, { limitMs: 60_000 })).rejects.toMatchObject({
      code: 'usage',
      message: '() => 1 could not be cloned.',
    })
    expect(state.ended).toBe(1)
  })

  test('whose answer cannot be read fails', async () => {
    const { open, state, emit } = worker([])
    const answer = askFileWorker(open, 'arrive', question, { limitMs: 60_000 })
    emit('messageerror')
    await expect(answer).rejects.toMatchObject({ code: 'out-of-memory' })
    expect(state.ended).toBe(1)
  })

  test('can be taken back', async () => {
    const { open, state } = worker([])
    const stop = new AbortController()
    const answer = askFileWorker(open, 'arrive', question, { limitMs: 60_000, signal: stop.signal })
    stop.abort()
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' })
    expect(state.ended).toBe(1)
  })
})
