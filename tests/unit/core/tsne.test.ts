import { expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { tsnePoints } from '../../../src/core/tsne.ts'

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, k) => sum + value * b[k]!, 0)

/** Cosines of so many noisy copies of each of some directions. */
function cosinesOf(
  groups: number,
  each: number,
): { cosines: Float32Array; group: (index: number) => number } {
  const random = new Random(7)
  const width = 24
  const noise = (): number => random.nextUniform() - 0.5
  const centres = Array.from({ length: groups }, () => Array.from({ length: width }, noise))
  const vectors = centres.flatMap((centre) =>
    Array.from({ length: each }, () => {
      const vector = centre.map((value) => value + 0.4 * noise())
      const norm = Math.hypot(...vector)
      return vector.map((value) => value / norm)
    }),
  )
  const cosines = Float32Array.from(vectors.flatMap((a) => vectors.map((b) => dot(a, b))))
  return { cosines, group: (index) => Math.floor(index / each) }
}

test('whoever is alike stands together, groups apart', () => {
  const count = 15
  const { cosines, group } = cosinesOf(3, 5)
  const points = tsnePoints(cosines, count)
  const distance = (i: number, j: number) =>
    Math.hypot(points[2 * i]! - points[2 * j]!, points[2 * i + 1]! - points[2 * j + 1]!)
  for (let i = 0; i < count; i++) {
    const others = Array.from({ length: count }, (_, j) => j).filter((j) => j !== i)
    const nearest = others.toSorted((a, b) => distance(i, a) - distance(i, b)).slice(0, 4)
    expect(nearest.map(group)).toEqual([group(i), group(i), group(i), group(i)])
  }
})

test('the same cosines give the same points', () => {
  const { cosines } = cosinesOf(2, 4)
  expect(tsnePoints(cosines, 8)).toEqual(tsnePoints(cosines, 8))
})

test.each([2, 3, 4])('%i that cannot be told apart have finite points', (count) => {
  const points = tsnePoints(new Float32Array(count * count).fill(1), count)
  expect(points).toHaveLength(2 * count)
  expect(points.every(Number.isFinite)).toBe(true)
})
