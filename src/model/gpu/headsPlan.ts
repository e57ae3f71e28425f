import type { Dispatch } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { check } from '../../core/errors.ts'
import type { AdapterBinding } from '../../kernels/operands/adapterBinding.ts'
import { projectionNorm } from '../../kernels/projectionNorm.ts'
import type { ProjectionNormShape } from '../../kernels/projectionNorm.ts'
import { rotaryAppend } from '../../kernels/rotaryAppend.ts'
import type { AttentionShape, Rotation } from '../../kernels/rotaryAppend.ts'
import type { Decoder, DecoderShape } from '../decoder/decoder.ts'
import type { GpuBlock, GpuHeadNorms } from './gpuWeights.ts'

/** What queries, keys and values of every block have in common. */
export interface HeadsContext {
  readonly gpu: TunedDevice
  readonly shape: AttentionShape & { readonly rotation: Rotation }
  readonly epsilon: number
  readonly adapter: AdapterBinding
}

/** Where B of q, k and v lies in a slot, in floats. */
export interface HeadPlaces {
  readonly q: number
  readonly k: number
  readonly v: number
}

const NO_ROTATION: Rotation = { dim: 0, isInterleaved: false }

/** What the kernels of a block's rotation take. */
export function rotatedShape(
  { shape }: Pick<HeadsContext, 'shape'>,
  { rotary }: Pick<GpuBlock, 'rotary'>,
): HeadsContext['shape'] {
  return rotary !== null ? shape : { ...shape, rotation: NO_ROTATION }
}

/** The angles by which a block turns queries and keys; of one that turns none, whatever is there to bind. */
export function anglesOf({ rotary }: Pick<GpuBlock, 'rotary'>, angles: readonly Tensor[]): Tensor {
  const found = angles[rotary ?? 0]
  check(
    found,
    'shape-mismatch',
    () => `a block turns by rotary ${rotary} of ${angles.length}, expected one of them`,
  )
  return found
}

/** A block's attention as its kernels take it. */
export function attentionShapeOf<S extends DecoderShape & Pick<Decoder, 'scoreScale'>>(
  shape: S,
  { window }: Pick<GpuBlock, 'window'>,
  capacity: number,
): S & AttentionShape {
  return { ...shape, capacity, ...(window !== null && { window }) }
}

/** The norms of a block's heads as their kernels take them. */
export function headNormShape(
  { shape, epsilon }: Pick<HeadsContext, 'shape' | 'epsilon'>,
  { queryGroup, keyGroup }: GpuHeadNorms,
): ProjectionNormShape {
  const { heads, kvHeads, headDim } = shape
  return { heads, kvHeads, headDim, queryGroup, keyGroup, epsilon }
}

/** From projected queries, keys and values to rotated queries and the cache; norms of heads are a dispatch of their own. */
export function planHeads(
  context: HeadsContext,
  block: GpuBlock,
  tensors: {
    readonly step: Tensor
    readonly qkv: Tensor
    /** Needed where the block has norms of heads. */
    readonly heads: Tensor | null
    /** Of each of the decoder's rotaries. */
    readonly angles: readonly Tensor[]
    readonly query: Tensor
    readonly cache: Tensor
  },
  places: HeadPlaces,
): readonly Promise<Dispatch>[] {
  const { gpu, adapter } = context
  const { heads, qkv, angles: tables, ...rest } = tensors
  const others = { ...rest, angles: anglesOf(block, tables) }
  const { bias } = block.qkv
  const { headNorms } = block
  const shape = rotatedShape(context, block)
  if (!headNorms || !heads) {
    return [rotaryAppend(gpu.device, shape, adapter, { ...others, qkv, bias }, places)]
  }
  const { gain, noBias } = headNorms
  const normed = { step: others.step, qkv, bias, gain, y: heads }
  return [
    projectionNorm(gpu, headNormShape(context, headNorms), adapter, normed, places),
    // Bias and adapter are in the norms' output already.
    rotaryAppend(
      gpu.device,
      shape,
      { ...adapter, paddedRank: 0 },
      { ...others, qkv: heads, bias: noBias },
      places,
    ),
  ]
}
