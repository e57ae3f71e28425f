import code from '../../shaders/info_nce.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectLength, expectMatrix } from './operands/shapes.ts'

export const infoNceKernel = defineKernel({
  name: 'info_nce',
  code,
  uniforms: { roles: 'u32' },
  bindings: ['role_ids', 'occurrences', 'scales', 'logits', 'loss'],
})

/**
 * InfoNCE of each row against all roles, `loss[i] = scales[0] · (log Σ_c n[c]·e^{l[i, c]} − l[i, role(i)])`, and in place of
 * the logits its gradient with `scales[1]`, `scales[1] · (n[c]·e^{l[i, c]} / Σ_k n[k]·e^{l[i, k]} − [c = role(i)])`.
 *
 * With n = 1 the denominator has every role once; with n[c] the number of rows of role c it is the supervised in-batch
 * form, whose positives are equal because they are the same role.
 *
 * Reference: van den Oord, Li & Vinyals, "Contrastive Predictive Coding", 2018, eq. 4; HyCoRA, arXiv 2511.08017.
 *
 * @param tensors `role_ids` u32 [rows], `occurrences` [roles], `scales` [2]; `logits` [rows, roles], read and overwritten;
 * writes `loss` [rows].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function infoNce(
  device: GPUDevice,
  tensors: {
    readonly role_ids: Tensor
    readonly occurrences: Tensor
    readonly scales: Tensor
    readonly logits: Tensor
    readonly loss: Tensor
  },
): Promise<Dispatch> {
  const [rows, roles] = expectMatrix('logits', tensors.logits)
  expectLength('role_ids', tensors.role_ids, rows)
  expectLength('occurrences', tensors.occurrences, roles)
  expectLength('scales', tensors.scales, 2)
  expectLength('loss', tensors.loss, rows)
  return bindKernel(device, infoNceKernel, tensors, { roles }, { workgroups: (count) => [count, 1, 1] })
}
