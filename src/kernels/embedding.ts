import code from '../../shaders/embedding.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { formatOverrides } from './operands/packedMatrix.ts'
import type { PackedMatrix } from './operands/packedMatrix.ts'
import { expectColumns } from './operands/shapes.ts'

export const embeddingKernel = defineKernel({
  name: 'embedding',
  code,
  uniforms: {
    columns: 'u32',
    row_words: 'u32',
    block_size: 'u32',
    row_blocks: 'u32',
    y_stride: 'u32',
    factor: 'f32',
    first: 'u32',
    count: 'u32',
  },
  bindings: ['tokens', 'weights', 'scales', 'zeros', 'y'],
})

/**
 * Token embedding: `y[r, c] = factor · table[token[r] − first, c]` of the rows whose tokens the table has; others stay.
 *
 * @param first the token of the table's first row.
 * @param tensors `tokens` [rows] u32, `y` [rows, stride]; `table` [vocabulary, hidden].
 * @throws HycoraError `shape-mismatch` when `y` is narrower than the table.
 */
export function embedding(
  device: GPUDevice,
  table: PackedMatrix,
  tensors: { readonly tokens: Tensor; readonly y: Tensor },
  { factor = 1, first = 0 }: { readonly factor?: number; readonly first?: number } = {},
): Promise<Dispatch> {
  const { tokens, y } = tensors
  const stride = expectColumns('y', y, table.in)
  return bindKernel(
    device,
    embeddingKernel,
    { tokens, weights: table.weights, scales: table.scales, zeros: table.zeros, y },
    {
      columns: table.in,
      row_words: table.rowWords,
      block_size: Math.max(1, table.blockSize),
      row_blocks: table.rowBlocks,
      y_stride: stride,
      factor,
      first,
      count: table.out,
    },
    { workgroups: (rows) => [...exactGrid(rows), 1], overrides: formatOverrides(table) },
  )
}
