import type { Parameters } from './hypernetwork.ts'

/**
 * The in-batch contrastive loss, one-directional:
 * L = (1/b) Σ_i −1/|P(i)| Σ_{j∈P(i)} log [ exp(t_i·s_j/τ) / Σ_k exp(t_i·s_k/τ) ],
 * t_i = normalise(W_t·H_i + b_t), s_i = normalise(W_r·e_role(i) + b_r), P(i) = {j : role(j) = role(i)}.
 *
 * @param pooled the hidden states of the anchors, [batch, hidden].
 * @param roleIds [batch].
 */
export function contrastLoss(
  params: Parameters,
  pooled: ArrayLike<number>,
  roleIds: readonly number[],
  temperature: number,
): number {
  const batch = roleIds.length
  const hidden = pooled.length / batch
  const table = params.get('roles_emb.weight')!
  const size = params.get('role_emb_to_role_emb_layer.bias')!.length
  const t = roleIds.map((_, i) => feature(params, 'hidden_to_role_emb_layer', pooled, i * hidden, hidden))
  const s = roleIds.map((role) => feature(params, 'role_emb_to_role_emb_layer', table, role * size, size))
  let loss = 0
  for (let i = 0; i < batch; i++) {
    const logits = s.map((other) => dot(t[i]!, other) / temperature)
    const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
    const positives = logits.filter((_, j) => roleIds[j] === roleIds[i])
    loss += positives.reduce((sum, logit) => sum + logSum - logit, 0) / positives.length / batch
  }
  return loss
}

function feature(
  params: Parameters,
  name: string,
  x: ArrayLike<number>,
  offset: number,
  length: number,
): Float64Array {
  const weight = params.get(`${name}.weight`)!
  const y = Float64Array.from(params.get(`${name}.bias`)!)
  for (let o = 0; o < y.length; o++) {
    for (let i = 0; i < length; i++) y[o]! += weight[o * length + i]! * x[offset + i]!
  }
  const norm = Math.sqrt(dot(y, y))
  return y.map((value) => value / norm)
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}
