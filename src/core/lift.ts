/**
 * How many times as likely a text is as it would be without somebody, a token on the average:
 * exp(mean(ln p(token | they speak)) − mean(ln p(token | nobody does))).
 *
 * @param own ln p of each token where they speak. @param bare the same where nobody does.
 * @returns 1 where either is empty.
 */
export function liftOf(own: readonly number[], bare: readonly number[]): number {
  if (own.length === 0 || bare.length === 0) return 1
  return Math.exp(mean(own) - mean(bare))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** How a number of times is written: ×12, ×3.4, ×0.62. */
export function timesText(times: number): string {
  return `×${times >= 10 ? times.toFixed(0) : times >= 1 ? times.toFixed(1) : times.toPrecision(1)}`
}
