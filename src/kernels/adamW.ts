import code from '../../shaders/adam_w.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectLength } from './operands/shapes.ts'
import type { Range } from './sumOfSquares.ts'

export const adamWKernel = defineKernel({
  name: 'adam_w',
  code,
  uniforms: { first: 'u32', length: 'u32', group: 'u32' },
  bindings: ['settings', 'report', 'gradient', 'value', 'first_moment', 'second_moment'],
})

/** What a step of AdamW depends on; the same for all ranges but the learning rate. */
export interface AdamWSettings {
  /** By group of parameters. */
  readonly learningRates: readonly number[]
  readonly betas: readonly [number, number]
  readonly epsilon: number
  /** Decoupled from the gradient. */
  readonly weightDecay: number
  /** The largest norm of all gradients together; 0 clips nothing. */
  readonly clip: number
  /** Counted from 1, for the correction of the moments' start at zero. */
  readonly step: number
}

/** Words of the `settings` buffer before the learning rates. */
export const ADAM_W_SETTINGS = 9

/**
 * The `settings` buffer of a step. 1 − β and 1 − βᵗ are taken in float64: in float32, 1 − 0.999 would be off by 5·10⁻⁵.
 */
export function packAdamW(settings: AdamWSettings): Float32Array<ArrayBuffer> {
  const { learningRates, betas, epsilon, weightDecay, clip, step } = settings
  const moments = betas.flatMap((beta) => [beta, 1 - beta])
  const corrections = betas.map((beta) => 1 - beta ** step)
  return Float32Array.from([clip, ...moments, ...corrections, epsilon, weightDecay, ...learningRates])
}

const WORKGROUP_SIZE = 64

/**
 * One step of AdamW on a range of parameters, its gradients clipped by the factor in `report`; none where `report` counts an
 * unusable gradient:
 *
 *     m = β₁·m + (1 − β₁)·g      v = β₂·v + (1 − β₂)·g²
 *     value −= rate · (weightDecay·value + (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε))
 *
 * Reference: Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
 *
 * @param tensors `settings` from `packAdamW`, `report` [4] from `gradientNorm`, `gradient`; updates `value`, `first_moment`
 * and `second_moment`: four flat tensors with the same places.
 * @param range which parameters, and the group whose learning rate they have.
 * @throws HycoraError `shape-mismatch` when the range leaves a tensor or there is no such group.
 */
export async function adamW(
  device: GPUDevice,
  tensors: {
    readonly settings: Tensor
    readonly report: Tensor
    readonly gradient: Tensor
    readonly value: Tensor
    readonly first_moment: Tensor
    readonly second_moment: Tensor
  },
  { first, length, group }: Range & { readonly group: number },
): Promise<Dispatch> {
  const { settings, report, ...flat } = tensors
  const shortest = Math.min(...Object.values(flat).map(({ shape }) => sizeOf(shape)))
  check(
    first + length <= shortest,
    'shape-mismatch',
    () => `adam_w: the shortest tensor has ${shortest} elements, the range ends at ${first + length}`,
  )
  const groups = sizeOf(settings.shape) - ADAM_W_SETTINGS
  check(group < groups, 'shape-mismatch', () => `adam_w: group ${group}, the settings have ${groups}`)
  expectLength('report', report, 4)
  const grid = Math.min(65_535, Math.ceil(length / WORKGROUP_SIZE))
  return bindKernel(
    device,
    adamWKernel,
    tensors,
    { first, length, group },
    { workgroups: () => [grid, 1, 1] },
  )
}
