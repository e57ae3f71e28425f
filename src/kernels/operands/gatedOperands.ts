import { exactGrid } from '../../gpu/grid.ts'
import { bindKernel } from '../../gpu/kernel.ts'
import type { Dispatch, Kernel } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { AdapterBinding } from './adapterBinding.ts'
import { expectColumns, expectLength } from './shapes.ts'

/** What gated activations are told, and bound to, in this order. */
export const gatedForm = {
  uniforms: {
    columns: 'u32',
    gate_up_stride: 'u32',
    y_stride: 'u32',
    rank: 'u32',
    b_gate: 'u32',
    b_up: 'u32',
    b_slot_stride: 'u32',
  },
  bindings: ['step', 'gate_up', 'bias', 'b', 'y'],
} as const

/** The same of their gradients. */
export const gatedBackwardForm = {
  uniforms: {
    columns: 'u32',
    gate_up_stride: 'u32',
    dy_stride: 'u32',
    dgate_up_stride: 'u32',
    rank: 'u32',
    b_gate: 'u32',
    b_up: 'u32',
    b_slot_stride: 'u32',
  },
  bindings: ['step', 'gate_up', 'bias', 'b', 'dy', 'dgate_up'],
} as const

/** Columns of a workgroup. */
const COLUMNS = 128

/** Where B of gate and up lies in a slot, in floats. */
export interface GatedOffsets {
  readonly gate: number
  readonly up: number
}

/** `gate_up` [rows, ≥ 2·columns + 2·rank], `bias` [2·columns]; writes `y` [rows, ≥ columns]. */
export interface GatedTensors {
  readonly step: Tensor
  readonly gate_up: Tensor
  readonly bias: Tensor
  readonly y: Tensor
}

/**
 * `gate_up` and `bias` as the forward kernel read them, `dy` [rows, ≥ columns]; writes the first 2·columns of `dgate_up`
 * [rows, ≥ 2·columns].
 */
export interface GatedBackwardTensors extends Omit<GatedTensors, 'y'> {
  readonly dy: Tensor
  readonly dgate_up: Tensor
}

function sharedValues(
  { bias, gate_up }: Pick<GatedTensors, 'bias' | 'gate_up'>,
  adapter: AdapterBinding,
  { gate, up }: GatedOffsets,
) {
  const columns = (bias.shape[0] ?? 0) / 2
  expectLength('bias', bias, 2 * columns)
  return {
    columns,
    gate_up_stride: expectColumns('gate_up', gate_up, 2 * (columns + adapter.paddedRank)),
    rank: adapter.paddedRank,
    b_gate: gate,
    b_up: up,
    b_slot_stride: adapter.bSlotStride,
  }
}

function gridOf(columns: number): { workgroups: (rows: number) => readonly [number, number, number] } {
  return { workgroups: (rows) => [Math.ceil(columns / COLUMNS), ...exactGrid(rows)] }
}

/** Binds the kernel of a gated activation. @throws HycoraError `shape-mismatch` for tensors of other shapes. */
export function bindGated(
  device: GPUDevice,
  kernel: Kernel<typeof gatedForm.uniforms, (typeof gatedForm.bindings)[number]>,
  adapter: AdapterBinding,
  tensors: GatedTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  const shared = sharedValues(tensors, adapter, bOffsets)
  const values = { ...shared, y_stride: expectColumns('y', tensors.y, shared.columns) }
  return bindKernel(device, kernel, { ...tensors, b: adapter.b }, values, gridOf(shared.columns))
}

/** Binds the kernel of a gated activation's gradient. @throws HycoraError `shape-mismatch` for tensors of other shapes. */
export function bindGatedBackward(
  device: GPUDevice,
  kernel: Kernel<typeof gatedBackwardForm.uniforms, (typeof gatedBackwardForm.bindings)[number]>,
  adapter: AdapterBinding,
  tensors: GatedBackwardTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  const shared = sharedValues(tensors, adapter, bOffsets)
  const values = {
    ...shared,
    dy_stride: expectColumns('dy', tensors.dy, shared.columns),
    dgate_up_stride: expectColumns('dgate_up', tensors.dgate_up, 2 * shared.columns),
  }
  return bindKernel(device, kernel, { ...tensors, b: adapter.b }, values, gridOf(shared.columns))
}
