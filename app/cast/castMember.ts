import { portraitAccent, portraitSvg } from '../../src/core/portrait.ts'
import type { RoleInfo } from '../../src/engine/protocol.ts'

/** A character as the app shows it: its card joined with its role in the pack. */
export interface CastMember {
  /** The role's name in the pack; what chats store. */
  readonly name: string
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
}

export interface Accent {
  readonly light: string
  readonly dark: string
}

/** What a card of `cast/cards.json` gives. */
export type Card = Omit<CastMember, 'isTrained'>

const houseAccent: Accent = { light: '#7a4a2b', dark: '#d9a679' }

const commonStarters: readonly string[] = ['Who are you?', 'Tell me about your day.', 'What do you fear?']

/** The cast: the cards in their order, then the roles of the pack that have none. */
export function joinCast(cards: readonly Card[], roles: readonly RoleInfo[] | null): readonly CastMember[] {
  const names = new Set(roles?.map((role) => role.name))
  const carded = cards.map((card): CastMember => {
    const isTrained = roles ? names.has(card.name) : null
    if (card.portrait) return { ...card, isTrained }
    const role = roles?.find(({ name }) => name === card.name)
    return { ...card, ...(role && drawn(role)), isTrained }
  })
  const known = new Set(cards.map((card) => card.name))
  const bare = (roles ?? []).filter(({ name }) => !known.has(name)).map(memberWithoutCard)
  return [...carded, ...bare]
}

function memberWithoutCard(role: RoleInfo): CastMember {
  const card = readCard(role.name, { card: role.card })
  return { ...card, ...drawn(role), isTrained: true }
}

/** The face that a role's own vector gives. */
function drawn(role: RoleInfo): Partial<Pick<CastMember, 'portrait' | 'accent'>> {
  if (role.vector.length === 0) return {}
  const svg = portraitSvg(role.vector)
  return { portrait: `data:image/svg+xml,${encodeURIComponent(svg)}`, accent: portraitAccent(role.vector) }
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
  return {
    name,
    displayName:
      text(entry['displayName']) || text(card['nickname']) || text(card['name']) || name.replaceAll('_', ' '),
    line: text(entry['line']) || firstSentence(text(card['description'])),
    // Only what this site serves is shown: a card must not make the page ask a stranger for a picture.
    portrait: /^cast\/[\w-]+\.svg$/.test(portrait) ? portrait : null,
    accent: readAccent(entry),
    starters: starters.length > 0 ? starters : commonStarters,
    greetings,
    cardText: cardText(card),
  }
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

/** A card as system text: its parts that are not empty, a blank line between them. */
function cardText(card: Record<string, unknown>): string | null {
  const parts = ['system_prompt', 'description', 'personality', 'scenario', 'mes_example'].map((key) =>
    text(card[key]).trim(),
  )
  return parts.filter((part) => part !== '').join('\n\n') || null
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
