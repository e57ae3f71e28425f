import { uploadTensor } from '../../src/gpu/tensor.ts'
import type { Tensor } from '../../src/gpu/tensor.ts'

/** One row of a step: its position, the adapter slot that it plays and how strongly; scale 0 plays none. */
export interface StepRow {
  readonly position: number
  readonly slot: number
  readonly scale: number
  /** Which sequence of the cache; 0 where left out. */
  readonly sequence?: number
}

/** The `step` buffer: the number of rows, then position, slot, scale and sequence of each. */
export function uploadStep(device: GPUDevice, rows: readonly StepRow[]): Tensor {
  const words = new Uint32Array(1 + 4 * rows.length)
  const floats = new Float32Array(words.buffer)
  words[0] = rows.length
  rows.forEach(({ position, slot, scale, sequence = 0 }, index) => {
    words[1 + 4 * index] = position
    words[2 + 4 * index] = slot
    floats[3 + 4 * index] = scale
    words[4 + 4 * index] = sequence
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
  return rows.map((row) => ({ ...row, slot: 0, scale: 0 }))
}

/** The rows of sequences one after the other, each from position 0 on and with a role of its own; every fourth has none. */
export function sequenceRows(lengths: readonly number[], slots: number): StepRow[] {
  return lengths.flatMap((length, sequence) =>
    Array.from({ length }, (_, position) => ({
      position,
      slot: sequence % slots,
      scale: sequence % 4 === 3 ? 0 : 0.5 + sequence,
      sequence,
    })),
  )
}
