import type { SideRole } from './sideValues.ts'
import type { Value } from './values.ts'
import { scalarOf } from './node.ts'

/**
 * How far back a comparison of key positions with query positions shifted back by `distance` reaches: key > query − distance,
 * or what is not so.
 */
const REACHES: Readonly<Record<string, (distance: number) => number>> = {
  Greater: (distance) => distance,
  LessOrEqual: (distance) => distance,
  GreaterOrEqual: (distance) => distance + 1,
  Less: (distance) => distance + 1,
}

/** The same comparison with its sides exchanged. */
const MIRRORED: Readonly<Record<string, string>> = {
  Greater: 'Less',
  LessOrEqual: 'GreaterOrEqual',
  GreaterOrEqual: 'LessOrEqual',
  Less: 'Greater',
}

/**
 * What tokens see, from comparisons of positions: whether a window's mask says what is seen or what is not, and how it is
 * joined with the causal one, tells nothing more.
 */
export function maskOf(operator: string, roles: readonly (SideRole | undefined)[]): SideRole | undefined {
  const windows = roles.flatMap((role) => (role?.kind === 'mask' ? [role.window] : []))
  if (windows.length > 0) return { kind: 'mask', window: Math.min(...windows) }
  const [a, b] = roles
  if (a?.kind !== 'position' || b?.kind !== 'position' || !Object.hasOwn(REACHES, operator)) return undefined
  const distance = a.shift - b.shift
  if (distance === 0) return undefined
  const compared = distance > 0 ? operator : (MIRRORED[operator] ?? operator)
  const window = REACHES[compared]?.(Math.abs(distance)) ?? 0
  // A token that saw itself alone would be of no use: so the causal mask is written, key < query + 1.
  return window > 1 ? { kind: 'mask', window } : undefined
}

/** Positions plus a number, where it is known; one that is not moves them to where the run begins. */
export function shiftedPosition(
  role: SideRole | undefined,
  by: Value | undefined,
  sign: 1 | -1,
): SideRole | undefined {
  if (role?.kind !== 'position') return undefined
  return { kind: 'position', shift: role.shift + sign * (scalarOf(by) ?? 0) }
}
