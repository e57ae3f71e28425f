/** The largest float32: what stands in row 1 for a token that is not to be ruled out. */
export const HIGHEST = 2 ** 127 * (2 - 2 ** -23)

export interface AdjustSettings {
  readonly guidance: number
  readonly penalty: number
  /** Added where a token ends the turn; 0 where that has no bonus now. */
  readonly bonus: number
}

/**
 * `g = l + guidance·(l − l₀)`, `p = counts[v] > 0 ? (g > 0 ? g / penalty : g · penalty) : g`, and the bonus on the tokens
 * that end a turn; with the id of the largest, the lowest of equal ones: with guidance, of the largest l.
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
  const ranked = guidance === 0 ? adjusted : Float64Array.from(logits)
  return { logits: adjusted, largest: ranked.indexOf(Math.max(...ranked)) }
}

/** What is left of adjusted logits with guidance: those whose l is at least `share` as likely as the likeliest, or whose end is raised. */
export function plausibleReference(
  adjusted: ArrayLike<number>,
  logits: ArrayLike<number>,
  raised: ReadonlySet<number>,
  share: number,
): Float64Array {
  const least = Math.max(...Array.from(logits)) + Math.log(share)
  return Float64Array.from(adjusted, (value, v) => (logits[v]! >= least || raised.has(v) ? value : -3e38))
}
