import type { Dispatch } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { loraBackwardA } from '../../kernels/loraBackwardA.ts'
import { loraBackwardB } from '../../kernels/loraBackwardB.ts'
import { loraBackwardUp } from '../../kernels/loraBackwardUp.ts'
import { loraDown } from '../../kernels/loraDown.ts'
import type { AdaptedGroup } from '../../kernels/operands/adaptedGroup.ts'
import type { AdapterBinding } from '../../kernels/operands/adapterBinding.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import { project } from '../../kernels/project.ts'
import { projectBackward } from '../../kernels/projectBackward.ts'
import { aOffset, bOffset } from '../../model/adapter/adapterLayout.ts'
import type { AdapterLayout } from '../../model/adapter/adapterLayout.ts'
import type { Decoder, DecoderShape, Projection } from '../../model/decoder/decoder.ts'
import type { GpuBlock } from '../../model/gpu/gpuWeights.ts'
import type { BatchLimits, TrainingBuffers } from './trainingBuffers.ts'

/** The adapters that a training pass plays and the gradients that it adds to. */
export interface TrainedAdapter {
  readonly binding: AdapterBinding
  readonly layout: AdapterLayout
  /** Slots that a micro-batch may use. */
  readonly slots: number
  /** Laid out as A and B of the binding; undefined for what is frozen. */
  readonly da: Tensor | undefined
  readonly db: Tensor | undefined
}

/** What every layer's dispatches are bound to. */
export interface BlockContext {
  readonly gpu: TunedDevice
  readonly shape: DecoderShape &
    Pick<Decoder, 'normEpsilon' | 'rotation' | 'multipliers' | 'activation' | 'scoreScale'>
  readonly buffers: TrainingBuffers
  readonly adapter: TrainedAdapter
  /** Of each of the decoder's rotaries. */
  readonly angles: readonly Tensor[]
  readonly dropout: Tensor
  /** Whether inputs of adapters are dropped; without, the projection computes u itself. */
  readonly isDropping: boolean
  readonly limits: BatchLimits
}

/** Projections that share an input, and where their numbers lie. */
export interface TrainedGroup {
  readonly matrix: PackedMatrix
  readonly adapted: AdaptedGroup
  readonly salt: number
  readonly x: Tensor
  readonly y: Tensor
  readonly dy: Tensor
  readonly dx: Tensor
}

/** Projections that share an input, with where their A and B lie. */
function adaptedGroup(
  { binding, layout }: TrainedAdapter,
  projections: readonly Projection[],
  layer: number,
): AdaptedGroup {
  const offsets = projections.map((name) => aOffset(layout, name, layer))
  const [first = 0, second] = offsets
  return {
    adapter: binding,
    count: projections.length,
    aOffset: first,
    aPartStride: second === undefined ? 0 : second - first,
    widths: projections.map((name) => layout.dims[name][1]),
    bOffsets: projections.map((name) => bOffset(layout, name, layer)),
  }
}

/** u alone, into the columns behind y. */
export function downOf(
  context: BlockContext,
  { matrix, adapted, salt, x, y }: TrainedGroup,
): Promise<Dispatch> {
  const { gpu, buffers, dropout } = context
  const place = { inFeatures: matrix.in, out: matrix.out, salt }
  return loraDown(gpu, adapted, { step: buffers.step, x, dropout, y }, place)
}

/** The products of a group. */
export function forwardOf(context: BlockContext, group: TrainedGroup): Promise<Dispatch>[] {
  const { gpu, buffers, isDropping } = context
  const { matrix, adapted, x, y } = group
  const parts = isDropping ? { ...adapted, count: 0 } : adapted
  const tensors = { step: buffers.step, x, y }
  const projected = project(gpu, matrix, parts, tensors, { rows: 'many' })
  return isDropping ? [projected, downOf(context, group)] : [projected]
}

/** The gradients of A and B, of du on the way, and of the input where `hasInput`. */
export function backwardOf(
  context: BlockContext,
  { matrix, adapted, salt, x, y, dy, dx }: TrainedGroup,
  hasInput = true,
): Promise<Dispatch>[] {
  const { gpu, buffers, dropout, adapter } = context
  const { step } = buffers
  const { slots, da, db } = adapter
  const place = { inFeatures: matrix.in, out: matrix.out, salt }
  return [
    loraBackwardUp(gpu, adapted, { step, dy }),
    ...(db ? [loraBackwardB(gpu, adapted, { step, y, dy, db }, { slots })] : []),
    ...(da ? [loraBackwardA(gpu, adapted, { step, x, dy, dropout, da }, { ...place, slots })] : []),
    ...(hasInput ? [projectBackward(gpu, matrix, adapted, { step, dy, dropout, dx }, { salt })] : []),
  ]
}

/** The groups of a layer. */
export function groupsOf({ buffers, adapter }: BlockContext, block: GpuBlock, layer: number) {
  const place = (
    matrix: PackedMatrix,
    projections: readonly Projection[],
    index: number,
    tensors: Pick<TrainedGroup, 'x' | 'y' | 'dy' | 'dx'>,
  ): TrainedGroup => {
    return { matrix, adapted: adaptedGroup(adapter, projections, layer), salt: 4 * layer + index, ...tensors }
  }
  // With a norm behind them outputs have a gradient of their own.
  const dOutput = (block.outputNorms && buffers.dOutput) ?? buffers.dResidual
  return {
    qkv: place(block.qkv.matrix, ['q', 'k', 'v'], 0, {
      x: buffers.attentionInput,
      y: buffers.qkv,
      dy: buffers.dQkv,
      dx: buffers.dNormed,
    }),
    o: place(block.o.matrix, ['o'], 1, {
      x: buffers.attended,
      y: buffers.attentionOutput,
      dy: dOutput,
      dx: buffers.dAttended,
    }),
    gateUp: place(block.gateUp.matrix, ['gate', 'up'], 2, {
      x: buffers.ffnInput,
      y: buffers.gateUp,
      dy: buffers.dGateUp,
      dx: buffers.dNormed,
    }),
    down: place(block.down.matrix, ['down'], 3, {
      x: buffers.activated,
      y: buffers.ffnOutput,
      dy: dOutput,
      dx: buffers.dActivated,
    }),
  }
}

export type TrainedGroups = ReturnType<typeof groupsOf>
