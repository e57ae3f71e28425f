import code from '../../shaders/linear.wgsl?raw'
import directCode from '../../shaders/linear_direct.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { LinearBlocks } from './operands/linearBlocks.ts'

const uniforms = {
  rows: 'u32',
  columns: 'u32',
  inner: 'u32',
  block_rows: 'u32',
  x_first_row: 'u32',
  x_block_rows: 'u32',
  y_offset: 'u32',
  y_block_stride: 'u32',
  has_bias: 'u32',
  has_residual: 'u32',
  has_slots: 'u32',
  relu: 'u32',
  scale: 'f32',
} as const
const bindings = ['x', 'weight', 'bias', 'residual', 'slots', 'y'] as const

export const linearKernel = defineKernel({ name: 'linear', code, uniforms, bindings })

export const linearDirectKernel = defineKernel({
  name: 'linear_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** In `slots`: this block's rows are written nowhere. */
export const NOWHERE = 0xffffffff

export interface LinearOptions {
  readonly relu?: boolean
  readonly scale?: number
  /** Without it every row of x gives the same row of y. */
  readonly blocks?: LinearBlocks
}

interface LinearTensors {
  readonly x: Tensor
  readonly weight: Tensor
  readonly bias?: Tensor
  readonly residual?: Tensor
  readonly slots?: Tensor
  readonly y: Tensor
}

const PLANS = {
  tile: { kernel: linearKernel, side: 64 },
  direct: { kernel: linearDirectKernel, side: 32 },
} as const

function demand(condition: boolean, fact: () => string): void {
  check(condition, 'shape-mismatch', () => `linear: ${fact()}`)
}

/**
 * A linear layer with an epilogue: `y[r, o] = residual[r, o] + scale · act(Σ_i x[r, i] · weight[o, i] + bias[o])`.
 *
 * With `blocks`, block b of rows is read from x at row `xFirstRow + b · xBlockRows` and written contiguously to y at
 * float `yOffset + s · yBlockStride`, where s is `slots[b]`, or b without `slots`. `rows` of the dispatch counts the rows
 * of all blocks that are wanted; what a last tile computes beyond them is stored only where `slots` says so.
 *
 * @param tensors `x` [rows, in], `weight` [out, in], `bias` [out], `residual` laid out as y, `slots` u32 [blocks] of slot
 * numbers or `NOWHERE`; writes `y` [rows, out], or the places that `blocks` names.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above or a block lies outside of x or y.
 */
export async function linear(
  { device, tuning }: TunedDevice,
  tensors: LinearTensors,
  { relu = false, scale = 1, blocks }: LinearOptions = {},
): Promise<Dispatch> {
  const { x, weight, bias, residual, slots, y } = tensors
  const [columns = 0, inner = 0] = weight.shape
  const { count, rows, xFirstRow, xBlockRows, yOffset, yBlockStride } = placeRows(tensors, blocks)
  const { kernel, side } = PLANS[tuning.manyRows]
  return bindKernel(
    device,
    kernel,
    // WebGPU wants every binding filled; what a flag switches off is never read.
    { x, weight, bias: bias ?? weight, residual: residual ?? x, slots: slots ?? weight, y },
    {
      rows: count * rows,
      columns,
      inner,
      block_rows: rows,
      x_first_row: xFirstRow,
      x_block_rows: xBlockRows,
      y_offset: yOffset,
      y_block_stride: yBlockStride,
      has_bias: Number(bias !== undefined),
      has_residual: Number(residual !== undefined),
      has_slots: Number(slots !== undefined),
      relu: Number(relu),
      scale,
    },
    { workgroups: (wanted) => [Math.ceil(columns / side), Math.ceil(wanted / side), 1] },
  )
}

/** Checks the shapes and gives the blocks; without any, all of x is one that goes to the same rows of y. */
function placeRows(
  { x, weight, bias, residual, slots, y }: LinearTensors,
  blocks: LinearBlocks | undefined,
): LinearBlocks {
  const [columns = 0, inner = 0] = weight.shape
  demand(
    weight.shape.length === 2 && x.shape.at(-1) === inner,
    () =>
      `x [${x.shape.join(', ')}] and weight [${weight.shape.join(', ')}], expected [rows, in] and [out, in]`,
  )
  const xRows = sizeOf(x.shape) / inner
  demand(
    bias === undefined || sizeOf(bias.shape) === columns,
    () => `bias has ${sizeOf(bias?.shape ?? [])} elements, expected ${columns}`,
  )
  demand(
    residual === undefined || sizeOf(residual.shape) === sizeOf(y.shape),
    () => `residual has ${sizeOf(residual?.shape ?? [])} elements, y has ${sizeOf(y.shape)}`,
  )
  demand(
    blocks !== undefined || (slots === undefined && sizeOf(y.shape) === xRows * columns),
    () => `y [${y.shape.join(', ')}], expected [${xRows}, ${columns}] and no slots without blocks`,
  )
  const placed = blocks ?? {
    count: 1,
    rows: xRows,
    xFirstRow: 0,
    xBlockRows: 0,
    yOffset: 0,
    yBlockStride: 0,
  }
  const { count, rows, xFirstRow, xBlockRows, yOffset, yBlockStride } = placed
  demand(
    slots === undefined || sizeOf(slots.shape) === count,
    () => `slots has ${sizeOf(slots?.shape ?? [])} elements, expected ${count}`,
  )
  demand(
    xFirstRow + (count - 1) * xBlockRows + rows <= xRows,
    () => `the last block ends beyond the ${xRows} rows of x`,
  )
  const lastSlot = slots === undefined ? count - 1 : 0
  demand(
    yOffset + lastSlot * yBlockStride + rows * columns <= sizeOf(y.shape),
    () => `the last block ends beyond the ${sizeOf(y.shape)} elements of y`,
  )
  return placed
}
