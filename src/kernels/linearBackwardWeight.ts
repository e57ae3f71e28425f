import code from '../../shaders/linear_backward_weight.wgsl?raw'
import directCode from '../../shaders/linear_backward_weight_direct.wgsl?raw'
import { check } from '../core/errors.ts'
import { paddedGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { LinearBlocks } from './operands/linearBlocks.ts'
import { placeBlocks } from './operands/linearBlocks.ts'
import type { LinearGradient } from './operands/linearBlocks.ts'

const uniforms = {
  columns: 'u32',
  inner: 'u32',
  block_rows: 'u32',
  x_first_row: 'u32',
  x_block_rows: 'u32',
  y_offset: 'u32',
  y_block_stride: 'u32',
  has_gate: 'u32',
  scale: 'f32',
} as const
const bindings = ['dy', 'gate', 'x', 'count', 'dweight', 'dbias'] as const

export const linearBackwardWeightKernel = defineKernel({
  name: 'linear_backward_weight',
  code,
  uniforms,
  bindings,
})

export const linearBackwardWeightDirectKernel = defineKernel({
  name: 'linear_backward_weight_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** The kernels by plan, and the side of the square that a workgroup takes. */
const PLANS = {
  tile: { kernel: linearBackwardWeightKernel, side: 16 },
  direct: { kernel: linearBackwardWeightDirectKernel, side: 32 },
} as const

export interface LinearBackwardWeightOptions {
  readonly scale?: number
  /** Without it every row is a block. */
  readonly blocks?: LinearBlocks
}

/**
 * Gradients of `linear` with respect to weight and bias, added to what is there:
 * `dweight[o, i] += scale · Σ_r dy[r, o] · x[r, i]`, `dbias[o] += scale · Σ_r dy[r, o]`; dy counts as 0 where `gate` is not
 * positive.
 *
 * Rows lie in x and y as `blocks` says for `linear`, block b of y in slot b; without `blocks` every row is a block. The sums
 * go over the first `count` blocks whatever the dispatch's `rows`.
 *
 * @param tensors `dy` and `gate` laid out as y, `x` [rows, in], `count` u32 [1]; adds to `dweight` [out, in], `dbias` [out].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above or a block lies outside of x or dy.
 */
export async function linearBackwardWeight(
  { device, tuning }: TunedDevice,
  tensors: LinearGradient & { readonly x: Tensor; readonly dweight: Tensor; readonly dbias: Tensor },
  { scale = 1, blocks }: LinearBackwardWeightOptions = {},
): Promise<Dispatch> {
  const { dy, gate, x, count, dweight, dbias } = tensors
  const [columns = 0, inner = 0] = dweight.shape
  check(
    dweight.shape.length === 2 && x.shape.at(-1) === inner && sizeOf(dbias.shape) === columns,
    'shape-mismatch',
    () =>
      `linear_backward_weight: x [${x.shape.join(', ')}], dweight [${dweight.shape.join(', ')}] and dbias ` +
      `[${dbias.shape.join(', ')}], expected [rows, in], [out, in] and [out]`,
  )
  const { kernel, side } = PLANS[tuning.manyRows]
  const [across, deep] = paddedGrid(Math.ceil(columns / side))
  const grid = [across, Math.ceil(inner / side), deep] as const
  return bindKernel(
    device,
    kernel,
    // WebGPU wants every binding filled; what a flag switches off is never read.
    { dy, gate: gate ?? dy, x, count, dweight, dbias },
    {
      columns,
      inner,
      ...placeBlocks('linear_backward_weight', tensors, x, columns, blocks),
      has_gate: Number(gate !== undefined),
      scale,
    },
    { workgroups: () => grid },
  )
}
