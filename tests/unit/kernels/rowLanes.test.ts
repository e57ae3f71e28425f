import { expect, test } from 'vitest'

import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import { lanesOfRow } from '../../../src/kernels/operands/rowLanes.ts'

test.each([
  // A head; hidden sizes of the starter, SmolLM2 and models of half a billion to one and a half billion numbers.
  [64, 32],
  [128, 32],
  [256, 64],
  [576, 256],
  [896, 256],
  [1536, 256],
  [2048, 256],
])('a row of %d columns is normalised by %d lanes on a card', (columns, lanes) => {
  expect(lanesOfRow(columns, CARD.normLanes)).toBe(lanes)
  expect(lanesOfRow(columns, EMULATED.normLanes)).toBe(32)
})

test('what is chosen smaller stays smaller', () => {
  expect(lanesOfRow(576, 16)).toBe(16)
})
