import { describe, expect, test } from 'vitest'

import { GREEDY, LEAST_BEFORE_GUIDANCE } from '../../../src/core/sampling.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { PARTIAL_GROUPS, SAMPLING_WORDS } from '../../../src/kernels/adjustLogits.ts'
import { ruleOut } from '../../../src/kernels/ruleOut.ts'
import { NO_TOKEN, packSampling } from '../../../src/kernels/sampleToken.ts'
import { adjustLogitsCases } from '../../cases/adjustLogits.ts'
import { HIGHEST, plausibleReference } from '../../reference/adjustLogits.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

/** The largest of each group of ids, with its id, as words: the lowest id of equal ones, the last id where a group is empty. */
function partialsOf(values: Float32Array): Uint32Array<ArrayBuffer> {
  const largest = new Float32Array(2 * PARTIAL_GROUPS)
  const words = new Uint32Array(largest.buffer)
  for (let group = 0; group < PARTIAL_GROUPS; group++) {
    let best = -3e38
    let id = values.length - 1
    for (let v = group; v < values.length; v += PARTIAL_GROUPS) {
      if (values[v]! > best) [best, id] = [values[v]!, v]
    }
    largest[2 * group] = best
    words[2 * group + 1] = id
  }
  return words
}

async function run(adjusted: Float32Array<ArrayBuffer>, own: Float32Array<ArrayBuffer>, refused?: number) {
  const device = await testDevice()
  const vocabulary = own.length
  const logits = createGuarded(device, [2, vocabulary], 'logits')
  device.queue.writeBuffer(logits.buffer, 0, adjusted)
  device.queue.writeBuffer(logits.buffer, 4 * vocabulary, own)
  const partials = createGuarded(device, [2, PARTIAL_GROUPS, 2], 'partials')
  const given = partialsOf(own.map((value) => (value === HIGHEST ? -3e38 : value)))
  if (refused !== undefined) given[2 * refused + 1] = NO_TOKEN
  device.queue.writeBuffer(partials.buffer, 8 * PARTIAL_GROUPS, given)
  const words = new Uint32Array(packSampling({ ...GREEDY, guidance: 1 }, 1))
  const sampling = uploadTensor(device, [SAMPLING_WORDS], words, 'sampling')
  submit(device, [await ruleOut(device, { sampling, logits, partials })], 1)
  const all = await readGuarded(device, logits)
  const halves = (await readGuarded(device, partials)).slice()
  const left = new Uint32Array(halves.buffer)
  expect(left.subarray(2 * PARTIAL_GROUPS)).toEqual(given)
  expect(all.slice(vocabulary)).toEqual(own)
  return { logits: all.slice(0, vocabulary), partials: left.slice(0, 2 * PARTIAL_GROUPS) }
}

describe('rule_out', () => {
  test.each(adjustLogitsCases)('$vocabulary logits, seed $seed', async ({ vocabulary, seed }) => {
    const adjusted = normals(seed, vocabulary, 4)
    const own = normals(seed + 300, vocabulary, 2)
    const raised = vocabulary > 1 ? [vocabulary - 1] : []
    const kept = own.map((value, v) => (raised.includes(v) ? HIGHEST : value))
    const before = own.map((value, v) => (raised.includes(v) ? -3e38 : value))
    const expected = plausibleReference(adjusted, before, new Set(raised), LEAST_BEFORE_GUIDANCE)
    const actual = await run(adjusted, kept)
    expect(actual.logits).toEqual(Float32Array.from(expected))
    expect(actual.partials).toEqual(partialsOf(Float32Array.from(expected)))
  })

  test('where a logit is no number, every group says so', async () => {
    const { partials } = await run(normals(1, 3000), normals(2, 3000), 700)
    for (let group = 0; group < PARTIAL_GROUPS; group++) expect(partials[2 * group + 1]).toBe(NO_TOKEN)
  })

  test('refuses shapes that do not fit', async () => {
    const device = await testDevice()
    const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
    const tensors = {
      sampling: create(SAMPLING_WORDS),
      logits: create(2, 7),
      partials: create(2, PARTIAL_GROUPS, 2),
    }
    await ruleOut(device, tensors)
    for (const wrong of [
      { logits: create(1, 7) },
      { partials: create(PARTIAL_GROUPS, 2) },
      { sampling: create(10) },
    ]) {
      await expect(ruleOut(device, { ...tensors, ...wrong })).rejects.toMatchObject({
        code: 'shape-mismatch',
      })
    }
  })
})
