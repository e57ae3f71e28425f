/** One row (token) of a pass: where it stands, which adapter it plays, and how strongly. */
export interface StepRow {
  /** In its sequence, from 0. */
  readonly position: number
  /** Of the adapter's buffers. */
  readonly slot: number
  /** Of the adapter's part; with 0 the row plays no role. */
  readonly scale: number
  /** Of the cache; 0 where left out. */
  readonly sequence?: number
}

const ROW_WORDS = 4

/** 32-bit words of a `step` buffer for so many rows. */
export function stepWords(rows: number): number {
  return 1 + ROW_WORDS * rows
}

/**
 * Packs rows as `struct Step` of the shaders has them: how many there are (u32), then position (u32), slot (u32),
 * scale (f32) and sequence (u32) of each.
 */
export function packRows(rows: readonly StepRow[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(4 * stepWords(rows.length)))
  view.setUint32(0, rows.length, true)
  rows.forEach(({ position, slot, scale, sequence = 0 }, row) => {
    const at = 4 * stepWords(row)
    view.setUint32(at, position, true)
    view.setUint32(at + 4, slot, true)
    view.setFloat32(at + 8, scale, true)
    view.setUint32(at + 12, sequence, true)
  })
  return view.buffer
}
