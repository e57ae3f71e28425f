/**
 * `loss[i] = log Σ_c n[c]·e^{l[i, c]} − l[i, role(i)]` and its gradient
 * `n[c]·e^{l[i, c]} / Σ_k n[k]·e^{l[i, k]} − [c = role(i)]`, logits [rows, roles].
 */
export function infoNceReference(
  logits: ArrayLike<number>,
  roleIds: ArrayLike<number>,
  occurrences: ArrayLike<number>,
): { readonly loss: Float64Array; readonly gradient: Float64Array } {
  const roles = occurrences.length
  const loss = new Float64Array(roleIds.length)
  const gradient = new Float64Array(logits.length)
  for (let i = 0; i < roleIds.length; i++) {
    const own = logits[i * roles + roleIds[i]!]!
    let sum = 0
    for (let c = 0; c < roles; c++) sum += occurrences[c]! * Math.exp(logits[i * roles + c]! - own)
    loss[i] = Math.log(sum)
    for (let c = 0; c < roles; c++) {
      const share = (occurrences[c]! * Math.exp(logits[i * roles + c]! - own)) / sum
      gradient[i * roles + c] = share - Number(c === roleIds[i])
    }
  }
  return { loss, gradient }
}
