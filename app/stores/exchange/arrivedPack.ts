// Which roles of a pack that came in are chosen first, and what it is called. No state.
import { plainName } from '../../../src/cast/plainName.ts'
import type { Arrival, PackArrival } from '../../../src/exchange/arrival.ts'
import { useCast } from '../company/cast.ts'
import { storeText } from '../../words/store.ts'
import { listNames } from '../../words/names.ts'

/** A pack of more than these is chosen from, not taken whole. */
const FEW = 12

/** All roles of a small pack but those that are here anyway; where that leaves nobody, all. */
export function suggestedRoles(arrival: Arrival): readonly string[] {
  if (arrival.kind !== 'pack') return []
  const present = new Set(
    useCast
      .getState()
      .members.filter(({ isTrained }) => isTrained)
      .map(({ role }) => role),
  )
  const names = arrival.roles.map(({ name }) => name)
  const strangers = names.filter((name) => !present.has(name))
  const suggested = strangers.length > 0 ? strangers : names
  return suggested.length > FEW ? [] : suggested
}

/** What a pack is called in lists: who is in it. */
export function packName({ roles }: PackArrival): string {
  return listNames(
    roles.map(({ name }) => plainName(name.replaceAll('_', ' '))),
    storeText('company'),
  )
}
