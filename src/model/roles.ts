import { HycoraError } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import type { Casting } from './backbone.ts'

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
  const parts = blend
    ? blend.map(({ role, weight }) => ({ role: findRole(pack, role), weight }))
    : [{ role: index, weight: 1 }]
  return { parts, strength }
}
