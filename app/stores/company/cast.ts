// Scope: live. The cards of this site; who can play them is the engine's to say.
import type { RoleFacts } from '../../../src/formats/packFacts.ts'
import { create } from 'zustand'

import { fetchJson } from '../../../src/storage/servedJson.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { joinCast, readCast, withOwnBook } from '../../../src/cast/member.ts'
import { siteUrl } from '../page/site.ts'

interface CastState {
  /** The members of this site, before it is known who is trained. */
  readonly shipped: readonly CastMember[]
  /** Who was brought in here first, then the company that came with the model. */
  readonly members: readonly CastMember[]
  /** Whether the cards have come, or will not. */
  readonly isSettled: boolean
}

export const useCast = create<CastState>()(() => ({ shipped: [], members: [], isSettled: false }))

/** Fetches the cards, so that the gallery stands before the model does. Without them the pack's roles still play. */
export async function openCast(): Promise<void> {
  try {
    const shipped = readCast(await fetchJson(siteUrl('cast/cards.json')))
    useCast.setState(({ members }) => ({
      shipped,
      members: members.some(({ guest }) => !guest) ? members : [...members, ...joinCast(shipped, null)],
    }))
  } finally {
    useCast.setState({ isSettled: true })
  }
}

let books: Promise<unknown> | null = null

/**
 * Gives a member of this site its lorebook, which only a model with room for more than a line reads; without it they play all
 * the same, and it is asked for again.
 */
export async function bringBook(key: string | null): Promise<void> {
  if (key === null) return
  books ??= fetchJson(siteUrl('cast/books.json')).catch(() => {
    books = null
  })
  const json = await books
  useCast.setState(({ shipped, members }) => ({
    shipped: withOwnBook(shipped, key, json),
    members: withOwnBook(members, key, json),
  }))
}

/** Gives those who were brought in here their seats. */
export function seatGuests(guests: readonly CastMember[]): void {
  useCast.setState(({ members }) => ({ members: [...guests, ...members.filter(({ guest }) => !guest)] }))
}

/** Joins the cards with the roles that the loaded pack holds. */
export function assignRoles(roles: readonly RoleFacts[]): void {
  useCast.setState(({ shipped, members }) => ({
    members: [...members.filter(({ guest }) => guest), ...joinCast(shipped, roles)],
  }))
}

/** The member of this key; undefined for the bare backbone and for whoever is not here. */
export function findMember(members: readonly CastMember[], key: string | null): CastMember | undefined {
  return key === null ? undefined : members.find((member) => member.key === key)
}
