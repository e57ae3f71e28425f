import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import type { SourceOfB } from './packConfig.ts'

/** A part of a saved blend: the matrix A of another role of the pack, weighted. */
export interface BlendPart {
  readonly role: string
  /** May be negative; the weights need not sum to 1. */
  readonly weight: number
}

export interface PackRole {
  readonly name: string
  /** The `data` object of a Character Card V3 as it stands in the file; read it with `readCard`. */
  readonly card: JsonRecord | null
  /** The exact system text of training; null means no system turn at all. */
  readonly system: string | null
  /** Only roles without a row of their own have one. */
  readonly blend: readonly BlendPart[] | null
}

const MAX_ROLES = 4096
const MAX_NAME_CHARACTERS = 256
/** Roles that a blend may mix. */
export const MAX_PARENTS = 64

/**
 * Validates the parsed `roles` of a pack: names differ, blends stand last and name roles that have rows.
 *
 * @throws HycoraError `format-invalid` naming the role.
 */
export function readPackRoles(value: unknown, name: string): readonly PackRole[] {
  check(
    Array.isArray(value) && value.length > 0 && value.length <= MAX_ROLES,
    'format-invalid',
    () => `${name}: roles is not a list of 1 to ${MAX_ROLES} roles`,
  )
  const roles = value.map((entry, index) => readRole(entry, `${name}: role ${index}`))
  check(new Set(roles.map((role) => role.name)).size === roles.length, 'format-invalid', () => {
    return `${name}: two roles have the same name`
  })
  const rows = rowCount(roles)
  check(
    rows > 0 && roles.slice(rows).every((role) => role.blend),
    'format-invalid',
    () => `${name}: blends do not stand after all roles that have rows`,
  )
  const parents = new Set(roles.slice(0, rows).map((role) => role.name))
  for (const role of roles) {
    const stranger = role.blend?.find((part) => !parents.has(part.role))
    check(stranger === undefined, 'format-invalid', () => {
      return `${name}: the blend ${role.name} names ${JSON.stringify(stranger?.role)}, expected a role with a row`
    })
  }
  return roles
}

/**
 * Checks that so many roles of a pack can be mixed.
 *
 * @throws HycoraError `format-unsupported` when roles have their own B, so that no mix of their A is a mix of the roles;
 *   `usage` for more than `MAX_PARENTS`.
 */
export function checkParents(sourceOfB: SourceOfB, parents: number): void {
  check(sourceOfB === 'shared' || parents === 1, 'format-unsupported', () => {
    return 'roles of this pack have their own B and cannot be blended'
  })
  check(parents >= 1 && parents <= MAX_PARENTS, 'usage', () => {
    return `${parents} roles cannot be blended, expected 1 to ${MAX_PARENTS}`
  })
}

/** How many roles have rows of their own: all but the blends. */
export function rowCount(roles: readonly PackRole[]): number {
  const first = roles.findIndex((role) => role.blend)
  return first < 0 ? roles.length : first
}

function readRole(value: unknown, where: string): PackRole {
  check(isJsonRecord(value), 'format-invalid', () => `${where} is not an object`)
  const unknown = Object.keys(value).find((key) => !['name', 'card', 'system', 'blend'].includes(key))
  check(unknown === undefined, 'format-invalid', () => {
    return `${where} has the key ${JSON.stringify(unknown?.slice(0, 64))}, expected name, card, system, blend`
  })
  const roleName = ownField(value, 'name')
  check(
    typeof roleName === 'string' && roleName.length > 0 && roleName.length <= MAX_NAME_CHARACTERS,
    'format-invalid',
    () => `${where} has no name of 1 to ${MAX_NAME_CHARACTERS} characters`,
  )
  check(!/\p{Cc}/u.test(roleName), 'format-invalid', () => `${where} has control characters in its name`)
  const [card, system, blend] = [ownField(value, 'card'), ownField(value, 'system'), ownField(value, 'blend')]
  check(
    card === undefined || isJsonRecord(card),
    'format-invalid',
    () => `${where} has a card that is not an object`,
  )
  check(system === undefined || typeof system === 'string', 'format-invalid', () => {
    return `${where} has a system that is not text`
  })
  return {
    name: roleName,
    card: card ?? null,
    system: system ?? null,
    blend: blend === undefined ? null : readBlend(blend, where),
  }
}

function readBlend(value: unknown, where: string): readonly BlendPart[] {
  check(
    Array.isArray(value) && value.length > 0 && value.length <= MAX_PARENTS,
    'format-invalid',
    () => `${where} has a blend that is not a list of 1 to ${MAX_PARENTS} parts`,
  )
  return value.map((part): BlendPart => {
    const [role, weight] = isJsonRecord(part) ? [ownField(part, 'role'), ownField(part, 'weight')] : []
    check(
      typeof role === 'string' &&
        typeof weight === 'number' &&
        Number.isFinite(weight) &&
        Object.keys(part).length === 2,
      'format-invalid',
      () => `${where} has a blend whose parts are not a role and a finite weight`,
    )
    return { role, weight }
  })
}

/** The JSON that `readPackRoles` reads; what a role has not is left out. */
export function packRolesJson(roles: readonly PackRole[]): readonly JsonRecord[] {
  return roles.map(({ name, card, system, blend }) => ({
    name,
    ...(card && { card }),
    ...(system !== null && { system }),
    ...(blend && { blend }),
  }))
}
