/** `counts[v] > 0 ? (l > 0 ? l / penalty : l · penalty) : l`, and the id of the largest, the lowest of equal ones. */
export function penaliseLogitsReference(
  logits: ArrayLike<number>,
  counts: ArrayLike<number>,
  penalty: number,
): { readonly logits: Float64Array; readonly largest: number } {
  const penalised = Float64Array.from(logits, (l, v) => {
    if (counts[v] === 0) return l
    return l > 0 ? l / penalty : l * penalty
  })
  let largest = 0
  penalised.forEach((l, v) => {
    if (l > penalised[largest]!) largest = v
  })
  return { logits: penalised, largest }
}
