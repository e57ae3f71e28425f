import { describe, expect, test } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import type { Sampling } from '../../../src/core/sampling.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import {
  PARTIAL_GROUPS,
  SAMPLING_WORDS,
  adjustLogits,
  markWords,
  packMarks,
} from '../../../src/kernels/adjustLogits.ts'
import { NO_TOKEN, packSampling } from '../../../src/kernels/sampleToken.ts'
import { adjustLogitsCases } from '../../cases/adjustLogits.ts'
import { HIGHEST, adjustLogitsReference } from '../../reference/adjustLogits.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

interface Given {
  readonly logits: Float32Array<ArrayBuffer>
  readonly beside?: Float32Array<ArrayBuffer>
  readonly counts: Uint32Array<ArrayBuffer>
  readonly sampling: Partial<Sampling>
  /** The tokens by position, the last one fed last; `said` of them are the answer's. */
  readonly history?: readonly number[]
  readonly said?: number
  readonly sentenceEnds?: readonly number[]
  readonly turnEnds?: readonly number[]
}

async function run({ logits, counts, sampling, ...given }: Given) {
  const { beside, history = [0], said = 0, sentenceEnds = [], turnEnds = [] } = given
  const device = await testDevice()
  const vocabulary = logits.length
  const settings = packSampling({ ...GREEDY, ...sampling }, history.length - said)
  const guarded = createGuarded(device, [2, vocabulary], 'logits')
  device.queue.writeBuffer(guarded.buffer, 0, logits)
  device.queue.writeBuffer(guarded.buffer, 4 * vocabulary, beside ?? new Float32Array(vocabulary).fill(1e9))
  const partials = createGuarded(device, [2, PARTIAL_GROUPS, 2], 'partials')
  const marks = packMarks(vocabulary, sentenceEnds, turnEnds)
  const dispatch = await adjustLogits(device, {
    sampling: uploadTensor(device, [SAMPLING_WORDS], new Uint32Array(settings), 'sampling'),
    counts: uploadTensor(device, [vocabulary], counts, 'counts'),
    step: uploadStep(device, [{ position: history.length - 1, slot: 0, scale: 0 }]),
    history: uploadTensor(device, [history.length], Uint32Array.from(history), 'history'),
    marks: uploadTensor(device, [marks.length], marks, 'marks'),
    logits: guarded,
    partials,
  })
  submit(device, [dispatch], 1)
  const half = 2 * PARTIAL_GROUPS
  const from = sampling.guidance ? half : 0
  const halves = await readGuarded(device, partials)
  expectUntouched(new Uint32Array(halves.buffer, halves.byteOffset + 4 * (half - from), half))
  const words = halves.slice(from, from + half)
  const ids = new Uint32Array(words.buffer)
  const pairs = Array.from({ length: PARTIAL_GROUPS }, (_, group) => ({
    value: words[2 * group]!,
    id: ids[2 * group + 1]!,
  }))
  const [first] = pairs.toSorted((a, b) => b.value - a.value || a.id - b.id)
  const all = await readGuarded(device, guarded)
  return { logits: all.slice(0, vocabulary), beside: all.slice(vocabulary), first: first! }
}

describe('adjust_logits', () => {
  test.each(adjustLogitsCases)('$vocabulary logits, seed $seed', async ({ vocabulary, seed }) => {
    const logits = normals(seed, vocabulary, 4)
    const beside = normals(seed + 200, vocabulary, 4)
    const counts = Uint32Array.from(normals(seed + 100, vocabulary), (value) => (value > 0.5 ? 2 : 0))
    const turnEnds = [vocabulary - 1, Math.floor(vocabulary / 2)]
    const none = { guidance: 0, penalty: 1, bonus: 0 }
    for (const settings of [
      { ...none, penalty: 1.3 },
      { ...none, guidance: 0.5 },
      { guidance: 1.5, penalty: 1.1, bonus: 3 },
    ]) {
      const expected = adjustLogitsReference(logits, beside, counts, new Set(turnEnds), settings)
      const actual = await run({
        logits,
        beside,
        counts,
        sampling: {
          guidance: settings.guidance,
          repetitionPenalty: settings.penalty,
          endBonus: settings.bonus,
        },
        sentenceEnds: [0],
        turnEnds,
      })
      expect(nmse(actual.logits, expected.logits)).toBeLessThanOrEqual(1e-10)
      const isGuided = settings.guidance !== 0
      const ranked = isGuided ? logits : actual.logits
      expect(actual.first).toEqual({ value: ranked[expected.largest], id: expected.largest })
      // What the next kernel looks for what was unlikely in; an end that is raised never is.
      const raised = settings.bonus === 0 ? [] : turnEnds
      const kept = logits.map((value, v) => (raised.includes(v) ? HIGHEST : value))
      expect(actual.beside).toEqual(isGuided ? kept : beside)
    }
  })

  test('neutral settings change no bit, and the lowest id of equal logits is the largest', async () => {
    const logits = normals(8, 5000).map((value) => Math.min(value, 1))
    const actual = await run({
      logits,
      counts: new Uint32Array(5000).fill(1),
      sampling: {},
      sentenceEnds: [0],
      turnEnds: [1],
    })
    expect(actual.logits).toEqual(logits)
    expect(actual.first).toEqual({ value: 1, id: logits.indexOf(1) })
  })

  test('ending is worth its bonus behind a sentence, once the answer is long enough', async () => {
    const logits = new Float32Array(40).fill(1)
    const given = { logits, counts: new Uint32Array(40), sentenceEnds: [17], turnEnds: [3, 33] }
    const sampling = { endBonus: 2, endAfter: 3 }
    const raised = async (history: readonly number[], said: number): Promise<number[]> => {
      const { logits: actual } = await run({ ...given, sampling, history, said })
      return [...actual.keys()].filter((id) => actual[id] === 3)
    }
    expect(await raised([5, 6, 7, 17], 3)).toEqual([3, 33])
    expect(await raised([5, 6, 7, 17], 2)).toEqual([])
    expect(await raised([5, 17, 7, 8], 3)).toEqual([])
  })

  test('a logit that is no number is found in either row, and one that is forbidden is none of them', async () => {
    const counts = new Uint32Array(3000)
    const sampling = { guidance: 0.5 }
    for (const value of [NaN, Infinity]) {
      const wrong = normals(9, 3000).with(2001, value)
      expect((await run({ logits: wrong, counts, sampling: {} })).first.id).toBe(NO_TOKEN)
      const given = { logits: normals(9, 3000), counts, beside: wrong }
      expect((await run({ ...given, sampling })).first.id).toBe(NO_TOKEN)
      expect((await run({ ...given, sampling: {} })).first.id).not.toBe(NO_TOKEN)
    }
    const beside = normals(10, 3000).fill(-Infinity)
    const logits = normals(9, 3000).with(5, -Infinity)
    const actual = await run({ logits, beside, counts, sampling })
    expect(actual.logits).toEqual(logits)
    expect(actual.first.id).toBe(logits.indexOf(Math.max(...logits)))
  })

  test('refuses shapes that do not fit', async () => {
    const device = await testDevice()
    const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
    const tensors = {
      sampling: create(SAMPLING_WORDS),
      counts: create(7),
      step: create(5),
      history: create(3),
      marks: create(1),
      logits: create(1, 7),
      partials: create(2, PARTIAL_GROUPS, 2),
    }
    await adjustLogits(device, tensors)
    for (const wrong of [{ counts: create(6) }, { marks: create(2) }, { sampling: create(8) }]) {
      const refused = adjustLogits(device, { ...tensors, ...wrong })
      await expect(refused).rejects.toMatchObject({ code: 'shape-mismatch' })
    }
  })

  test('marks hold every token of the vocabulary and none beyond', () => {
    expect(markWords(33)).toBe(3)
    expect([...packMarks(33, [0, 16, 99], [15, 16])]).toEqual([1 + 2 * 2 ** 30, 3, 0])
  })
})
