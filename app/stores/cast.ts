// Scope: live. The cards of this site; who can play them is the engine's to say.
import type { RoleFacts } from '../../src/formats/packFacts.ts'
import { create } from 'zustand'

import { fetchJson } from '../../src/storage/downloads.ts'
import type { Card, CastMember } from '../cast/castMember.ts'
import { joinCast, readCards } from '../cast/castMember.ts'
import { siteUrl } from './site.ts'

interface CastState {
  readonly cards: readonly Card[]
  /** Who was brought in here first, then the company that came with the model. */
  readonly members: readonly CastMember[]
  /** Whether the cards have come, or will not. */
  readonly isSettled: boolean
}

export const useCast = create<CastState>()(() => ({ cards: [], members: [], isSettled: false }))

/** Fetches the cards, so that the gallery stands before the model does. Without them the pack's roles still play. */
export async function openCast(): Promise<void> {
  try {
    const cards = readCards(await fetchJson(siteUrl('cast/cards.json')))
    useCast.setState(({ members }) => ({
      cards,
      members: members.some(({ guest }) => !guest) ? members : [...members, ...joinCast(cards, null)],
    }))
  } finally {
    useCast.setState({ isSettled: true })
  }
}

/** Gives those who were brought in here their seats. */
export function seatGuests(guests: readonly CastMember[]): void {
  useCast.setState(({ members }) => ({ members: [...guests, ...members.filter(({ guest }) => !guest)] }))
}

/** Joins the cards with the roles that the loaded pack holds. */
export function assignRoles(roles: readonly RoleFacts[]): void {
  useCast.setState(({ cards, members }) => ({
    members: [...members.filter(({ guest }) => guest), ...joinCast(cards, roles)],
  }))
}

/** The member of this name; undefined for the bare backbone and for roles that are not here. */
export function findMember(members: readonly CastMember[], name: string | null): CastMember | undefined {
  return name === null ? undefined : members.find((member) => member.name === name)
}
