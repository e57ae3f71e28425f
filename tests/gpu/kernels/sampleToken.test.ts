import { describe, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { GREEDY, LEAST_BEFORE_GUIDANCE } from '../../../src/core/sampling.ts'
import type { Sampling } from '../../../src/core/sampling.ts'
import { encode } from '../../../src/gpu/kernel.ts'
import { createTensor, readBuffer, uploadTensor } from '../../../src/gpu/tensor.ts'
import type { Tensor } from '../../../src/gpu/tensor.ts'
import { PARTIAL_GROUPS, SAMPLING_WORDS, adjustLogits, markWords } from '../../../src/kernels/adjustLogits.ts'
import { ruleOut } from '../../../src/kernels/ruleOut.ts'
import { NO_TOKEN, packSampling, RESULT_RING, sampleToken } from '../../../src/kernels/sampleToken.ts'
import { sampleTokenCases } from '../../cases/sampleToken.ts'
import { adjustLogitsReference, plausibleReference } from '../../reference/adjustLogits.ts'
import { drawReference, keptReference, uniformReference } from '../../reference/sampleToken.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

/** What a guarded tensor holds before anybody writes. */
const UNTOUCHED = 0xdeadbeef
const NEUTRAL: Sampling = { ...GREEDY, temperature: 1, seed: 11 }

async function readWords(device: GPUDevice, tensor: Tensor): Promise<number[]> {
  const values = await readGuarded(device, tensor)
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)]
}

async function readStep(device: GPUDevice, { step }: Rig): Promise<number[]> {
  return [...new Uint32Array(await readBuffer(device, step.buffer))]
}

interface Rig {
  /** Samples `draws` tokens one after another from the same logits, after a prompt. */
  run(
    logits: Float32Array<ArrayBuffer>,
    settings: Sampling,
    options: {
      readonly draws: number
      readonly prompt?: readonly number[]
      /** What guidance leads away from, at the first draw. */
      readonly beside?: Float32Array<ArrayBuffer>
    },
  ): Promise<number[]>
  readonly capacity: number
  readonly counts: Tensor
  readonly history: Tensor
  readonly step: Tensor
  readonly tokens: Tensor
  readonly results: Tensor
}

async function createRig(vocabulary: number, capacity: number): Promise<Rig> {
  const device = await testDevice()
  const sampling = createTensor(device, [SAMPLING_WORDS], 'sampling')
  const marks = createTensor(device, [markWords(vocabulary)], 'marks')
  const logits = createTensor(device, [2, vocabulary], 'logits')
  const partials = createTensor(device, [2, PARTIAL_GROUPS, 2], 'partials')
  const counts = createGuarded(device, [vocabulary], 'counts')
  const history = createGuarded(device, [capacity], 'history')
  const tokens = createGuarded(device, [3], 'tokens')
  const results = createGuarded(device, [RESULT_RING], 'results')
  const step = uploadStep(device, [
    { position: 0, slot: 2, scale: 0.5 },
    { position: 77, slot: 0, scale: 1 },
  ])
  const ruling = await ruleOut(device, { sampling, logits, partials })
  const halves = [
    await adjustLogits(device, { sampling, counts, step, history, marks, logits, partials }),
    await sampleToken(device, { sampling, logits, partials, counts, history, step, tokens, results }),
  ]
  return {
    capacity,
    counts,
    history,
    step,
    tokens,
    results,
    async run(values, settings, { draws, prompt = [0], beside }) {
      const { queue } = device
      const window = prompt.slice(Math.max(0, prompt.length - settings.repetitionWindow))
      const seen = new Uint32Array(vocabulary)
      for (const id of window) seen[id]!++
      queue.writeBuffer(sampling.buffer, 0, packSampling(settings, prompt.length))
      queue.writeBuffer(logits.buffer, 0, values)
      if (beside) queue.writeBuffer(logits.buffer, 4 * vocabulary, beside)
      queue.writeBuffer(counts.buffer, 0, seen)
      queue.writeBuffer(history.buffer, 0, Uint32Array.from(prompt))
      queue.writeBuffer(step.buffer, 4, Uint32Array.of(prompt.length - 1))
      const commands = device.createCommandEncoder()
      const pass = commands.beginComputePass()
      const dispatches = beside ? halves.toSpliced(1, 0, ruling) : halves
      for (let draw = 0; draw < draws; draw++) {
        for (const dispatch of dispatches) encode(pass, dispatch, 1)
      }
      pass.end()
      queue.submit([commands.finish()])
      return (await readWords(device, history)).slice(prompt.length, prompt.length + draws)
    },
  }
}

/** Logits of one of four kinds: spread, nearly flat, full of ties, with most of the mass on few. */
function logitsOf(random: Random, vocabulary: number): Float32Array<ArrayBuffer> {
  const kind = random.nextBelow(4)
  const values = normals(random.nextU32(), vocabulary, [3, 0.02, 2, 1][kind] ?? 1)
  if (kind === 2) return values.map((value) => Math.round(value * 2) / 2)
  if (kind === 3) for (let i = 0; i < 5; i++) values[random.nextBelow(vocabulary)]! += 12
  return values
}

/** Every setting neutral in some cases and not in others. */
function settingsOf(random: Random): Sampling {
  const maybe = (value: number, neutral: number): number => (random.nextUniform() < 0.5 ? value : neutral)
  return {
    ...NEUTRAL,
    temperature: maybe(0.3 + 1.5 * random.nextUniform(), 1),
    topK: maybe(1 + random.nextBelow(60), 0),
    topP: maybe(0.05 + 0.94 * random.nextUniform(), 1),
    minP: maybe(0.3 * random.nextUniform(), 0),
    seed: random.nextU32(),
  }
}

/** Every token that is right when float32 rounds the thresholds and the draw by up to a hundred-thousandth. */
function possibleTokens(
  logits: ArrayLike<number>,
  settings: Sampling,
  uniforms: readonly number[],
): { readonly exact: number[]; readonly possible: Set<number>[] } {
  const shifts = [0, -1e-5, 1e-5]
  const topPs = settings.topP < 1 ? shifts.map((shift) => settings.topP + shift) : [settings.topP]
  const minPs = settings.minP > 0 ? shifts.map((shift) => settings.minP * (1 + shift)) : [0]
  const kept = topPs.flatMap((topP) =>
    minPs.map((minP) => keptReference(logits, { ...settings, topP, minP })),
  )
  return {
    exact: uniforms.map((uniform) => drawReference(kept[0]!, uniform)),
    possible: uniforms.map(
      (uniform) => new Set(kept.flatMap((set) => shifts.map((shift) => drawReference(set, uniform + shift)))),
    ),
  }
}

describe('sample_token', () => {
  test.each(sampleTokenCases)(
    '$cases cases over $vocabulary tokens agree with the reference, seed $seed',
    async ({ vocabulary, cases, seed }) => {
      const random = new Random(seed)
      const draws = 12
      const rig = await createRig(vocabulary, 1 + draws)
      let exact = 0
      for (let index = 0; index < cases; index++) {
        const logits = logitsOf(random, vocabulary)
        const settings = settingsOf(random)
        const uniforms = Array.from({ length: draws }, (_, position) =>
          uniformReference(settings.seed, position),
        )
        const expected = possibleTokens(logits, settings, uniforms)
        const actual = await rig.run(logits, settings, { draws })
        actual.forEach((token, draw) => {
          expect(expected.possible[draw], `case ${index}, ${JSON.stringify(settings)}`).toContain(token)
          if (token === expected.exact[draw]) exact++
        })
      }
      expect(exact / (cases * draws)).toBeGreaterThan(0.98)
    },
  )

  test.each([
    { topK: 5 },
    { topP: 0.6 },
    { minP: 0.2 },
    { topK: 12, topP: 0.8, minP: 0.05, temperature: 1.5 },
    { topK: 1 },
    { topP: 0 },
    { minP: 1 },
  ])('draws everything that is kept and nothing else with %o, seed 20', async (settings) => {
    const rig = await createRig(320, 401)
    const logits = normals(20, 320)
    const sampling = { ...NEUTRAL, temperature: 0.5, ...settings }
    const { ids } = keptReference(logits, sampling)
    const drawn = await rig.run(logits, sampling, { draws: 400 })
    expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual(ids)
  })

  test('top-k keeps all that equal the last one, seed 21', async () => {
    const rig = await createRig(50, 401)
    const logits = Float32Array.from({ length: 50 }, (_, id) => (id % 10 === 3 ? 2 : 0))
    logits[7] = 3
    const drawn = await rig.run(logits, { ...NEUTRAL, topK: 2 }, { draws: 400 })
    expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual([3, 7, 13, 23, 33, 43])
  })

  test('top-k tells apart what differs in the last bits only', async () => {
    const rig = await createRig(256, 201)
    const logits = new Float32Array(256).fill(-30)
    const ids = Array.from({ length: 12 }, (_, rank) => 21 * rank + 3)
    ids.forEach((id, rank) => (logits[id] = 1 + rank * 2 ** -23))
    const drawn = await rig.run(logits, { ...NEUTRAL, topK: 5 }, { draws: 200 })
    expect([...new Set(drawn)].toSorted((x, y) => x - y)).toEqual(ids.slice(-5))
  })

  test('logits that rule a token out are never drawn, seed 22', async () => {
    const rig = await createRig(7, 301)
    const logits = Float32Array.of(-3e38, 1, -3e38, 2, -3e38, -100, 1.5)
    const drawn = await rig.run(logits, NEUTRAL, { draws: 300 })
    expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual([1, 3, 6])
  })

  test('minus infinity rules a token out too', async () => {
    const rig = await createRig(7, 301)
    const logits = Float32Array.of(-Infinity, 1, -Infinity, 2, -Infinity, -100, 1.5)
    const drawn = await rig.run(logits, NEUTRAL, { draws: 300 })
    expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual([1, 3, 6])
    expect(await rig.run(logits, GREEDY, { draws: 1 })).toEqual([3])
  })

  test('guidance leads to nothing that is unlikely without it, seed 28', async () => {
    const random = new Random(28)
    const rig = await createRig(320, 2)
    for (let index = 0; index < 60; index++) {
      const [logits, beside] = [normals(random.nextU32(), 320), normals(random.nextU32(), 320, 3)]
      const settings = { ...settingsOf(random), guidance: 2 * random.nextUniform() + 0.1 }
      const none = { guidance: settings.guidance, penalty: 1, bonus: 0 }
      const { logits: adjusted } = adjustLogitsReference(logits, beside, new Uint8Array(320), new Set(), none)
      const left = plausibleReference(adjusted, logits, new Set(), LEAST_BEFORE_GUIDANCE)
      const [drawn] = await rig.run(logits, settings, { draws: 1, beside })
      const { possible } = possibleTokens(left, settings, [uniformReference(settings.seed, 0)])
      expect(possible[0], `case ${index}, ${JSON.stringify(settings)}`).toContain(drawn)
      const [likeliest] = await rig.run(logits, { ...GREEDY, guidance: 1 }, { draws: 1, beside })
      const one = adjustLogitsReference(logits, beside, new Uint8Array(320), new Set(), {
        ...none,
        guidance: 1,
      })
      const kept = plausibleReference(one.logits, logits, new Set(), LEAST_BEFORE_GUIDANCE)
      expect(likeliest).toBe(kept.indexOf(Math.max(...kept)))
    }
  })

  test.each([NaN, -NaN, Infinity])(
    'there is no token where a logit is %d, and nothing follows',
    async (bad) => {
      const device = await testDevice()
      const rig = await createRig(700, 8)
      for (const settings of [GREEDY, NEUTRAL, { ...NEUTRAL, topK: 5, topP: 0.5 }]) {
        const logits = normals(3, 700)
        logits[640] = bad
        expect(await rig.run(logits, settings, { draws: 2, prompt: [9, 4] })).toEqual([UNTOUCHED, UNTOUCHED])
        expect((await readWords(device, rig.results)).slice(1, 3)).toEqual([NO_TOKEN, NO_TOKEN])
        expect(
          (await readWords(device, rig.counts)).every((count, id) => count === 0 || [4, 9].includes(id)),
        ).toBe(true)
      }
      expect(await rig.run(normals(3, 700), GREEDY, { draws: 1, prompt: [9, 4] })).not.toEqual([UNTOUCHED])
      const forbidden = new Float32Array(700).fill(-Infinity)
      await rig.run(forbidden, NEUTRAL, { draws: 1, prompt: [9, 4] })
      expect((await readWords(device, rig.results))[1]).toBe(NO_TOKEN)
    },
  )

  // The bounds are the 99.9th percentiles of χ² with as many degrees of freedom as tokens less one.
  test.each([
    { vocabulary: 7, topK: 0, bound: 22.46 },
    { vocabulary: 320, topK: 20, bound: 43.82 },
  ])('4,000 draws out of $vocabulary follow the probabilities', async ({ vocabulary, topK, bound }) => {
    const rig = await createRig(vocabulary, 4001)
    const logits = normals(23, vocabulary, 0.7)
    const sampling = { ...NEUTRAL, topK, seed: 5 }
    const { ids, probabilities } = keptReference(logits, sampling)
    const drawn = await rig.run(logits, sampling, { draws: 4000 })
    const statistic = ids.reduce((sum, id, index) => {
      const expected = 4000 * probabilities[index]!
      return sum + (drawn.filter((token) => token === id).length - expected) ** 2 / expected
    }, 0)
    expect(ids).toHaveLength(topK || vocabulary)
    expect(statistic).toBeLessThan(bound)
  })

  test('equal seeds give equal tokens, other seeds others, seed 24', async () => {
    const rig = await createRig(4096, 65)
    const logits = normals(24, 4096)
    const sampling = { ...NEUTRAL, topP: 0.95, minP: 0.01 }
    const first = await rig.run(logits, sampling, { draws: 64 })
    const other = await rig.run(logits, { ...sampling, seed: 12 }, { draws: 64 })
    expect(await rig.run(logits, sampling, { draws: 64 })).toEqual(first)
    expect(other).not.toEqual(first)
  })

  test('temperature 0 takes the lowest id of the largest logits, seed 25', async () => {
    const rig = await createRig(5000, 3)
    const logits = normals(25, 5000).map((value) => Math.min(value, 2))
    expect(await rig.run(logits, GREEDY, { draws: 2 })).toEqual([logits.indexOf(2), logits.indexOf(2)])
  })

  test('counts, history, step, tokens and results follow, seed 26', async () => {
    const device = await testDevice()
    const rig = await createRig(320, 64)
    const prompt = [5, 6, 7, 5, 5, 8, 9, 10]
    const window = 6
    const sampling = { ...NEUTRAL, topK: 8, repetitionWindow: window }
    const drawn = await rig.run(normals(26, 320), sampling, { draws: 30, prompt })
    const all = [...prompt, ...drawn]
    const counts = Array.from({ length: 320 }, (_, id) => all.slice(-window).filter((t) => t === id).length)
    expect(await readWords(device, rig.counts)).toEqual(counts)
    expect((await readWords(device, rig.history)).slice(0, all.length)).toEqual(all)
    expect((await readWords(device, rig.tokens)).slice(0, 2)).toEqual([drawn.at(-1), drawn.at(-1)])
    const last = prompt.length - 1 + drawn.length
    const results = await readWords(device, rig.results)
    for (let position = last - RESULT_RING; position < last; position++) {
      expect(results[position % RESULT_RING]).toBe(all[position + 1])
    }
    const step = await readStep(device, rig)
    expect([step[0], step[1], step[2], step[5]]).toEqual([2, last, 2, 77 + drawn.length])
  })

  test('the penalty sees exactly the window', async () => {
    const rig = await createRig(4, 32)
    // Tokens 0 and 1 are in the window and lose to 2; 3 has left it; then 0 leaves and 2 enters.
    const logits = Float32Array.of(4, 3.9, 3.8, 0.1)
    const device = await testDevice()
    const sampling = { ...GREEDY, repetitionPenalty: 2, repetitionWindow: 2 }
    const drawn = await rig.run(logits, sampling, { draws: 1, prompt: [3, 0, 1] })
    expect(drawn).toEqual([2])
    expect(await readWords(device, rig.counts)).toEqual([0, 1, 1, 0])
  })

  test('nothing is written beyond the history’s end', async () => {
    const device = await testDevice()
    const rig = await createRig(7, 3)
    await rig.run(normals(27, 7), NEUTRAL, { draws: 9 })
    expect(await readWords(device, rig.history)).toHaveLength(3)
    expect((await readStep(device, rig))[1]).toBe(9)
  })

  test('refuses shapes and settings that do not fit', async () => {
    const device = await testDevice()
    const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
    const tensors = {
      sampling: create(SAMPLING_WORDS),
      logits: create(1, 7),
      partials: create(2, PARTIAL_GROUPS, 2),
      counts: create(6),
      history: create(5),
      step: uploadTensor(device, [5], new Uint32Array(5), 'step'),
      tokens: create(1),
      results: create(RESULT_RING),
    }
    await expect(sampleToken(device, tensors)).rejects.toMatchObject({ code: 'shape-mismatch' })
    for (const wrong of [{ temperature: -1 }, { topP: NaN }, { topK: 1.5 }, { repetitionPenalty: 0 }]) {
      expect(() => packSampling({ ...NEUTRAL, ...wrong }, 1)).toThrow('expected')
    }
  })
})
