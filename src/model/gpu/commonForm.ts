import type { BlockMatrix, WeightMatrix } from '../decoder/decoder.ts'
import { ELEMENT_BITS } from '../decoder/decoder.ts'

/** How matrices that stand side by side lie on the GPU. */
export type CommonForm =
  | { readonly kind: 'float'; readonly format: 'f32' | 'f16' | 'bf16' }
  | {
      readonly kind: 'blocks'
      readonly bits: 4 | 8
      readonly blockSize: number
      readonly levels: readonly number[] | null
    }

const FLOATS: CommonForm = { kind: 'float', format: 'f32' }

/** Kernels take whole 16-byte vectors of one block or two. */
const SMALLEST_BLOCK = 16
const LARGEST_BLOCK = 256

/** How a matrix is stored, for people. */
export function storedFormat({ stored, in: width }: WeightMatrix): string {
  if (stored.kind === 'float') return stored.values.dataType
  const kind = `${ELEMENT_BITS[stored.codes.dataType]}-bit ${stored.levels ? 'levels' : 'blocks'}`
  return stored.blockSize < width ? `${kind} of ${stored.blockSize}` : `${kind} of a row`
}

/** Bytes that a matrix takes as it is stored, without scales. */
export function storedBytes({ stored, out, in: width }: WeightMatrix): number {
  return (out * width * ELEMENT_BITS[(stored.kind === 'float' ? stored.values : stored.codes).dataType]) / 8
}

/**
 * The form in which all of some matrices are exact: floats as they are where all are of one type; blocks with as many
 * bits as the widest codes and blocks of which one or several are one of each; all else as float32.
 */
export function commonForm(matrices: readonly WeightMatrix[]): CommonForm {
  const floats = matrices.flatMap(({ stored }) => (stored.kind === 'float' ? [stored.values.dataType] : []))
  const [format] = floats
  if (floats.length === matrices.length) {
    const isOne = floats.every((other) => other === format)
    return isOne && (format === 'f16' || format === 'bf16') ? { kind: 'float', format } : FLOATS
  }
  const blocks = matrices.flatMap(({ stored }) => (stored.kind === 'blocks' ? [stored] : []))
  const levels = blocks[0]?.levels ?? null
  if (blocks.length < matrices.length || !blocks.every((stored) => isSameList(stored.levels, levels)))
    return FLOATS
  const bits = blocks.some(({ codes }) => codes.dataType === 'u8') ? 8 : 4
  const blockSize = commonBlock(blocks, matrices[0]?.in ?? 0)
  return blockSize < SMALLEST_BLOCK ? FLOATS : { kind: 'blocks', bits, blockSize, levels }
}

function isSameList(a: readonly number[] | null, b: readonly number[] | null): boolean {
  return a === b || (a !== null && b !== null && a.every((value, i) => value === b[i]))
}

/** The largest block that divides all of them and that kernels take; a block of a whole row divides into any. */
function commonBlock(blocks: readonly BlockMatrix[], width: number): number {
  const sizes = blocks.map(({ blockSize }) => blockSize).filter((size) => size < width)
  if (sizes.length === 0) return Math.ceil(width / 32) * 32
  let common = LARGEST_BLOCK
  while (sizes.some((size) => size % common !== 0)) common /= 2
  return common
}
