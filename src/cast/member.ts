import { isJsonRecord, ownField } from '../core/json.ts'
import { fillMacros } from '../core/macros.ts'
import type { JsonRecord } from '../core/json.ts'
import { seedOf } from '../core/random.ts'
import { readCard } from '../formats/card.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { RoleFacts } from '../formats/packFacts.ts'
import type { KeptCard } from '../storage/cardLibrary.ts'
import type { KeptPack, Origin } from '../storage/packLibrary.ts'
import { greetingsOf, nameOf } from './cardTexts.ts'
import { drawingOf, faceOf, faceVector } from './face.ts'
import type { Accent } from './face.ts'
import { guestKey } from './key.ts'
import { plainName } from './plainName.ts'
import { opening } from './roleLine.ts'

/** A character as the app shows it: its card joined with its role in the pack. */
export interface CastMember {
  /** What identifies it on this device, and what chats store: the name in the pack that came with the model, else `guestKey`. */
  readonly key: string
  /** The name in its pack; null where only a text plays. */
  readonly role: string | null
  /** The kept pack or card that it is of; null for the company that came with the model. */
  readonly guest: Guest | null
  readonly displayName: string
  /** One line in the character's own voice. */
  readonly line: string
  /** A path of this site, a data: URL or a picture that lies here; null where there is none yet. */
  readonly portrait: string | Blob | null
  readonly accent: Accent
  readonly starters: readonly string[]
  /** First messages of a chat, the usual one first; macros unresolved. */
  readonly greetings: readonly string[]
  /** Whether trained weights play the role; null while the model is not loaded. */
  readonly isTrained: boolean | null
  readonly card: CharacterCard | null
  /** The `data` that the card was read from, to be handed on whole; read by nobody. */
  readonly cardData: JsonRecord | null
}

/** Somebody who joined the company on this device. */
export interface Guest {
  /** Of the kept pack, or of the kept card. */
  readonly id: string
  readonly origin: Origin | { readonly kind: 'card'; readonly fileName: string }
  /** The backbone that it was trained on; null for a text, which any can play. */
  readonly backbone: { readonly name: string; readonly fingerprint: string } | null
}

const houseAccent: Accent = { light: '#7a4a2b', dark: '#d9a679' }

const LONGEST_LINE = 140

const commonStarters: readonly string[] = ['Who are you?', 'Tell me about your day.', 'What do you fear?']

/** Whether weights were trained on another model than the loaded one, as far as both say what they are. */
export function isForAnotherModel(
  backbone: { readonly fingerprint: string } | null | undefined,
  loaded: { readonly fingerprint: string } | null,
): boolean {
  if (!backbone || !loaded || backbone.fingerprint === '' || loaded.fingerprint === '') return false
  return backbone.fingerprint !== loaded.fingerprint
}

/** Whether trained weights play somebody on the loaded model. */
export function isPlayable(
  { isTrained, role, guest }: CastMember,
  loaded: { readonly fingerprint: string } | null,
): boolean {
  return isTrained === true && role !== null && !isForAnotherModel(guest?.backbone, loaded)
}

/** The cast: the members of this site in their order, then the roles of the pack that are none of them. */
export function joinCast(
  shipped: readonly CastMember[],
  roles: readonly RoleFacts[] | null,
): readonly CastMember[] {
  const carded = shipped.map((member): CastMember => {
    const role = roles?.find(({ name }) => name === member.role)
    const face = member.portrait === null && role ? faceOf(role.vector) : null
    return { ...member, ...face, isTrained: roles ? role !== undefined : null }
  })
  const known = new Set(shipped.map(({ role }) => role))
  const bare = (roles ?? []).filter(({ name }) => !known.has(name)).map(memberWithoutEntry)
  return [...carded, ...bare]
}

function memberWithoutEntry(role: RoleFacts): CastMember {
  return { ...memberOf(role.name, role.card), ...faceOf(role.vector), isTrained: true }
}

/** The roles of a kept pack that stand in the cast. */
export function packMembers(pack: KeptPack): readonly CastMember[] {
  const { id, origin, backbone } = pack
  return pack.roles
    .filter(({ name }) => pack.cast.includes(name))
    .map((role): CastMember => {
      const [picture, card] = [pack.portraits.get(role.name), pack.cards?.get(role.name)]
      return {
        ...arrivingMember(card ? { ...role, card } : role, pack.roles),
        ...(picture && { portrait: picture }),
        key: guestKey(id, role.name),
        guest: { id, origin, backbone },
      }
    })
}

/** A role of a pack with a face: drawn from its vector, unless a drawing travels in its card. */
export function arrivingMember(
  role: RoleFacts,
  roles: readonly Pick<RoleFacts, 'name' | 'vector'>[],
): CastMember {
  const member = memberOf(role.name, role.card)
  return { ...member, ...faceOf(faceVector(roles, role)), ...drawnIn(member.card), isTrained: true }
}

/** Somebody who plays by a card's text. */
export function cardMember(
  kept: Pick<KeptCard, 'id' | 'name' | 'card' | 'portrait' | 'fileName'>,
): CastMember {
  const member = memberOf(kept.name, kept.card)
  return {
    ...member,
    ...drawnIn(member.card),
    ...(kept.portrait && { portrait: kept.portrait }),
    key: guestKey(kept.id, kept.name),
    role: null,
    isTrained: false,
    guest: { id: kept.id, origin: { kind: 'card', fileName: kept.fileName }, backbone: null },
  }
}

function drawnIn(card: CharacterCard | null): Partial<Pick<CastMember, 'portrait'>> {
  const drawing = card && drawingOf(card)
  return drawing ? { portrait: drawing } : {}
}

/** The members of `cast/cards.json`; entries that are not objects are left out. */
export function readCast(json: unknown): readonly CastMember[] {
  if (!isJsonRecord(json)) return []
  return Object.entries(json).flatMap(([name, entry]) =>
    isJsonRecord(entry) ? [readEntry(name, entry)] : [],
  )
}

/**
 * The members with the lorebook that `cast/books.json` has for one of this site; the same ones where it has none, or it is
 * there already. To unpack a book takes the page longer than a frame, so those of the others wait until these play.
 */
export function withOwnBook(
  members: readonly CastMember[],
  key: string,
  json: unknown,
): readonly CastMember[] {
  const member = members.find((one) => one.key === key && !one.guest)
  const book = isJsonRecord(json) ? ownField(json, key) : undefined
  if (!member?.card || member.card.book || !isJsonRecord(book)) return members
  const { book: read, lore, lorebookEntries } = readCard({ name: key, character_book: book })
  const card = { ...member.card, book: read, lore, lorebookEntries }
  return members.map((one) => (one === member ? { ...one, card } : one))
}

/** A member of this site: its card, and what the gallery shows beside it. */
function readEntry(name: string, entry: JsonRecord): CastMember {
  const data = ownField(entry, 'card')
  const member = memberOf(name, isJsonRecord(data) ? data : null)
  const starters = ownField(entry, 'starters')
  const written = Array.isArray(starters) ? starters.map(text).filter((starter) => starter !== '') : []
  const portrait = text(ownField(entry, 'portrait'))
  const displayName = text(ownField(entry, 'displayName'))
  return {
    ...member,
    displayName: displayName === '' ? member.displayName : plainName(displayName),
    line: text(ownField(entry, 'line')) || member.line,
    // Only what this site serves is shown: an entry must not make the page ask a stranger for a picture.
    portrait: /^cast\/[\w-]+\.svg$/.test(portrait) ? portrait : null,
    accent: readAccent(entry),
    starters: written.length > 0 ? written : commonStarters,
  }
}

function memberOf(name: string, data: JsonRecord | null): CastMember {
  const written = name.replaceAll('_', ' ')
  const card = data && readCard(data, written)
  const displayName = plainName(card ? nameOf(card) : written)
  return {
    key: name,
    role: name,
    guest: null,
    displayName,
    line: card ? openingOf(card, displayName) : '',
    portrait: null,
    accent: houseAccent,
    starters: commonStarters,
    greetings: card ? greetingsOf(card) : [],
    isTrained: null,
    card,
    cardData: data,
  }
}

/** What a card's description says first, short enough for a tile. */
function openingOf(card: CharacterCard, character: string): string {
  const names = { user: 'you', character, seed: seedOf(card.name) }
  const line = opening({ ...card, description: fillMacros(card.description, names) }, LONGEST_LINE)
  return line.replaceAll(/\s+/g, ' ')
}

function colour(value: unknown): string | undefined {
  const written = text(value)
  return /^#[0-9a-f]{6}$/i.test(written) ? written : undefined
}

function readAccent(entry: JsonRecord): Accent {
  const plain = colour(ownField(entry, 'accent'))
  return {
    light: colour(ownField(entry, 'accentLight')) ?? plain ?? houseAccent.light,
    dark: colour(ownField(entry, 'accentDark')) ?? plain ?? houseAccent.dark,
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
