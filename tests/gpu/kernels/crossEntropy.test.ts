import { describe, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { crossEntropy } from '../../../src/kernels/crossEntropy.ts'
import { crossEntropyReference } from '../../reference/crossEntropy.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** 1; odd; a workgroup ± 1; several; the starter's, SmolLM2's and Gemma 3's vocabulary; logits far apart and far out. */
const cases = [
  { rows: 1, vocabulary: 1, spread: 1, shift: 0, seed: 1110 },
  { rows: 3, vocabulary: 7, spread: 1, shift: 0, seed: 1111 },
  { rows: 2, vocabulary: 255, spread: 3, shift: 0, seed: 1112 },
  { rows: 5, vocabulary: 256, spread: 3, shift: -1000, seed: 1113 },
  { rows: 2, vocabulary: 257, spread: 30, shift: 500, seed: 1114 },
  { rows: 33, vocabulary: 4096, spread: 3, shift: 0, seed: 1115 },
  { rows: 2, vocabulary: 49_152, spread: 3, shift: 10, seed: 1116 },
  { rows: 1, vocabulary: 262_144, spread: 3, shift: 0, seed: 1117 },
]

describe.each(cases)(
  '[$rows, $vocabulary], spread $spread around $shift, seed $seed',
  ({ rows, vocabulary, spread, shift, seed }) => {
    const random = new Random(seed)
    const logits = normals(seed + 1, rows * vocabulary, spread).map((value) => value + shift)
    const targets = Uint32Array.from({ length: rows }, () => random.nextBelow(vocabulary))
    const weights = normals(seed + 2, rows)

    test('gives losses and their gradients, the rows that were not asked for untouched', async () => {
      const tensors = {
        targets: uploadTensor(device, [rows + 1], Uint32Array.of(...targets, 0), 'targets'),
        weights: uploadTensor(device, [rows + 1], Float32Array.of(...weights, 1), 'weights'),
        logits: createGuarded(device, [rows + 1, vocabulary], 'logits'),
        loss: createGuarded(device, [rows + 1], 'loss'),
      }
      device.queue.writeBuffer(tensors.logits.buffer, 0, logits)
      submit(device, [await crossEntropy(device, tensors)], rows)
      const gradient = await readGuarded(device, tensors.logits)
      const loss = await readGuarded(device, tensors.loss)
      const expected = crossEntropyReference(logits, targets, weights)
      // A vocabulary of one leaves nothing to lose: both are exactly zero.
      expect(nmse(loss.subarray(0, rows), expected.loss)).toBeLessThanOrEqual(1e-10)
      expect(nmse(gradient.subarray(0, rows * vocabulary), expected.gradient)).toBeLessThanOrEqual(1e-10)
      const untouched = [...gradient.slice(rows * vocabulary), loss[rows]!]
      expectUntouched(Float32Array.from(untouched))
    })
  },
)
