import { expect, test } from 'vitest'

import { mixAt, placeOfMix, placesOf } from '../../../app/map/plane.ts'

const places = placesOf(Float32Array.of(0, 0, 4, 0, 0, 2, 4, 2))

test('points become places of true distances', () => {
  expect(places).toEqual([
    { x: 0, y: 0.75 },
    { x: 1, y: 0.75 },
    { x: 0, y: 0.25 },
    { x: 1, y: 0.25 },
  ])
  expect(placesOf(Float32Array.of(3, 3))).toEqual([{ x: 0.5, y: 0.5 }])
})

test('whoever stands at a place is made of the nearest, and all of one where that one stands', () => {
  expect(mixAt({ x: 0.01, y: 0.75 }, places)).toEqual([{ index: 0, percent: 100 }])
  const between = mixAt({ x: 0, y: 0.5 }, places)
  expect(between.map(({ index }) => index)).toEqual([0, 2, 1])
  expect(between.reduce((sum, { percent }) => sum + percent, 0)).toBe(100)
  expect(between[0]!.percent).toBeGreaterThanOrEqual(between[2]!.percent)
  expect(mixAt({ x: 0, y: 0 }, [])).toEqual([])
})

test('a mix stands between its parts', () => {
  const parts = [
    { index: 0, percent: 75 },
    { index: 1, percent: 25 },
  ]
  expect(placeOfMix(parts, places)).toEqual({ x: 0.25, y: 0.75 })
  expect(placeOfMix([], places)).toBeNull()
})
