import { describe, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import type { Sampling } from '../../../src/core/sampling.ts'
import { createCpuSampler } from '../../../src/fallback/sampler.ts'
import { drawReference, keptReference, uniformReference } from '../../reference/sampleToken.ts'

const PLAIN: Sampling = { ...GREEDY, temperature: 1, repetitionPenalty: 1, seed: 5 }

/** How often each id is drawn at positions 0, 1, 2, … */
function draw(logits: readonly number[], settings: Partial<Sampling>, count = 4000): number[] {
  const counts = logits.map(() => 0)
  for (let position = 0; position < count; position++) {
    const sampler = createCpuSampler({ ...PLAIN, ...settings }, [])
    const id = sampler.next(Float32Array.from(logits), position)
    counts[id] = counts[id]! + 1
  }
  return counts
}

const drawn = (logits: readonly number[], settings: Partial<Sampling>): number[] =>
  draw(logits, settings, 400).flatMap((count, id) => (count > 0 ? [id] : []))

describe('sampling on the CPU', () => {
  test('temperature 0 takes the lowest id of the highest logits', () => {
    expect(createCpuSampler(GREEDY, []).next(Float32Array.of(1, 3, -2, 3), 7)).toBe(1)
  })

  test.each([
    { temperature: -1 },
    { topK: 0.5 },
    { topP: 1.1 },
    { minP: Number.NaN },
    { repetitionPenalty: 0 },
    { guidance: -1 },
    { roleGuidance: 0.9 },
    { roleGuidance: 11 },
    { endBonus: Number.NaN },
    { endAfter: 0.5 },
  ])('refuses %o as the GPU’s sampler does', (wrong) => {
    expect(() => createCpuSampler({ ...PLAIN, ...wrong }, [])).toThrow('expected')
  })

  test('draws as often as the softmax says', () => {
    const logits = [0.3, 2, -1, 1.1, 0]
    const counts = draw(logits, { temperature: 0.7 })
    const weights = logits.map((value) => Math.exp(value / 0.7))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    // Four standard deviations of a share out of 4,000.
    weights.forEach((weight, id) => {
      const share = weight / total
      expect(Math.abs(counts[id]! / 4000 - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / 4000))
    })
  })

  test('keeps the topK highest, and what equals the last of them', () => {
    expect(drawn([1, 1.2, 1.1, 1, 0.9], { topK: 3 })).toEqual([0, 1, 2, 3])
    expect(drawn([1, 1.2, 1.1, 1, 0.9], { topK: 2 })).toEqual([1, 2])
    expect(drawn([1, 1.2], { topK: 9 })).toEqual([0, 1])
  })

  test('keeps the likeliest whose probabilities reach topP, of those that topK left', () => {
    const logits = [0.5, 0.3, 0.1, 0.1].map(Math.log)
    expect(drawn(logits, { topP: 0.75 })).toEqual([0, 1])
    expect(drawn(logits, { topP: 0.85 })).toEqual([0, 1, 2, 3])
    expect(drawn(logits, { topP: 0.6, topK: 2 })).toEqual([0])
    expect(drawn(logits, { topP: 0 })).toEqual([0])
  })

  test('keeps what is at least minP times as likely as the likeliest', () => {
    const logits = [0.5, 0.3, 0.1, 0.1].map(Math.log)
    expect(drawn(logits, { minP: 0.5 })).toEqual([0, 1])
    expect(drawn(logits, { minP: 0.19 })).toEqual([0, 1, 2, 3])
  })

  test('guidance leads away from the other logits, before the penalty', () => {
    const settings = { ...GREEDY, guidance: 0.5, repetitionPenalty: 2, repetitionWindow: 4 }
    const logits = Float32Array.of(2, 1.9, -1)
    const id = createCpuSampler(settings, [0]).next(logits, 0, Float32Array.of(1, 2.1, -3))
    expect(logits[0]).toBe(1.25)
    expect(logits[1]).toBeCloseTo(1.8, 6)
    expect(id).toBe(1)
    const alone = Float32Array.of(2, 1.9, -1)
    expect(createCpuSampler({ ...settings, repetitionPenalty: 1 }, []).next(alone, 0)).toBe(0)
  })

  test('guidance leads to nothing that is unlikely without it, but for an end that is raised', () => {
    const settings = { ...GREEDY, guidance: 1, endBonus: 1, endAfter: 0 }
    const next = (turn: readonly number[]): number => {
      const sampler = createCpuSampler(settings, [0], { sentence: new Set([0]), turn })
      return sampler.next(Float32Array.of(2, 1, -0.5), 0, Float32Array.of(2, 1, -9))
    }
    expect(next([])).toBe(0)
    expect(next([2])).toBe(2)
  })

  test('ending is worth its bonus behind a sentence, once the answer is long enough', () => {
    const settings = { ...GREEDY, endBonus: 3, endAfter: 2 }
    const ends = { sentence: new Set([1]), turn: [2, 3] }
    const sampler = createCpuSampler(settings, [1], ends)
    // A prompt that ends a sentence, then one token said, then two.
    const said = Array.from({ length: 4 }, () => sampler.next(Float32Array.of(0, 5, 4, 1), 0))
    expect(said).toEqual([1, 1, 2, 1])
  })

  test('the penalty sees the window: prompt and answer, and no further back', () => {
    const logits = [2, 1.9, -1, -1.05]
    const settings = { ...GREEDY, repetitionPenalty: 1.2, repetitionWindow: 2 }
    const next = (history: readonly number[]): number =>
      createCpuSampler(settings, history).next(Float32Array.from(logits), 0)
    expect(next([3, 0])).toBe(1)
    expect(next([0, 3, 3])).toBe(0)
    const sampler = createCpuSampler(settings, [2, 2])
    const answer = Array.from({ length: 5 }, (_, i) => sampler.next(Float32Array.from(logits), i))
    expect(answer).toEqual([0, 1, 0, 0, 1])
    const negative = Float32Array.of(-3, -1, -1.1)
    expect(createCpuSampler(settings, [1]).next(negative, 0)).toBe(2)
  })

  test('draws the tokens that the reference of the GPU’s sampler draws', () => {
    const random = new Random(3)
    for (let position = 0; position < 200; position++) {
      const logits = Float32Array.from({ length: 500 }, () => 3 * random.nextNormal())
      const settings = {
        temperature: 0.2 + random.nextUniform(),
        topK: random.nextBelow(3) * 20,
        topP: random.nextBelow(2) === 0 ? 1 : 0.5 + 0.5 * random.nextUniform(),
        minP: random.nextBelow(2) * 0.1 * random.nextUniform(),
      }
      const seed = random.nextU32()
      const expected = drawReference(keptReference(logits, settings), uniformReference(seed, position))
      expect(createCpuSampler({ ...PLAIN, ...settings, seed }, []).next(logits, position)).toBe(expected)
    }
  })

  test('the same seed and position give the same token, others give others', () => {
    const random = new Random(2)
    const logits = Array.from({ length: 300 }, () => random.nextNormal())
    const tokens = (seed: number): number[] => {
      const sampler = createCpuSampler({ ...PLAIN, seed }, [])
      return Array.from({ length: 12 }, (_, position) => sampler.next(Float32Array.from(logits), position))
    }
    expect(tokens(1)).toEqual(tokens(1))
    expect(tokens(1)).not.toEqual(tokens(2))
    expect(new Set(tokens(1)).size).toBeGreaterThan(6)
  })
})
