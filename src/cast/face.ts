import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { RoleFacts } from '../formats/packFacts.ts'
import { portraitAccent, portraitSvg } from './portrait/portrait.ts'

/** A colour for each of the two papers. */
export interface Accent {
  readonly light: string
  readonly dark: string
}

/** A face that is drawn from numbers. */
export interface DrawnFace {
  /** A data: URL. */
  readonly portrait: string
  readonly accent: Accent
}

/** Numbers that a face is drawn from, at least. */
const LEAST_NUMBERS = 8

/** A drawing within a card, in characters of its address, at most. */
export const LONGEST_DRAWING = 16 * 1024

/** The face that a role's own vector gives; null for a vector too short to tell anybody by. */
export function faceOf(vector: Float32Array): DrawnFace | null {
  if (vector.length < LEAST_NUMBERS) return null
  const svg = portraitSvg(vector)
  return { portrait: `data:image/svg+xml,${encodeURIComponent(svg)}`, accent: portraitAccent(vector) }
}

/** The vector that a role's face is drawn from: its own, or the mix of its parents', as the weights are mixed. */
export function faceVector(
  roles: readonly Pick<RoleFacts, 'name' | 'vector'>[],
  role: Pick<RoleFacts, 'vector' | 'blend'>,
): Float32Array {
  if (!role.blend) return role.vector
  const parents = role.blend.flatMap(({ role: name, weight }) => {
    const vector = roles.find((one) => one.name === name)?.vector
    return vector ? [{ vector, weight }] : []
  })
  const [first] = parents
  if (!first) return role.vector
  return first.vector.map((_, index) =>
    parents.reduce((sum, { vector, weight }) => sum + weight * (vector[index] ?? 0), 0),
  )
}

/**
 * The drawing that travels within a card, as a data URI, shown only as a picture, in which nothing runs and nothing is
 * fetched: the icon called "main", else the first, of at most 16 KiB.
 */
export function drawingOf(card: CharacterCard): string | null {
  const drawn = card.assets.filter(
    ({ type, uri }) =>
      type === 'icon' && /^data:image\/svg\+xml[;,]/i.test(uri) && uri.length <= LONGEST_DRAWING,
  )
  return (drawn.find(({ name }) => name === 'main') ?? drawn[0])?.uri ?? null
}

/** The `data` of a card with a drawing as its icon, so that it is there wherever the card goes; one with an icon stays. */
export function withDrawing(data: JsonRecord, drawing: string): JsonRecord {
  const assets = ownField(data, 'assets')
  const others: readonly unknown[] = Array.isArray(assets) ? assets : []
  const hasIcon = others.some((asset) => isJsonRecord(asset) && ownField(asset, 'type') === 'icon')
  if (hasIcon) return data
  return { ...data, assets: [{ type: 'icon', uri: drawing, name: 'main', ext: 'svg' }, ...others] }
}
