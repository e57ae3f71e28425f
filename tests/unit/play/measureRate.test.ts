import type { StopReason } from '../../../src/core/dialogue.ts'
import { afterEach, expect, test, vi } from 'vitest'

import { answerSeconds, measureRate } from '../../../src/play/measureRate.ts'
import type { Backbone, GenerateRequest } from '../../../src/model/decoder/backbone.ts'

const pass = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A backbone that takes so long for a token of a prompt and for one of an answer, by a clock of the test's own. */
function slowBackbone(promptMs: number, answerMs: number): Backbone {
  return {
    shape: { vocabulary: 100 },
    async *generate({ ids, maxTokens, signal }: GenerateRequest): AsyncGenerator<number, StopReason> {
      await pass(ids.length * promptMs)
      for (let count = 0; count < maxTokens; count++) {
        if (signal?.aborted) return 'cancelled'
        yield 1
        await pass(answerMs)
      }
      return 'length'
    },
  } as unknown as Backbone
}

afterEach(() => {
  vi.useRealTimers()
})

test('a rate is measured behind a first run that does not count', async () => {
  vi.useFakeTimers()
  const measuring = measureRate(slowBackbone(10, 50))
  await vi.runAllTimersAsync()
  const { rate } = await measuring
  expect(rate.prefill).toBeCloseTo(100, 0)
  // Behind the last token nothing is waited for but its own time.
  expect(rate.decode).toBeCloseTo(8000 / 450, 0)
})

test('a path that takes too long is given up, and settles later', async () => {
  vi.useFakeTimers()
  const measuring = measureRate(slowBackbone(5000, 1000))
  await vi.advanceTimersByTimeAsync(12_000)
  const { rate, settled } = await measuring
  expect(rate.prefill).toBeCloseTo(32 / 12)
  expect(rate.decode).toBeCloseTo(8 / 12)
  await vi.runAllTimersAsync()
  await settled
})

test('an answer is worth its prompt and its words', () => {
  expect(answerSeconds({ prefill: 64, decode: 48 })).toBeCloseTo(2)
})
