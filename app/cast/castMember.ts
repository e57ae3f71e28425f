import type { RoleFacts } from '../../src/formats/packFacts.ts'
import { portraitAccent, portraitSvg } from '../../src/core/portrait.ts'
import { roleLine } from '../../src/core/roleLine.ts'
import type { KeptCard } from '../../src/storage/cardLibrary.ts'
import type { KeptPack, Origin } from '../../src/storage/packLibrary.ts'
import { pictureAddress } from './pictureAddress.ts'

/** A character as the app shows it: its card joined with its role in the pack. */
export interface CastMember {
  /** What chats store: the name in the pack that came with the model, else `guestKey`. */
  readonly name: string
  /** The name in its pack; null where only a text plays. */
  readonly role: string | null
  /** The kept pack or card that it is of; null for the company that came with the model. */
  readonly guest: Guest | null
  readonly displayName: string
  /** One line in the character's own voice. */
  readonly line: string
  /** Where the portrait lies, or a data: URL; null where there is none yet. */
  readonly portrait: string | null
  readonly accent: Accent
  readonly starters: readonly string[]
  /** First messages of a chat, the usual one first; macros unresolved. */
  readonly greetings: readonly string[]
  /** Whether trained weights play the role; null while the model is not loaded. */
  readonly isTrained: boolean | null
  /** What a role without weights is told to be; null without a card. */
  readonly cardText: string | null
  /** The `data` of its card as it came; null without one. */
  readonly card: Record<string, unknown> | null
}

/** Somebody who joined the company on this device. */
export interface Guest {
  /** Of the kept pack, or of the kept card. */
  readonly id: string
  readonly origin: Origin | { readonly kind: 'card'; readonly fileName: string }
  /** The backbone that it was trained on; null for a text, which any can play. */
  readonly backbone: { readonly name: string; readonly fingerprint: string } | null
}

export interface Accent {
  readonly light: string
  readonly dark: string
}

/** Whether weights were trained on another model than the loaded one, as far as both say what they are. */
export function isForAnotherModel(
  backbone: { readonly fingerprint: string } | null | undefined,
  loaded: { readonly fingerprint: string } | null,
): boolean {
  if (!backbone || !loaded || backbone.fingerprint === '' || loaded.fingerprint === '') return false
  return backbone.fingerprint !== loaded.fingerprint
}

/** What a card of `cast/cards.json` gives. */
export type Card = Omit<CastMember, 'isTrained' | 'guest'>

/** What chats store of a guest; the name alone would be the name of somebody else in another pack. */
export function guestKey(id: string, role: string): string {
  return `${id}/${role}`
}

const GUEST_KEY = /^[0-9a-f]{24}\/(.+)$/s

/** Whether what a chat stores is the key of a guest. */
export function isGuestKey(key: string | null): boolean {
  return key !== null && GUEST_KEY.test(key)
}

/** The name in what chats store. */
export function nameInKey(key: string): string {
  return GUEST_KEY.exec(key)?.[1] ?? key
}

const houseAccent: Accent = { light: '#7a4a2b', dark: '#d9a679' }

const LONGEST_NAME = 80
/** Numbers that a face is drawn from, at least. */
const LEAST_FACE = 8
const LONGEST_LINE = 140
/** A drawing within a card, in characters of its address. */
const LONGEST_DRAWING = 16 * 1024
/** More of a card than any model here can read. */
const LONGEST_CARD_TEXT = 60_000

const commonStarters: readonly string[] = ['Who are you?', 'Tell me about your day.', 'What do you fear?']

/** The cast: the cards in their order, then the roles of the pack that have none. */
export function joinCast(cards: readonly Card[], roles: readonly RoleFacts[] | null): readonly CastMember[] {
  const names = new Set(roles?.map((role) => role.name))
  const carded = cards.map((card): CastMember => {
    const isTrained = roles ? names.has(card.name) : null
    if (card.portrait) return { ...card, isTrained, guest: null }
    const role = roles?.find(({ name }) => name === card.name)
    return { ...card, ...(role && drawn(role)), isTrained, guest: null }
  })
  const known = new Set(cards.map((card) => card.name))
  const bare = (roles ?? []).filter(({ name }) => !known.has(name)).map(memberWithoutCard)
  return [...carded, ...bare]
}

function memberWithoutCard(role: RoleFacts): CastMember {
  const card = readCard(role.name, { card: role.card })
  return { ...card, ...drawn(role), isTrained: true, guest: null }
}

/** The roles of a kept pack that stand in the cast. */
export function packMembers(pack: KeptPack): readonly CastMember[] {
  const { id, origin, backbone } = pack
  return pack.roles
    .filter(({ name }) => pack.cast.includes(name))
    .map((role): CastMember => {
      const card = readCard(role.name, { card: role.card })
      const picture = pack.portraits.get(role.name)
      return {
        ...card,
        name: guestKey(id, role.name),
        ...drawn({ vector: faceVector(pack.roles, role) }),
        ...drawnInCard(role.card),
        ...(picture && { portrait: pictureAddress(picture) }),
        isTrained: true,
        guest: { id, origin, backbone },
      }
    })
}

/** A role of a pack that is looked at, with a face. */
export function arrivingMember(
  role: RoleFacts & Pick<RoleFacts, 'blend'>,
  roles: readonly Pick<RoleFacts, 'name' | 'vector'>[],
): Pick<CastMember, 'displayName' | 'portrait' | 'accent'> {
  const { displayName, portrait, accent } = readCard(role.name, { card: role.card })
  return {
    displayName,
    portrait,
    accent,
    ...drawn({ vector: faceVector(roles, role) }),
    ...drawnInCard(isRecord(role.card) ? role.card : null),
  }
}

/** Somebody who plays by a card's text. */
export function cardMember(kept: Omit<KeptCard, 'original' | 'assets'>): CastMember {
  const card = readCard(kept.name, { card: kept.card })
  return {
    ...card,
    name: guestKey(kept.id, kept.name),
    role: null,
    ...drawnInCard(kept.card),
    ...(kept.portrait && { portrait: pictureAddress(kept.portrait) }),
    isTrained: false,
    guest: { id: kept.id, origin: { kind: 'card', fileName: kept.fileName }, backbone: null },
  }
}

/** The vector that a role's face is drawn from: its own, or the mix of its parents', as the weights are mixed. */
export function faceVector(
  roles: readonly Pick<RoleFacts, 'name' | 'vector'>[],
  role: Pick<RoleFacts, 'vector' | 'blend'>,
): Float32Array {
  if (!role.blend) return role.vector
  const parents = role.blend.flatMap(({ role: name, weight }) => {
    const vector = roles.find((one) => one.name === name)?.vector
    return vector ? [{ vector, weight }] : []
  })
  const [first] = parents
  if (!first) return role.vector
  return first.vector.map((_, index) =>
    parents.reduce((sum, { vector, weight }) => sum + weight * (vector[index] ?? 0), 0),
  )
}

/** The drawing that travels in a card, shown only as a picture, in which nothing runs and nothing is fetched. */
function drawnInCard(card: Record<string, unknown> | null): Partial<Pick<CastMember, 'portrait'>> {
  const assets = Array.isArray(card?.['assets']) ? card['assets'].filter(isRecord) : []
  const drawing = assets
    .filter((asset) => text(asset['type']) === 'icon')
    .map((asset) => text(asset['uri']))
    .find((uri) => /^data:image\/svg\+xml[;,]/i.test(uri) && uri.length <= LONGEST_DRAWING)
  return drawing === undefined ? {} : { portrait: drawing }
}

/** The face that a role's own vector gives. */
export function drawn({
  vector,
}: Pick<RoleFacts, 'vector'>): Partial<Pick<CastMember, 'portrait' | 'accent'>> {
  if (vector.length < LEAST_FACE) return {}
  const svg = portraitSvg(vector)
  return { portrait: `data:image/svg+xml,${encodeURIComponent(svg)}`, accent: portraitAccent(vector) }
}

/** The cards of `cast/cards.json`; entries that are not objects are left out. */
export function readCards(json: unknown): readonly Card[] {
  return isRecord(json)
    ? Object.entries(json).flatMap(([name, entry]) => (isRecord(entry) ? [readCard(name, entry)] : []))
    : []
}

function readCard(name: string, entry: Record<string, unknown>): Card {
  const card = isRecord(entry['card']) ? entry['card'] : {}
  const greetings = [text(card['first_mes']), ...texts(card['alternate_greetings'])].filter(
    (greeting) => greeting !== '',
  )
  const starters = texts(entry['starters'])
  const portrait = text(entry['portrait'])
  const displayName = plainName(
    text(entry['displayName']) || text(card['nickname']) || text(card['name']) || name.replaceAll('_', ' '),
  )
  return {
    name,
    role: name,
    displayName,
    line: text(entry['line']) || lineOf(card, displayName),
    // Only what this site serves is shown: a card must not make the page ask a stranger for a picture.
    portrait: /^cast\/[\w-]+\.svg$/.test(portrait) ? portrait : null,
    accent: readAccent(entry),
    starters: starters.length > 0 ? starters : commonStarters,
    greetings,
    cardText: cardText(card),
    card: isRecord(entry['card']) ? entry['card'] : null,
  }
}

/** A stranger's name as a name: in one line, of a length that fits, and without marks that turn the text around it. */
export function plainName(written: string): string {
  const plain = written
    .slice(0, 4 * LONGEST_NAME)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const letters = Array.from(plain)
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME).join('')}…` : plain || 'Nameless'
}

/** The first sentence of a card's description, short enough for a tile. */
function lineOf(card: Record<string, unknown>, character: string): string {
  const begin = text(card['description']).slice(0, 4 * LONGEST_LINE)
  const line = resolveMacros(firstSentence(begin), { user: 'you', character }).replaceAll(/\s+/g, ' ').trim()
  if (line.length <= LONGEST_LINE) return line
  const cut = line.slice(0, LONGEST_LINE)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), LONGEST_LINE / 2)).trimEnd()}…`
}

function colour(value: unknown): string | undefined {
  const written = text(value)
  return /^#[0-9a-f]{6}$/i.test(written) ? written : undefined
}

function readAccent(entry: Record<string, unknown>): Accent {
  const nested = isRecord(entry['accent']) ? entry['accent'] : {}
  const plain = colour(entry['accent'])
  return {
    light: colour(entry['accentLight']) ?? colour(nested['light']) ?? plain ?? houseAccent.light,
    dark: colour(entry['accentDark']) ?? colour(nested['dark']) ?? plain ?? houseAccent.dark,
  }
}

/** What a role without weights is told to be. */
function cardText(card: Record<string, unknown>): string | null {
  const part = (key: string): string => text(card[key]).slice(0, LONGEST_CARD_TEXT)
  return roleLine({
    systemPrompt: part('system_prompt'),
    description: part('description'),
    personality: part('personality'),
  })
}

/** Replaces the macros that cards and greetings use. */
export function resolveMacros(
  written: string,
  names: { readonly user: string; readonly character: string },
): string {
  return written
    .replaceAll(/\{\{char\}\}|<char>|<bot>/gi, () => names.character)
    .replaceAll(/\{\{user\}\}|<user>/gi, () => names.user)
    .replaceAll(/\{\{original\}\}/gi, '')
}

function firstSentence(written: string): string {
  return /^[^.!?]*[.!?]/.exec(written)?.[0] ?? written
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string' && one !== '') : []
}
