import { describe, expect, test } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { PARTIAL_GROUPS, penaliseLogits } from '../../../src/kernels/penaliseLogits.ts'
import { packSampling } from '../../../src/kernels/sampleToken.ts'
import { penaliseLogitsCases } from '../../cases/penaliseLogits.ts'
import { penaliseLogitsReference } from '../../reference/penaliseLogits.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

async function run(logits: Float32Array<ArrayBuffer>, counts: Uint32Array<ArrayBuffer>, penalty: number) {
  const device = await testDevice()
  const vocabulary = logits.length
  const settings = packSampling({ ...GREEDY, repetitionPenalty: penalty })
  const guarded = createGuarded(device, [1, vocabulary], 'logits')
  device.queue.writeBuffer(guarded.buffer, 0, logits)
  const partials = createGuarded(device, [PARTIAL_GROUPS, 2], 'partials')
  const dispatch = await penaliseLogits(device, {
    sampling: uploadTensor(device, [8], new Uint32Array(settings), 'sampling'),
    counts: uploadTensor(device, [vocabulary], counts, 'counts'),
    logits: guarded,
    partials,
  })
  submit(device, [dispatch], 1)
  const words = (await readGuarded(device, partials)).slice()
  const ids = new Uint32Array(words.buffer)
  const pairs = Array.from({ length: PARTIAL_GROUPS }, (_, group) => ({
    value: words[2 * group]!,
    id: ids[2 * group + 1]!,
  }))
  const [first] = pairs.toSorted((a, b) => b.value - a.value || a.id - b.id)
  return { logits: await readGuarded(device, guarded), first: first! }
}

describe('penalise_logits', () => {
  test.each(penaliseLogitsCases)('$vocabulary logits, seed $seed', async ({ vocabulary, seed }) => {
    const logits = normals(seed, vocabulary, 4)
    const counts = Uint32Array.from(normals(seed + 100, vocabulary), (value) => (value > 0.5 ? 2 : 0))
    const expected = penaliseLogitsReference(logits, counts, 1.3)
    const actual = await run(logits, counts, 1.3)
    expect(nmse(actual.logits, expected.logits)).toBeLessThanOrEqual(1e-10)
    expect(actual.first).toEqual({ value: actual.logits[expected.largest], id: expected.largest })
  })

  test('a penalty of 1 changes no bit, and the lowest id of equal logits is the largest', async () => {
    const logits = normals(8, 5000).map((value) => Math.min(value, 1))
    const actual = await run(logits, new Uint32Array(5000).fill(1), 1)
    expect(actual.logits).toEqual(logits)
    expect(actual.first).toEqual({ value: 1, id: logits.indexOf(1) })
  })

  test('refuses shapes that do not fit', async () => {
    const device = await testDevice()
    const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
    const tensors = {
      sampling: create(8),
      counts: create(6),
      logits: create(1, 7),
      partials: create(PARTIAL_GROUPS, 2),
    }
    await expect(penaliseLogits(device, tensors)).rejects.toMatchObject({ code: 'shape-mismatch' })
  })
})
