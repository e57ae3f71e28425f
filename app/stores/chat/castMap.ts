// Scope: session. How near the characters of a company are to one another, and a path from one of them to another.
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import type { RoleMap } from '../../../src/core/training.ts'
import { isPlayable } from '../../../src/cast/member.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { packRefOf } from '../company/guests.ts'
import { whenReady } from '../engine/engine.ts'
import { mixable, setParts, useBlend } from './blend.ts'
import type { Part } from './blend.ts'

/** A chat that turns from one character into another. */
export interface CastPath {
  readonly from: string
  readonly to: string
  /** In how many answers, at least two. */
  readonly answers: number
  /** How many of them were given. */
  readonly given: number
}

interface CastMapState {
  /** The company that the map is of, by a key of one of its members. */
  readonly of: string | null
  readonly map: RoleMap | null
  readonly failure: Failure | null
  readonly path: CastPath | null
}

export const useCastMap = create<CastMapState>()(() => ({ of: null, map: null, failure: null, path: null }))

/** Fewer have no map. */
const FEWEST = 3

/** The companies that have a map: each by its members, who can be mixed. */
export function mappedCompanies(
  members: readonly CastMember[],
  info: { readonly fingerprint: string } | null,
): readonly (readonly CastMember[])[] {
  const firsts = members.filter(
    (member, index) =>
      isPlayable(member, info) && members.findIndex(({ guest }) => guest?.id === member.guest?.id) === index,
  )
  return firsts
    .map((first) => mixable(members, [{ key: first.key, percent: 100 }], info))
    .filter((company) => company.length >= FEWEST)
}

/** Has the engine measure a company. */
export async function measureCompany(company: readonly CastMember[]): Promise<void> {
  const [first] = company
  if (!first) return
  const { of, path } = useCastMap.getState()
  useCastMap.setState({ of: first.key, map: null, failure: null, path: of === first.key ? path : null })
  try {
    const engine = await whenReady(new AbortController().signal)
    const pack = await packRefOf(first)
    const map = await engine.request('map', pack ? { pack } : {})
    if (useCastMap.getState().of === first.key) useCastMap.setState({ map })
  } catch (thrown) {
    const failure = failureOf(thrown, 'device-lost')
    if (failure.code !== 'cancelled') useCastMap.setState({ failure })
  }
}

/** Who answers next on a path. */
function partsOn({ from, to, answers, given }: CastPath): readonly Part[] {
  const percent = Math.round((100 * Math.min(given, answers - 1)) / (answers - 1))
  return [
    { key: from, percent: 100 - percent },
    { key: to, percent },
  ]
}

/** Begins a path with the first of the two alone; what was said before is forgotten. */
export function beginPath(from: string, to: string, answers: number): void {
  const path = { from, to, answers, given: 0 }
  useBlend.setState({ exchanges: [] })
  useCastMap.setState({ path })
  setParts(partsOn(path))
}

/** Goes one answer further on the path, where there is one that is not at its end. */
export function goOnPath(): void {
  const { path } = useCastMap.getState()
  if (!path || path.given >= path.answers) return
  const next = { ...path, given: path.given + 1 }
  useCastMap.setState({ path: next })
  setParts(partsOn(next))
}

/** Leaves the path: whoever stands there stays. */
export function leavePath(): void {
  useCastMap.setState({ path: null })
}
