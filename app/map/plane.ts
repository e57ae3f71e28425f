/** A place on the map, from 0 to 1 across and down. */
export interface Spot {
  readonly x: number
  readonly y: number
}

/** A part of whoever stands at a place: by its place in the list, in percent. */
export interface Share {
  readonly index: number
  readonly percent: number
}

/** So many of the nearest make up whoever stands between them. */
const NEAREST = 3
/** Nearer than this, one stands where another does. */
const TOUCHING = 0.02

/** Points as places, both directions on one scale, so that distances are true. @param points [count, 2]. */
export function placesOf(points: Float32Array): readonly Spot[] {
  const xs = [...points].filter((_, index) => index % 2 === 0)
  const ys = [...points].filter((_, index) => index % 2 === 1)
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const scale = 1 / (Math.max(right - left, high - low) || 1)
  return xs.map((x, index) => ({
    x: 0.5 + (x - (left + right) / 2) * scale,
    y: 0.5 - ((ys[index] ?? 0) - (low + high) / 2) * scale,
  }))
}

/** How much of whom stands at a place: of the nearest, by the inverse square of how far they are. */
export function mixAt(at: Spot, places: readonly Spot[]): readonly Share[] {
  const near = places
    .map(({ x, y }, index) => ({ index, distance: Math.hypot(x - at.x, y - at.y) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, NEAREST)
  const [first] = near
  if (!first) return []
  if (first.distance < TOUCHING) return [{ index: first.index, percent: 100 }]
  const weights = near.map(({ distance }) => 1 / distance ** 2)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const rounded = weights.map((weight) => Math.round((100 * weight) / sum))
  const others = rounded.slice(1).reduce((total, percent) => total + percent, 0)
  return near
    .map(({ index }, place) => ({ index, percent: place === 0 ? 100 - others : (rounded[place] ?? 0) }))
    .filter(({ percent }) => percent > 0)
}

/** Where a mix stands: the mean of the places of its parts, by their weights; null where it has none. */
export function placeOfMix(parts: readonly Share[], places: readonly Spot[]): Spot | null {
  const sum = parts.reduce((total, { percent }) => total + percent, 0)
  if (sum === 0) return null
  const mean = (axis: keyof Spot): number =>
    parts.reduce((total, { index, percent }) => total + (percent / sum) * (places[index]?.[axis] ?? 0), 0)
  return { x: mean('x'), y: mean('y') }
}
