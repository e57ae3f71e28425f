import code from '../../shaders/rule_out.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { PARTIAL_GROUPS, SAMPLING_WORDS } from './adjustLogits.ts'

export const ruleOutKernel = defineKernel({
  name: 'rule_out',
  code,
  uniforms: { vocabulary: 'u32', groups: 'u32' },
  bindings: ['sampling', 'logits', 'partials'],
})

const WORKGROUP_SIZE = 64

/**
 * Between the halves of sampling with guidance, in place: logits of row 0 become −3·10³⁸ where row 1, which `adjustLogits`
 * left as row 0 was before, lies further below its largest than `packSampling` allows; and of what is left the largest of
 * each group of ids `v % PARTIAL_GROUPS` is found, with its id.
 *
 * Reference: Li et al., "Contrastive Decoding: Open-ended Text Generation as Optimization", 2023, section 3.3.
 *
 * @param tensors `sampling` [11] words of `packSampling`; `logits` [rows ≥ 2, vocabulary], of which row 0 is changed;
 * `partials` u32 [2, PARTIAL_GROUPS, 2], of which the second half is read and the first written.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function ruleOut(
  device: GPUDevice,
  tensors: { readonly sampling: Tensor; readonly logits: Tensor; readonly partials: Tensor },
): Promise<Dispatch> {
  const { sampling, logits, partials } = tensors
  const vocabulary = logits.shape.at(-1) ?? 0
  check(
    sizeOf(sampling.shape) === SAMPLING_WORDS &&
      sizeOf(logits.shape) >= 2 * vocabulary &&
      sizeOf(partials.shape) === PARTIAL_GROUPS * 4,
    'shape-mismatch',
    () =>
      `rule_out: sampling [${sampling.shape.join(', ')}], logits [${logits.shape.join(', ')}] and partials ` +
      `[${partials.shape.join(', ')}], expected [${SAMPLING_WORDS}], at least two rows and [2, ${PARTIAL_GROUPS}, 2]`,
  )
  return bindKernel(
    device,
    ruleOutKernel,
    tensors,
    { vocabulary, groups: PARTIAL_GROUPS },
    { workgroups: () => [PARTIAL_GROUPS / WORKGROUP_SIZE, 1, 1] },
  )
}
