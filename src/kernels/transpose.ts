import code from '../../shaders/transpose.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const transposeKernel = defineKernel({
  name: 'transpose',
  code,
  uniforms: {
    lines: 'u32',
    x_columns: 'u32',
    first_column: 'u32',
    out: 'u32',
    first_out: 'u32',
    row_words: 'u32',
    first_word: 'u32',
    words: 'u32',
  },
  bindings: ['x', 'y'],
})

/** Which lines of a matrix are turned, and where they come to lie. */
export interface TransposedLines {
  readonly lines: number
  readonly xColumns: number
  readonly firstColumn: number
  readonly out: number
  readonly firstOut: number
  readonly rowWords: number
  /** Of each row the words that are written; past the last line they are zero. */
  readonly firstWord: number
  readonly words: number
  /** Bits of an element of `x` and of `y`, each a divisor of 32, the second no smaller. */
  readonly fromBits: number
  readonly toBits: number
}

/**
 * Transposes columns of lines of a stored matrix into zero-padded rows: `y[firstOut + n, first + k] = x[k, firstColumn + n]`,
 * first the elements before `firstWord`.
 *
 * @param tensors `x` [lines, xColumns], elements side by side; writes `y` [≥ firstOut + out, rowWords] words.
 */
export function transpose(
  device: GPUDevice,
  tensors: { readonly x: Tensor; readonly y: Tensor },
  shape: TransposedLines,
): Promise<Dispatch> {
  return bindKernel(
    device,
    transposeKernel,
    tensors,
    {
      lines: shape.lines,
      x_columns: shape.xColumns,
      first_column: shape.firstColumn,
      out: shape.out,
      first_out: shape.firstOut,
      row_words: shape.rowWords,
      first_word: shape.firstWord,
      words: shape.words,
    },
    {
      workgroups: () => [
        Math.ceil(shape.words / 64),
        Math.min(shape.out, 32768),
        Math.ceil(shape.out / 32768),
      ],
      overrides: { FROM_BITS: shape.fromBits, TO_BITS: shape.toBits },
    },
  )
}
