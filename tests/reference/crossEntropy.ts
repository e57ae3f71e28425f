/**
 * `loss[r] = weight[r]·(log Σ_v e^{l[r, v]} − l[r, target[r]])` and its gradient
 * `gradient[r, v] = weight[r]·(e^{l[r, v]} / Σ_i e^{l[r, i]} − [v = target[r]])`; logits [rows, vocabulary].
 */
export function crossEntropyReference(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number>,
): { loss: Float64Array; gradient: Float64Array } {
  const rows = targets.length
  const vocabulary = logits.length / rows
  const loss = new Float64Array(rows)
  const gradient = new Float64Array(logits.length)
  for (let r = 0; r < rows; r++) {
    let highest = -Infinity
    for (let v = 0; v < vocabulary; v++) highest = Math.max(highest, logits[r * vocabulary + v]!)
    let sum = 0
    for (let v = 0; v < vocabulary; v++) sum += Math.exp(logits[r * vocabulary + v]! - highest)
    loss[r] = weights[r]! * (Math.log(sum) + highest - logits[r * vocabulary + targets[r]!]!)
    for (let v = 0; v < vocabulary; v++) {
      const probability = Math.exp(logits[r * vocabulary + v]! - highest) / sum
      gradient[r * vocabulary + v] = weights[r]! * (probability - (v === targets[r]! ? 1 : 0))
    }
  }
  return { loss, gradient }
}
