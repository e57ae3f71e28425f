/**
 * How far one distribution over the vocabulary is from another, in nats: `Σ_t p(t)·(log p(t) − log q(t))`.
 *
 * Reference: Kullback & Leibler, "On information and sufficiency", 1951.
 *
 * @param logits of p, the one that is meant, and of q, which takes its place.
 */
export function divergence(logits: ArrayLike<number>, others: ArrayLike<number>): number {
  const [ofP, ofQ] = [logSum(logits), logSum(others)]
  let sum = 0
  for (let t = 0; t < logits.length; t++) {
    const p = (logits[t] ?? 0) - ofP
    sum += Math.exp(p) * (p - (others[t] ?? 0) + ofQ)
  }
  return sum
}

/** `log Σ_t e^l(t)` */
function logSum(logits: ArrayLike<number>): number {
  let highest = -Infinity
  for (let t = 0; t < logits.length; t++) highest = Math.max(highest, logits[t] ?? 0)
  let sum = 0
  for (let t = 0; t < logits.length; t++) sum += Math.exp((logits[t] ?? 0) - highest)
  return highest + Math.log(sum)
}
