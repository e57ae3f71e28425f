import { ownField } from '../core/json.ts'
import type { Random } from '../core/random.ts'
import { shuffled } from '../core/shuffle.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { ChatGroup, GroupMember } from '../storage/records.ts'

/** One of several who could speak. */
export interface Speakable extends Pick<GroupMember, 'isMuted'> {
  readonly key: string
  readonly name: string
  /** 0 never speaks up without being named, 1 always does. */
  readonly talkativeness: number
}

/** What was said, by whom. */
export interface SpokenLine {
  readonly speaker: 'user' | 'role'
  /** Null for the visitor, and for whoever is not of the cast. */
  readonly key: string | null
  readonly text: string
}

/** How talkative somebody is whose card does not say it. */
const USUAL_TALKATIVENESS = 0.5

/** How often a card's character speaks up without being named, 0 to 1: SillyTavern keeps it as a text or a number. */
export function talkativenessOf(card: Pick<CharacterCard, 'extensions'> | null): number {
  const held = card && ownField(card.extensions, 'talkativeness')
  const share = typeof held === 'string' && held.trim() !== '' ? Number(held) : held
  if (typeof share !== 'number' || Number.isNaN(share)) return USUAL_TALKATIVENESS
  return Math.min(1, Math.max(0, share))
}

/**
 * Those who speak next, in their order.
 *
 * `list`: all who are not muted. `natural`: those whom the last line names, then whoever else speaks up, in a random order,
 * and one at random where that is nobody. `pooled`: one of those who have not spoken since the visitor did. `manual`: nobody
 * after the visitor, and one at random where they are to go on. Whoever spoke last does not answer themselves, unless they may.
 *
 * Reference: SillyTavern's documentation, "Group Chats", "Reply order strategies".
 *
 * @param isPrompted whether somebody is to speak whatever the order says.
 */
export function speakersAfter(
  lines: readonly SpokenLine[],
  {
    members,
    order,
    repliesToSelf,
    isPrompted,
  }: Pick<ChatGroup, 'order' | 'repliesToSelf'> & {
    readonly members: readonly Speakable[]
    readonly isPrompted: boolean
  },
  random: Random,
): readonly string[] {
  const last = lines.at(-1)
  const open = members.filter(({ isMuted }) => !isMuted)
  const others = open.filter(({ key }) => last?.speaker !== 'role' || key !== last.key)
  // Whoever is alone there may always go on.
  const able = repliesToSelf || others.length === 0 ? open : others
  switch (order) {
    case 'list':
      return keysOf(open)
    case 'natural':
      return natural(last?.text ?? '', able, random)
    case 'pooled':
      return pooled(lines, open, able, random)
    case 'manual':
      return isPrompted ? oneOf(able, random) : []
    default:
      return order satisfies never
  }
}

function keysOf(members: readonly Speakable[]): readonly string[] {
  return members.map(({ key }) => key)
}

function oneOf(members: readonly Speakable[], random: Random): readonly string[] {
  return keysOf(shuffled(members, random).slice(0, 1))
}

function natural(text: string, able: readonly Speakable[], random: Random): readonly string[] {
  const named = namedIn(text, able)
  const talking = shuffled(able, random).filter(
    (member) => !named.includes(member) && random.nextUniform() < member.talkativeness,
  )
  const found = [...named, ...talking]
  if (found.length > 0) return keysOf(found)
  const chatty = able.filter(({ talkativeness }) => talkativeness > 0)
  return oneOf(chatty.length > 0 ? chatty : able, random)
}

function pooled(
  lines: readonly SpokenLine[],
  open: readonly Speakable[],
  able: readonly Speakable[],
  random: Random,
): readonly string[] {
  const since = lines.slice(lines.findLastIndex(({ speaker }) => speaker === 'user') + 1)
  const silent = open.filter(({ key }) => since.every((line) => line.key !== key))
  return oneOf(silent.length > 0 ? silent : able, random)
}

/** Scripts that part no words. */
const UNPARTED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u

/** The words of a text; a single letter, as in "Elizabeth I", names nobody. */
function wordsOf(text: string): readonly string[] {
  return (text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).filter((word) => word.length > 1 || UNPARTED.test(word))
}

/**
 * Those whom a text names, in the order of their names in it: by any word of a name that is written as the name has it; where
 * that is nobody, by its last word in any case, since "how long" names no Long John.
 */
function namedIn(text: string, members: readonly Speakable[]): readonly Speakable[] {
  const low = text.toLowerCase()
  const asWritten = inOrder(members, ({ name }) => wordsOf(name), text)
  if (asWritten.length > 0) return asWritten
  return inOrder(members, ({ name }) => wordsOf(name.toLowerCase()).slice(-1), low)
}

function inOrder(
  members: readonly Speakable[],
  namesOf: (member: Speakable) => readonly string[],
  text: string,
): readonly Speakable[] {
  const words = wordsOf(text)
  const placeOf = (name: string): number =>
    UNPARTED.test(name) ? text.indexOf(name) : words.includes(name) ? text.indexOf(name) : -1
  return members
    .map((member) => {
      const places = namesOf(member)
        .map(placeOf)
        .filter((place) => place >= 0)
      return { member, place: places.length === 0 ? -1 : Math.min(...places) }
    })
    .filter(({ place }) => place >= 0)
    .toSorted((one, other) => one.place - other.place)
    .map(({ member }) => member)
}
