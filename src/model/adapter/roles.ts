import { HycoraError, check } from '../../core/errors.ts'
import type { Pack } from '../../formats/pack.ts'
import { checkParents } from '../../formats/packRoles.ts'
import type { BlendPart } from '../../formats/packRoles.ts'
import type { Casting } from '../decoder/backbone.ts'

/**
 * The row of a pack's role by name.
 *
 * @throws HycoraError `usage` naming the roles there are.
 */
export function findRole(pack: Pack, name: string): number {
  const index = pack.roles.findIndex((role) => role.name === name)
  if (index >= 0) return index
  const names = pack.roles.map((role) => role.name).join(', ')
  throw new HycoraError('usage', `${pack.name} has no role "${name}"; it has ${names}`)
}

/** Who plays when a role of a pack does: the role itself, or its parents by weight where it is a saved blend. */
export function castRole(pack: Pack, name: string, strength: number): Casting {
  const index = findRole(pack, name)
  const blend = pack.roles[index]?.blend
  return blend ? castBlend(pack, blend, strength) : { parts: [{ role: index, weight: 1 }], strength }
}

/**
 * Who plays when roles of a pack are mixed: A = Σ_i w_i·A_i, which is mixing ΔW, since B is shared.
 *
 * @throws HycoraError `usage` for a role that is not there, or is itself a blend; as `checkParents`.
 */
export function castBlend(pack: Pack, blend: readonly BlendPart[], strength: number): Casting {
  const parts = blend.map(({ role, weight }) => ({ role: findRole(pack, role), weight }))
  const nested = blend.find((_, index) => (parts[index]?.role ?? 0) >= pack.rows)
  check(!nested, 'usage', () => `${nested?.role} is a blend itself: mix the roles that it is made of`)
  checkParents(pack.config.sources.B, parts.length)
  return { parts, strength }
}
