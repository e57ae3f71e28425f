import code from '../../shaders/penalise_logits.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const penaliseLogitsKernel = defineKernel({
  name: 'penalise_logits',
  code,
  uniforms: { vocabulary: 'u32', groups: 'u32' },
  bindings: ['sampling', 'counts', 'logits', 'partials'],
})

/** Ids of equal remainder by this number are a group, which has a partial maximum. */
export const PARTIAL_GROUPS = 1024

const WORKGROUP_SIZE = 64

/** 32-bit words of the sampling settings, see `packSampling`. */
export const SAMPLING_WORDS = 8

/**
 * The first half of sampling: divides the positive and multiplies the negative logits of recent tokens by the penalty,
 * in place, and finds the largest logit of each group of ids `v % PARTIAL_GROUPS` with its id; NaN and +∞ are found as
 * `NO_TOKEN`, above all others.
 *
 * Reference: Keskar et al., "CTRL", 2019, section 4.1; Hugging Face's `RepetitionPenaltyLogitsProcessor`.
 *
 * @param tensors `sampling` [8] words of `packSampling`, `counts` u32 [vocabulary]: how often each token occurs in the
 * window, `logits` [rows ≥ 1, vocabulary], of which row 0 is changed; writes `partials` u32 [PARTIAL_GROUPS, 2].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function penaliseLogits(
  device: GPUDevice,
  tensors: {
    readonly sampling: Tensor
    readonly counts: Tensor
    readonly logits: Tensor
    readonly partials: Tensor
  },
): Promise<Dispatch> {
  const { sampling, counts, logits, partials } = tensors
  const vocabulary = logits.shape.at(-1) ?? 0
  check(
    sizeOf(sampling.shape) === SAMPLING_WORDS &&
      sizeOf(counts.shape) === vocabulary &&
      sizeOf(partials.shape) === PARTIAL_GROUPS * 2,
    'shape-mismatch',
    () =>
      `penalise_logits: sampling [${sampling.shape.join(', ')}], counts [${counts.shape.join(', ')}] and partials ` +
      `[${partials.shape.join(', ')}], expected [${SAMPLING_WORDS}], [${vocabulary}] and [${PARTIAL_GROUPS}, 2]`,
  )
  return bindKernel(
    device,
    penaliseLogitsKernel,
    tensors,
    { vocabulary, groups: PARTIAL_GROUPS },
    { workgroups: () => [PARTIAL_GROUPS / WORKGROUP_SIZE, 1, 1] },
  )
}
