import { floatToHalf } from '../core/half.ts'
import type { WeightMatrix } from '../model/decoder/decoder.ts'
import { isColumnMajor, readMatrix, readRaw } from '../model/decoder/dequantise.ts'

/**
 * How a linear layer's weights stand in the graph: as they are, or as unsigned bytes with one scale a column, whose
 * inputs are quantised as they come, row by row.
 */
export type WeightForm = 'float32' | 'uint8'

/** A matrix in 8 bits: w[n, k] ≈ (codes[k, n] − 128) · scales[n]. */
export interface ByteMatrix {
  /** [in, out] */
  readonly codes: Uint8Array
  /** [out] */
  readonly scales: Float32Array
}

/** What `ByteMatrix` subtracts from each code. */
export const BYTE_ZERO = 128
const LARGEST_CODE = 127

/** Rows that are turned into columns together, so that neighbours are written one behind the other. */
const TURNED_ROWS = 64

/** Dequantised values of one piece: 4 MB as float32. */
const PIECE_VALUES = 2 ** 20

/** Dequantises a matrix a few rows at a time; `take` gets rows [first, first + rows.length / in). */
async function eachPiece(
  matrix: WeightMatrix,
  take: (rows: Float32Array, first: number) => void,
): Promise<void> {
  // Columns that lie apart cannot be read a few at a time.
  const step = isColumnMajor(matrix) ? matrix.out : Math.max(1, Math.floor(PIECE_VALUES / matrix.in))
  for (let first = 0; first < matrix.out; first += step) {
    const out = Math.min(step, matrix.out - first)
    take(await readMatrix({ ...matrix, out, firstOut: matrix.firstOut + first }), first)
  }
}

/** @returns the matrices below each other, [Σ out, in]. */
export async function floatRows(matrices: readonly WeightMatrix[]): Promise<Float32Array> {
  const width = matrices[0]?.in ?? 0
  const values = new Float32Array(width * matrices.reduce((sum, { out }) => sum + out, 0))
  let base = 0
  for (const matrix of matrices) {
    const start = base
    await eachPiece(matrix, (rows, first) => values.set(rows, start + first * width))
    base += matrix.out * width
  }
  return values
}

/** @returns the bits of the values rounded to float16, [out, in]. */
export async function halfRows(matrix: WeightMatrix): Promise<Uint16Array> {
  const { stored, out, firstOut, in: width } = matrix
  if (stored.kind === 'float' && stored.layout === 'out-in' && stored.values.dataType === 'f16') {
    const raw = await readRaw(stored.values, firstOut * width, out * width)
    if (raw instanceof Uint16Array) return raw
  }
  const halves = new Uint16Array(out * width)
  await eachPiece(matrix, (rows, first) => {
    const base = first * matrix.in
    for (let i = 0; i < rows.length; i++) halves[base + i] = floatToHalf(rows[i] ?? 0)
  })
  return halves
}

/** @returns the matrices beside each other, each column quantised to its own largest magnitude. */
export async function byteColumns(matrices: readonly WeightMatrix[]): Promise<ByteMatrix> {
  const width = matrices[0]?.in ?? 0
  const out = matrices.reduce((sum, matrix) => sum + matrix.out, 0)
  const codes = new Uint8Array(width * out)
  const scales = new Float32Array(out)
  let base = 0
  for (const matrix of matrices) {
    const start = base
    await eachPiece(matrix, (rows, first) => {
      for (let row = 0; row * width < rows.length; row += TURNED_ROWS) {
        const some = rows.subarray(row * width, (row + TURNED_ROWS) * width)
        quantiseRows(some, width, { codes, scales }, start + first + row)
      }
    })
    base += matrix.out
  }
  return { codes, scales }
}

/** Writes a few rows, each quantised to its own largest magnitude, to the columns from `column` on. */
function quantiseRows(
  rows: Float32Array,
  width: number,
  { codes, scales }: ByteMatrix,
  column: number,
): void {
  const count = rows.length / width
  const lying = new Uint8Array(rows.length)
  for (let row = 0; row < count; row++) {
    const first = row * width
    let largest = 0
    for (let k = 0; k < width; k++) largest = Math.max(largest, Math.abs(rows[first + k] ?? 0))
    const scale = largest / LARGEST_CODE || 1
    for (let k = 0; k < width; k++) {
      lying[first + k] = Math.round((rows[first + k] ?? 0) / scale) + BYTE_ZERO
    }
    scales[column + row] = scale
  }
  for (let k = 0; k < width; k++) {
    const to = k * scales.length + column
    for (let row = 0; row < count; row++) codes[to + row] = lying[row * width + k] ?? 0
  }
}
