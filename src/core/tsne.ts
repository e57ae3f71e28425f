import { Random } from './random.ts'

/** Most neighbours that each point keeps near itself. */
const MOST_NEIGHBOURS = 30
const STEPS = 600
/** So long, neighbours draw each other so much more strongly, that groups find together. */
const EARLY = { steps: 120, pull: 4 }
const LEARNING_RATE = 8
const SEARCH_STEPS = 50
const LEAST = 1e-12

/**
 * t-SNE of a few unit vectors, exact, from the cosines between them:
 *
 *     p_{j|i} ∝ exp(−β_i (2 − 2 cos_ij)),  β_i so that the perplexity is a third of the others, 30 at most
 *     q_ij ∝ 1 / (1 + |y_i − y_j|²),       y by gradient descent on KL(p ‖ q)
 *
 * van der Maaten and Hinton, JMLR 9 (2008). The same cosines give the same points.
 *
 * @param cosines [count, count] row-major.
 * @returns [count, 2].
 */
export function tsnePoints(cosines: Float32Array, count: number): Float32Array {
  const p = jointOf(cosines, count)
  const random = new Random(1)
  const points = Float64Array.from({ length: 2 * count }, () => 0.01 * (random.nextUniform() - 0.5))
  const speed = new Float64Array(2 * count)
  const gains = new Float64Array(2 * count).fill(1)
  for (let step = 0; step < STEPS; step++) {
    const isEarly = step < EARLY.steps
    const gradient = gradientOf(p, points, count, isEarly ? EARLY.pull : 1)
    for (let k = 0; k < 2 * count; k++) {
      const [slope, before, gain] = [gradient[k] ?? 0, speed[k] ?? 0, gains[k] ?? 1]
      gains[k] = Math.max(0.01, slope * before > 0 ? gain * 0.8 : gain + 0.2)
      speed[k] = (isEarly ? 0.5 : 0.8) * before - LEARNING_RATE * (gains[k] ?? 1) * slope
      points[k] = (points[k] ?? 0) + (speed[k] ?? 0)
    }
  }
  return Float32Array.from(points)
}

/** p_ij, symmetric, of sum 1, [count, count]. */
function jointOf(cosines: Float32Array, count: number): Float64Array {
  const perplexity = Math.max(1.5, Math.min(MOST_NEIGHBOURS, (count - 1) / 3))
  const rows = Array.from({ length: count }, (_, i) => {
    const distances = Float64Array.from({ length: count }, (__, j) =>
      i === j ? Infinity : Math.max(0, 2 - 2 * (cosines[i * count + j] ?? 0)),
    )
    return nearnessOf(distances, Math.log(perplexity))
  })
  return Float64Array.from({ length: count * count }, (_, index) => {
    const [i, j] = [Math.floor(index / count), index % count]
    return Math.max(LEAST, ((rows[i]?.[j] ?? 0) + (rows[j]?.[i] ?? 0)) / (2 * count))
  })
}

/** exp(−β d) of sum 1, β such that the entropy is this, by bisection. */
function nearnessOf(distances: Float64Array, entropy: number): Float64Array {
  const nearest = Math.min(...distances)
  let [low, high, beta] = [0, Infinity, 1]
  let row = distances
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const weights = distances.map((distance) => Math.exp(-beta * (distance - nearest)))
    const sum = weights.reduce((total, weight) => total + weight, 0)
    row = weights.map((weight) => weight / sum)
    const found = -row.reduce((total, share) => (share > 0 ? total + share * Math.log(share) : total), 0)
    if (found > entropy) low = beta
    else high = beta
    beta = high === Infinity ? beta * 2 : (low + high) / 2
  }
  return row
}

function gradientOf(p: Float64Array, points: Float64Array, count: number, pull: number): Float64Array {
  const near = new Float64Array(count * count)
  let sum = 0
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      if (i === j) continue
      const [dx, dy] = apart(points, i, j)
      near[i * count + j] = 1 / (1 + dx * dx + dy * dy)
      sum += near[i * count + j] ?? 0
    }
  }
  const gradient = new Float64Array(2 * count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const closeness = near[i * count + j] ?? 0
      const force = 4 * (pull * (p[i * count + j] ?? 0) - closeness / Math.max(sum, LEAST)) * closeness
      const [dx, dy] = apart(points, i, j)
      gradient[2 * i] = (gradient[2 * i] ?? 0) + force * dx
      gradient[2 * i + 1] = (gradient[2 * i + 1] ?? 0) + force * dy
    }
  }
  return gradient
}

function apart(points: Float64Array, i: number, j: number): readonly [number, number] {
  return [(points[2 * i] ?? 0) - (points[2 * j] ?? 0), (points[2 * i + 1] ?? 0) - (points[2 * j + 1] ?? 0)]
}
