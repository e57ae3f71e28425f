import code from '../../shaders/linear_backward_input.wgsl?raw'
import directCode from '../../shaders/linear_backward_input_direct.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
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
  accumulate: 'u32',
  scale: 'f32',
} as const
const bindings = ['dy', 'gate', 'weight', 'count', 'dx'] as const

export const linearBackwardInputKernel = defineKernel({
  name: 'linear_backward_input',
  code,
  uniforms,
  bindings,
})

export const linearBackwardInputDirectKernel = defineKernel({
  name: 'linear_backward_input_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** The kernels by plan, and the side of the square that a workgroup takes. */
const PLANS = {
  tile: { kernel: linearBackwardInputKernel, side: 16 },
  direct: { kernel: linearBackwardInputDirectKernel, side: 32 },
} as const

export interface LinearBackwardInputOptions {
  readonly scale?: number
  readonly accumulate?: boolean
  /** Without it every row is a block. */
  readonly blocks?: LinearBlocks
}

/**
 * Gradient of `linear` with respect to its input: `dx[r, i] = keep + scale · Σ_o dy[r, o] · weight[o, i]`, where keep is
 * what dx holds with `accumulate`, else 0, and dy counts as 0 where `gate` is not positive.
 *
 * Rows lie in x and y as `blocks` says for `linear`, block b of y in slot b; without `blocks` every row is a block. The
 * dispatch's `rows` are those of the blocks in use.
 *
 * @param tensors `dy` and `gate` laid out as y, `weight` [out, in], `count` u32 [1]; `dx` [rows, in].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above or a block lies outside of dx or dy.
 */
export async function linearBackwardInput(
  { device, tuning }: TunedDevice,
  tensors: LinearGradient & { readonly weight: Tensor; readonly dx: Tensor },
  { scale = 1, accumulate = false, blocks }: LinearBackwardInputOptions = {},
): Promise<Dispatch> {
  const { dy, gate, weight, count, dx } = tensors
  const [columns = 0, inner = 0] = weight.shape
  check(
    weight.shape.length === 2 && dx.shape.at(-1) === inner,
    'shape-mismatch',
    () =>
      `linear_backward_input: weight [${weight.shape.join(', ')}] and dx [${dx.shape.join(', ')}], ` +
      'expected [out, in] and [rows, in]',
  )
  const { kernel, side } = PLANS[tuning.manyRows]
  return bindKernel(
    device,
    kernel,
    // WebGPU wants every binding filled; what a flag switches off is never read.
    { dy, gate: gate ?? dy, weight, count, dx },
    {
      columns,
      inner,
      ...placeBlocks('linear_backward_input', tensors, dx, columns, blocks),
      has_gate: Number(gate !== undefined),
      accumulate: Number(accumulate),
      scale,
    },
    { workgroups: (rows) => [Math.ceil(inner / side), Math.ceil(rows / side), 1] },
  )
}
