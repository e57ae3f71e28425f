export interface AdjustSettings {
  readonly guidance: number
  readonly penalty: number
  /** Added where a token ends the turn; 0 where that has no bonus now. */
  readonly bonus: number
}

/**
 * `g = l + guidance·(l − l₀)`, `p = counts[v] > 0 ? (g > 0 ? g / penalty : g · penalty) : g`, and the bonus on the tokens
 * that end a turn; with the id of the largest, the lowest of equal ones.
 */
export function adjustLogitsReference(
  logits: ArrayLike<number>,
  beside: ArrayLike<number>,
  counts: ArrayLike<number>,
  turnEnds: ReadonlySet<number>,
  { guidance, penalty, bonus }: AdjustSettings,
): { readonly logits: Float64Array; readonly largest: number } {
  const adjusted = Float64Array.from(logits, (l, v) => {
    const guided = guidance === 0 ? l : l + guidance * (l - beside[v]!)
    const isSeen = counts[v]! > 0
    const penalised = isSeen ? (guided > 0 ? guided / penalty : guided * penalty) : guided
    return turnEnds.has(v) ? penalised + bonus : penalised
  })
  let largest = 0
  adjusted.forEach((l, v) => {
    if (l > adjusted[largest]!) largest = v
  })
  return { logits: adjusted, largest }
}
