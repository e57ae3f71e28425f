// What is sent to the engine for a chat. Pure functions, no state.
import type { Remark } from '../../../src/core/remarks.ts'
import type { Scene } from '../../../src/play/scene.ts'
import type { PackRef } from '../../../src/formats/packFacts.ts'
import type { Turn } from '../../../src/core/dialogue.ts'
import type { Chat, Message } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { heardLine, othersStops } from '../../../src/cast/hearing.ts'
import { joinCards } from '../../../src/cast/joinCards.ts'
import { nameInKey } from '../../../src/cast/key.ts'
import { partsOf, scriptOf, systemPromptOf } from '../../../src/cast/cardScript.ts'
import type { Together } from '../../../src/cast/cardScript.ts'
import { lineOf } from '../../../src/cast/cardTexts.ts'
import { fillMacros } from '../../../src/core/macros.ts'
import { lettersOf } from '../../../src/core/names.ts'
import { seedOf } from '../../../src/core/random.ts'
import type { Take } from '../../../src/storage/records.ts'
import type { Visitor } from '../page/visitor.ts'
import { storeText } from '../../words/store.ts'
import { listNames } from '../../words/names.ts'

/** A scene with the messages behind its turns. */
export interface Staging {
  readonly scene: Scene
  /** The message of each turn, so that a cut of the context can be shown where it falls. */
  readonly messages: readonly string[]
  readonly names: ChatNames
  /** What a model that reads a line alone is not told. */
  readonly unsaid: readonly Remark[]
}

export interface StagingOptions {
  readonly member: CastMember | undefined
  readonly visitor: Visitor
  /** The cast, of whom a group's cards may be told together; left out, of nobody's but the member's. */
  readonly cast?: readonly CastMember[]
  /** Whether the model has room for more than a line: for a whole card, lorebooks and notes. */
  readonly isWhole?: boolean
  /** The pack of a member who joined the company here. */
  readonly pack?: PackRef | undefined
  /** The message that is to be answered anew, or carried on; without it the chat is answered. */
  readonly target?: string
  readonly continueTarget?: boolean
}

/** The two who talk, as a chat calls them. */
export interface ChatNames {
  readonly user: string
  readonly character: string
  /** What is said of the visitor, macros filled. */
  readonly persona: string
}

/** The scene of somebody who was taught and hears one question, and nothing before it. */
export function askedAlone(role: string | null, pack: PackRef | undefined, question: string): Scene {
  return {
    role,
    ...(pack && { pack }),
    strength: 1,
    turns: [{ speaker: 'user', text: question }],
    continueLast: false,
  }
}

/** What a member of the cast, or whoever stands in its place, is called. */
export function characterName(member: CastMember | undefined, key: string | null): string {
  return member?.displayName ?? (key === null ? storeText('nobody') : nameInKey(key))
}

/** A chat of several as one of them hears it and plays in it; one of one stays as it is. */
export function heardBy(chat: Chat, key: string | null): Chat {
  return chat.group ? { ...chat, key } : chat
}

/** The key of whoever of several spoke last, else of the first; null where a chat has not several. */
export function lastSpeaker(chat: Chat): string | null {
  const keys = (chat.group?.members ?? []).map(({ key }) => key).filter((key) => key !== null)
  const last = visibleMessages(chat).findLast(({ key }) => key !== null && keys.includes(key))
  return last?.key ?? keys[0] ?? null
}

/**
 * What the character of a chat is called: one that came in a file keeps the name that it has there, and several are called
 * by all of their names.
 */
export function characterIn(
  { key, source, group }: Pick<Chat, 'key' | 'source' | 'group'>,
  member: CastMember | undefined,
): string {
  if (group && key === null) return listNames(group.members.map(({ name }) => name))
  const isElsewhere = member === undefined && key === null
  return (isElsewhere && source?.character) || characterName(member, key)
}

/** What the two of a chat are called, and what is said of the visitor. */
export function chatNames(
  chat: Pick<Chat, 'key' | 'source' | 'group'>,
  member: CastMember | undefined,
  { name, description }: Visitor,
): ChatNames {
  const names = { user: name, character: characterIn(chat, member) }
  return { ...names, persona: fillMacros(description, names).trim() }
}

/** Whether a message is the chat's own character's, and not of somebody else who speaks in it. */
function isOwn({ key, name }: Message, chat: Chat, { character }: ChatNames): boolean {
  if (key !== null && key === chat.key) return true
  // Whoever is of the group is told by their key, and whoever was brought in anew by their name.
  if (chat.group?.members.some((member) => member.key !== null && member.key === key)) return false
  if (chat.group) return lettersOf(name) === lettersOf(character)
  // The bare model takes up whatever was said here.
  if (chat.key === null && chat.source === null) return true
  return name === '' || (key === null && chat.source === null) || lettersOf(name) === lettersOf(character)
}

/**
 * A take of a message as it is read: of a character's the macros are filled, `{{char}}` by its own name, and drawn by lot once
 * for all; what the visitor wrote stays.
 */
export function wordsOf(
  take: Take,
  { speaker, name, key }: Pick<Message, 'speaker' | 'name' | 'key'>,
  chat: Pick<Chat, 'key' | 'group'>,
  names: ChatNames,
): string {
  if (speaker === 'user') return take.text
  const isCharacter = key === chat.key && !(chat.group && key === null)
  const character = isCharacter ? names.character : name || names.character
  return fillMacros(take.text, { ...names, character, seed: seedOf(take.id), at: take.at })
}

/**
 * The scene of a chat: who plays, how strongly, and every message that counts, up to the target. What others than the
 * character say reaches it as said to it, under their names, as a data set has it. A role without trained weights is played
 * by the bare backbone with the card's text.
 */
export function stageChat(
  chat: Chat,
  { member, visitor, cast = [], pack, target, continueTarget = false, isWhole = false }: StagingOptions,
): Staging {
  const names = chatNames(chat, member, visitor)
  const counted = messagesBefore(visibleMessages(chat), target, continueTarget).filter(
    (message) => !message.excluded,
  )
  const spoken = counted
    .map((message) => {
      const isTarget = continueTarget && message.id === target
      return { id: message.id, turn: turnOf(message, chat, names, isTarget) }
    })
    .filter(({ turn }) => turn.text.trim() !== '')
  const hasWeights = chat.key !== null && member?.isTrained !== false
  const card = member?.card ?? null
  const seed = seedOf(chat.id)
  const textOf = isWhole ? systemPromptOf : lineOf
  const system = card && textOf(card, { ...names, seed })
  const scene = chat.group?.scene ?? ''
  const together = togetherIn(chat, cast, { hasWeights, values: { ...names, seed } })
  const script = scriptOf(card, {
    names,
    seed,
    greeting: greetingOf(chat),
    occasion: target === undefined ? 'next' : continueTarget ? 'more' : 'other',
    isTrained: hasWeights,
    note: noteNow(chat.note, counted),
    facts: chat.facts,
    recap: chat.recap?.text ?? '',
    books: chat.books.map(({ name, text: book }) => ({ name, book })),
    scene,
    together,
  })
  return {
    scene: {
      role: hasWeights ? (member?.role ?? chat.key) : null,
      ...(hasWeights && pack && { pack }),
      strength: chat.strength,
      ...(!hasWeights && { system }),
      ...(isWhole && { script }),
      turns: spoken.map(({ turn }) => turn),
      continueLast: continueTarget,
    },
    messages: spoken.map(({ id }) => id),
    names,
    unsaid: isWhole ? [] : partsOf(script, { scene, together }),
  }
}

/** The strings before which an answer ends, the names in them filled; of several, where it begins to speak for another. */
export function stopsFor(
  stops: readonly string[],
  names: ChatNames,
  group: Chat['group'] = null,
): readonly string[] {
  const own = stops.map((stop) => fillMacros(stop, names)).filter((stop) => stop !== '')
  if (!group) return own
  const everybody = [names.user, ...group.members.map(({ name }) => name)]
  return [...new Set([...own, ...othersStops(names.character, everybody)])]
}

/** What whoever speaks is told of all who play; null where it is told its own card. */
function togetherIn(
  { group, key }: Chat,
  cast: readonly CastMember[],
  {
    hasWeights,
    values,
  }: { readonly hasWeights: boolean; readonly values: ChatNames & { readonly seed: number } },
): Together | null {
  if (!group?.joined) return null
  const all = group.members.map((one) => ({
    name: one.name,
    isMuted: one.isMuted,
    card: cast.find((member) => member.key === one.key)?.card ?? null,
    isSpeaking: one.key !== null && one.key === key,
  }))
  return joinCards(all, { ...group.joined, isTrained: hasWeights }, values)
}

/** The visitor's note, where it is the turn for it. */
function noteNow(note: Chat['note'], messages: readonly Message[]): Chat['note'] {
  const said = messages.filter(({ speaker }) => speaker === 'user').length
  return note && said % note.every === 0 ? note : null
}

/** Which of its greetings a chat began with; null where it began with none. */
function greetingOf(chat: Chat): number | null {
  const [first] = visibleMessages(chat)
  return first?.speaker === 'role' ? first.selected : null
}

function messagesBefore(
  messages: readonly Message[],
  target: string | undefined,
  inclusive: boolean,
): readonly Message[] {
  const index = messages.findIndex((message) => message.id === target)
  return index < 0 ? messages : messages.slice(0, inclusive ? index + 1 : index)
}

function turnOf(message: Message, chat: Chat, names: ChatNames, isTarget: boolean): Turn {
  const { speaker, name } = message
  const text = wordsOf(selectedTake(message), message, chat, names)
  return heardLine({ speaker, name, text }, isTarget || isOwn(message, chat, names))
}
