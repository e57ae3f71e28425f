import { check } from '../../core/errors.ts'
import { sizeOf } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'

/** Which rows of x are read and where their results go, when x and y hold more than one matrix each. */
export interface LinearBlocks {
  readonly count: number
  /** Rows of one block, contiguous in x and in y. */
  readonly rows: number
  /** The first row of block 0 in x, and the distance in rows from one block's first row to the next. */
  readonly xFirstRow: number
  readonly xBlockRows: number
  /** The first float of slot 0 in y, and the distance in floats from one slot to the next. */
  readonly yOffset: number
  readonly yBlockStride: number
}

/** The tensors that both gradients of a linear layer read. */
export interface LinearGradient {
  /** The gradient of y, laid out as y. */
  readonly dy: Tensor
  /** y itself where the layer ends in a ReLU: where it is 0, nothing passes. */
  readonly gate?: Tensor
  /** u32 [1]: how many blocks are in use. */
  readonly count: Tensor
}

/**
 * Checks the sizes of a linear layer's gradient and gives its blocks as uniforms. Without `blocks` every row is a block of
 * its own, so that `count` counts rows.
 *
 * @param x the layer's input or its gradient, [x rows, inner].
 * @throws HycoraError `shape-mismatch` when a block lies outside of x or dy.
 */
export function placeBlocks(
  name: string,
  { dy, gate, count }: LinearGradient,
  x: Tensor,
  columns: number,
  blocks: LinearBlocks | undefined,
): Readonly<Record<'block_rows' | 'x_first_row' | 'x_block_rows' | 'y_offset' | 'y_block_stride', number>> {
  const demand = (condition: boolean, fact: () => string): void =>
    check(condition, 'shape-mismatch', () => `${name}: ${fact()}`)
  const xRows = sizeOf(x.shape) / (x.shape.at(-1) ?? 1)
  const placed = blocks ?? {
    count: xRows,
    rows: 1,
    xFirstRow: 0,
    xBlockRows: 1,
    yOffset: 0,
    yBlockStride: columns,
  }
  demand(
    placed.xFirstRow + (placed.count - 1) * placed.xBlockRows + placed.rows <= xRows,
    () => `the last block ends beyond the ${xRows} rows of x`,
  )
  const size = sizeOf(dy.shape)
  demand(
    placed.yOffset + (placed.count - 1) * placed.yBlockStride + placed.rows * columns <= size,
    () => `the last block ends beyond the ${size} elements of dy`,
  )
  demand(gate === undefined || sizeOf(gate.shape) === size, () => {
    return `gate has ${sizeOf(gate?.shape ?? [])} elements, dy has ${size}`
  })
  demand(sizeOf(count.shape) === 1, () => `count has ${sizeOf(count.shape)} elements, expected 1`)
  return {
    block_rows: placed.rows,
    x_first_row: placed.xFirstRow,
    x_block_rows: placed.xBlockRows,
    y_offset: placed.yOffset,
    y_block_stride: placed.yBlockStride,
  }
}
