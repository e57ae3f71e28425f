import type { Dispatch } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { projectionNormBackward } from '../../kernels/projectionNormBackward.ts'
import { rotaryBackward } from '../../kernels/rotaryBackward.ts'
import type { GpuBlock } from '../../model/gpu/gpuWeights.ts'
import { anglesOf, headNormShape, rotatedShape } from '../../model/gpu/headsPlan.ts'
import type { HeadPlaces, HeadsContext } from '../../model/gpu/headsPlan.ts'

/** The backward of `planHeads`: from the gradients of rotated queries and the cache to those of the projections. */
export function planHeadsBackward(
  context: HeadsContext,
  block: GpuBlock,
  tensors: {
    readonly step: Tensor
    readonly qkv: Tensor
    /** Of each of the decoder's rotaries. */
    readonly angles: readonly Tensor[]
    readonly dQuery: Tensor
    readonly dCache: Tensor
    /** Needed where the block has norms of heads. */
    readonly dHeads: Tensor | null
    readonly dQkv: Tensor
  },
  places: HeadPlaces,
): readonly Promise<Dispatch>[] {
  const { gpu, adapter } = context
  const { bias } = block.qkv
  const { headNorms } = block
  const shape = rotatedShape(context, block)
  const { step, qkv, dQuery, dCache, dHeads, dQkv } = tensors
  const angles = anglesOf(block, tensors.angles)
  const turnedBack = (dqkv: Tensor): Promise<Dispatch> =>
    rotaryBackward(gpu.device, shape, { step, dquery: dQuery, dcache: dCache, angles, dqkv })
  if (!headNorms || !dHeads) return [turnedBack(dQkv)]
  const normed = { step, qkv, bias, gain: headNorms.gain, dy: dHeads, dqkv: dQkv }
  return [
    turnedBack(dHeads),
    projectionNormBackward(gpu, headNormShape(context, headNorms), adapter, normed, places),
  ]
}
