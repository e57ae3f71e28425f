import { uploadTensor } from '../../src/gpu/tensor.ts'
import type { Tensor } from '../../src/gpu/tensor.ts'
import { packRows } from '../../src/kernels/operands/stepRows.ts'
import type { StepRow } from '../../src/kernels/operands/stepRows.ts'

/** The `step` buffer of these rows. */
export function uploadStep(device: GPUDevice, rows: readonly StepRow[]): Tensor {
  const words = new Uint32Array(packRows(rows))
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
