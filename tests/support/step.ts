import { uploadTensor } from '../../src/gpu/tensor.ts'
import type { Tensor } from '../../src/gpu/tensor.ts'

/** One row of a step: its position, the adapter slot that it plays and how strongly; scale 0 plays none. */
export interface StepRow {
  readonly position: number
  readonly slot: number
  readonly scale: number
}

/** The `step` buffer: the number of rows, then position, slot and scale of each. */
export function uploadStep(device: GPUDevice, rows: readonly StepRow[]): Tensor {
  const words = new Uint32Array(1 + 3 * rows.length)
  const floats = new Float32Array(words.buffer)
  words[0] = rows.length
  rows.forEach(({ position, slot, scale }, index) => {
    words[1 + 3 * index] = position
    words[2 + 3 * index] = slot
    floats[3 + 3 * index] = scale
  })
  return uploadTensor(device, [words.length], words, 'step')
}

/** Rows at successive positions that play slots 0, 1, … in turn, with different scales; every fourth plays none. */
export function mixedRows(count: number, slots: number, firstPosition = 0): StepRow[] {
  return Array.from({ length: count }, (_, row) => ({
    position: firstPosition + row,
    slot: row % slots,
    scale: row % 4 === 3 ? 0 : 0.5 + (row % 5),
  }))
}

/** The same rows with no role. */
export function withoutRoles(rows: readonly StepRow[]): StepRow[] {
  return rows.map(({ position }) => ({ position, slot: 0, scale: 0 }))
}
