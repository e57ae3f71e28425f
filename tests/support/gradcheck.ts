/** Step of the central differences: their error, h²/6·f‴ + ε·|f|/h, is smallest near here in float64. */
const STEP = 1e-5

/** The largest `gradientError` of a correct gradient. */
export const GRADIENT_TOLERANCE = 1e-7

/** Σ_i a_i·b_i: turns a function of many values into one number whose gradient at those values is b. */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values, expected ${b.length}`)
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/**
 * How far `gradient` is from the gradient of `loss` at `point` by central differences: the largest error of a coordinate
 * relative to max(1, |analytic|, |numeric|); infinite where one is not finite. `loss` must compute in float64.
 */
export function gradientError(
  loss: (point: Float64Array) => number,
  point: ArrayLike<number>,
  gradient: ArrayLike<number>,
): number {
  if (gradient.length !== point.length)
    throw new Error(`${gradient.length} derivatives, expected ${point.length}`)
  const moved = Float64Array.from(point)
  let worst = 0
  for (let i = 0; i < moved.length; i++) {
    const value = moved[i]!
    moved[i] = value + STEP
    const above = loss(moved)
    moved[i] = value - STEP
    const below = loss(moved)
    moved[i] = value
    const numeric = (above - below) / (2 * STEP)
    const analytic = gradient[i]!
    const error = Math.abs(analytic - numeric) / Math.max(1, Math.abs(analytic), Math.abs(numeric))
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error)
  }
  return worst
}
