export interface AdamWState {
  readonly value: Float64Array
  readonly m: Float64Array
  readonly v: Float64Array
}

/** `√Σ g²`. */
export function normReference(gradient: ArrayLike<number>): number {
  return Math.sqrt(Array.from(gradient).reduce((sum, g) => sum + g * g, 0))
}

/** `min(1, clip / (norm + 1e-6))`; 1 where clip is 0. */
export function clipFactorReference(norm: number, clip: number): number {
  return clip > 0 ? Math.min(1, clip / (norm + 1e-6)) : 1
}

/** One step t of AdamW on all parameters, in place; `rate(i)` is the learning rate of parameter i. */
export function adamWReference(
  { value, m, v }: AdamWState,
  gradient: ArrayLike<number>,
  settings: {
    readonly rate: (index: number) => number
    readonly betas: readonly [number, number]
    readonly epsilon: number
    readonly weightDecay: number
    readonly clip: number
    readonly step: number
  },
): void {
  const { rate, betas, epsilon, weightDecay, clip, step } = settings
  const factor = clipFactorReference(normReference(gradient), clip)
  for (let i = 0; i < value.length; i++) {
    const g = factor * gradient[i]!
    m[i] = betas[0] * m[i]! + (1 - betas[0]) * g
    v[i] = betas[1] * v[i]! + (1 - betas[1]) * g * g
    const direction = m[i]! / (1 - betas[0] ** step) / (Math.sqrt(v[i]! / (1 - betas[1] ** step)) + epsilon)
    value[i]! -= rate(i) * (weightDecay * value[i]! + direction)
  }
}
