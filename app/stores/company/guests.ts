// Scope: document. Whoever joined the company on this device: kept packs, and cards that play by their text.
import type { PackRef } from '../../../src/formats/packFacts.ts'
import { create } from 'zustand'

import type { JsonRecord } from '../../../src/core/json.ts'
import type { KeptCard } from '../../../src/storage/cardLibrary.ts'
import type { KeptPack, NewPack } from '../../../src/storage/packLibrary.ts'
import { cardMember, packMembers } from '../../../src/cast/member.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { seatGuests } from './cast.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { neededKeeping, keeping } from './keeping.ts'
import type { Keeping } from './keeping.ts'
import { storeText } from '../../words/store.ts'

interface GuestsState {
  /** The packs that are kept here, the last added first. */
  readonly packs: readonly KeptPack[]
  readonly cards: readonly KeptCard[]
}

export const useGuests = create<GuestsState>()(() => ({ packs: [], cards: [] }))

/** Files of packs that were read since the page opened. */
const files = new Map<string, Blob>()

/** Reads who is kept here, and gives them their seats in the cast. */
export async function listGuests(): Promise<void> {
  const storage = await keeping()
  const [packs, cards] = storage
    ? await Promise.all([storage.library.list(), storage.cards.list()])
    : [useGuests.getState().packs, useGuests.getState().cards]
  seat(packs, cards)
}

function seat(packs: readonly KeptPack[], cards: readonly KeptCard[]): void {
  useGuests.setState({ packs, cards })
  const members: readonly CastMember[] = [
    ...packs.flatMap((pack) => packMembers(pack)),
    ...cards.map((card) => cardMember(card)),
  ]
  seatGuests(members)
}

/**
 * Keeps a pack; those of its roles that are named as cast stand in the gallery at once.
 *
 * @throws HycoraError `format-invalid`, `storage-full`, `storage-corrupt`.
 */
export async function keepPack(pack: Omit<NewPack, 'id'> & { readonly id?: string }): Promise<KeptPack> {
  const storage = await neededKeeping()
  const kept = await storage.library.add({ id: newId(), ...pack })
  files.set(kept.id, pack.file)
  await listGuests()
  return kept
}

/** Keeps a card, whose text plays. @throws HycoraError `storage-full`, `storage-corrupt`. */
export async function keepCard(card: Omit<KeptCard, 'version' | 'id' | 'addedAt'>): Promise<KeptCard> {
  const storage = await neededKeeping()
  const kept: KeptCard = { version: 1, id: newId(), addedAt: Date.now(), ...card }
  await storage.cards.add(kept)
  await listGuests()
  return kept
}

/** Keeps a card as it is now. @throws HycoraError `storage-full`, `storage-corrupt`. */
export async function changeCard(card: KeptCard): Promise<void> {
  const storage = await neededKeeping()
  await storage.cards.add(card)
  await listGuests()
}

/** Keeps the card and the picture of a pack's role as they are now; the file stays as it came. @throws HycoraError `storage-full`, `storage-corrupt`. */
export async function changeRoleCard(
  { id }: Pick<KeptPack, 'id'>,
  role: string,
  { card, portrait }: RoleDress,
): Promise<void> {
  const storage = await neededKeeping()
  const pack = useGuests.getState().packs.find((one) => one.id === id)
  if (!pack) return
  const { cards: _, ...others } = pack
  const cards = withEntry(pack.cards ?? new Map<string, JsonRecord>(), role, card)
  const portraits = withEntry(pack.portraits, role, portrait)
  await storage.library.change({ ...others, portraits, ...(cards.size > 0 && { cards }) })
  await listGuests()
}

/** How a role of a kept pack is shown, where that differs from its file. */
export interface RoleDress {
  /** Null is that of the file. */
  readonly card: JsonRecord | null
  /** Null is the one that its card or its vector draws. */
  readonly portrait: Blob | null
}

function withEntry<T>(all: ReadonlyMap<string, T>, key: string, value: T | null): ReadonlyMap<string, T> {
  const others = [...all].filter(([name]) => name !== key)
  return new Map(value === null ? others : [...others, [key, value]])
}

/** The file of a kept pack. @throws HycoraError `storage-corrupt` when it is not here or not what was kept. */
export async function packFileOf(id: string): Promise<Blob> {
  const known = files.get(id)
  if (known) return known
  const storage = await neededKeeping()
  const file = await storage.library.read(id)
  files.set(id, file)
  return file
}

/** What the engine is told of a member's pack; undefined for the company that came with the model, and for texts. */
export async function packRefOf(member: CastMember | undefined): Promise<PackRef | undefined> {
  if (!member?.guest || member.role === null) return undefined
  const { id } = member.guest
  const pack = useGuests.getState().packs.find((one) => one.id === id)
  return { id, name: pack?.name ?? member.displayName, file: await packFileOf(id) }
}

/** Sends somebody away, and offers to take that back; what was said with them stays. */
export async function removeGuest(member: CastMember): Promise<void> {
  const { guest } = member
  const storage = await neededKeeping()
  const card = useGuests.getState().cards.find(({ id }) => id === guest?.id)
  const pack = useGuests.getState().packs.find(({ id }) => id === guest?.id)
  if (card) {
    await storage.cards.remove(card.id)
    await listGuests()
    notify(storeText('guest.gone', { displayName: member.displayName }), async () => {
      await storage.cards.add(card)
      await listGuests()
    })
  } else if (pack && pack.cast.length > 1 && member.role !== null) {
    const file = await packFileOf(pack.id)
    await storage.library.add({ ...pack, file, cast: pack.cast.filter((name) => name !== member.role) })
    await listGuests()
    notify(storeText('guest.left', { displayName: member.displayName }), () => restore(storage, pack, file))
  } else if (pack) await removePack(pack)
}

/** Removes a pack and its roles, and offers to take that back. */
export async function removePack(pack: KeptPack): Promise<void> {
  const storage = await neededKeeping()
  const file = await packFileOf(pack.id)
  await storage.library.remove(pack.id)
  files.delete(pack.id)
  await listGuests()
  notify(storeText('pack.removed', { name: pack.name }), () => restore(storage, pack, file))
}

async function restore(storage: Keeping, pack: KeptPack, file: Blob): Promise<void> {
  await storage.library.add({ ...pack, file })
  await listGuests()
}
