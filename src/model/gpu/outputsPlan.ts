import type { Dispatch } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { AdapterBinding } from '../../kernels/operands/adapterBinding.ts'
import { projectionNorm } from '../../kernels/projectionNorm.ts'
import type { ProjectionNormShape } from '../../kernels/projectionNorm.ts'
import type { GpuBlock } from './gpuWeights.ts'

/** What the outputs of attention and MLP of every block have in common. */
export interface OutputContext {
  readonly gpu: TunedDevice
  readonly epsilon: number
  readonly adapter: AdapterBinding
}

/** A block's projection whose output is added to the residual stream, and where its B lies in a slot. */
export interface OutputPlace {
  readonly block: GpuBlock
  readonly name: 'o' | 'down'
  readonly bOffset: number
}

/** The norm of an output as its kernels take it: one head as wide as the stream. */
export function outputNormShape(columns: number, epsilon: number): ProjectionNormShape {
  return { heads: 1, kvHeads: 0, headDim: columns, queryGroup: 1, keyGroup: 1, epsilon }
}

/** The gain of an output's norm; null where it has none. */
export function outputGain({
  block: { outputNorms },
  name,
}: Pick<OutputPlace, 'block' | 'name'>): Tensor | null {
  return outputNorms && (name === 'o' ? outputNorms.attention : outputNorms.mlp)
}

/** The norm of an output, from `output` to `added`; nothing where it has none. */
export function planOutputNorm(
  { gpu, epsilon, adapter }: OutputContext,
  place: OutputPlace,
  { step, output, added }: { readonly step: Tensor; readonly output: Tensor; readonly added: Tensor | null },
): readonly Promise<Dispatch>[] {
  const gain = outputGain(place)
  if (!gain || !added) return []
  const shape = outputNormShape(gain.shape[0] ?? 0, epsilon)
  const tensors = { step, qkv: output, bias: place.block[place.name].bias, gain, y: added }
  return [projectionNorm(gpu, shape, adapter, tensors, { q: place.bOffset, k: 0, v: 0 })]
}

/** What is added to the residual stream, and the adapter that is still to be added with it. */
export function additionOf(
  adapter: AdapterBinding,
  { block, name, bOffset }: OutputPlace,
  { output, added }: { readonly output: Tensor; readonly added: Tensor | null },
): {
  readonly adapter: AdapterBinding
  readonly added: { readonly delta: Tensor; readonly bias: Tensor; readonly bOffset: number }
} {
  const { outputNorms } = block
  if (!outputNorms || !added) {
    return { adapter, added: { delta: output, bias: block[name].bias, bOffset } }
  }
  // Bias and adapter are in the norm's output already.
  return {
    adapter: { ...adapter, paddedRank: 0 },
    added: { delta: added, bias: outputNorms.noBias, bOffset: 0 },
  }
}
