import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

import { scriptOf, systemPromptOf } from '../cast/cardScript.ts'
import { greetingsOf, nameOf } from '../cast/cardTexts.ts'
import { heardLine, othersStops, withoutName } from '../cast/hearing.ts'
import { joinCards } from '../cast/joinCards.ts'
import { speakersAfter, talkativenessOf } from '../cast/turnTaking.ts'
import type { Speakable, SpokenLine } from '../cast/turnTaking.ts'
import { check } from '../core/errors.ts'
import { fillMacros } from '../core/macros.ts'
import { lettersOf } from '../core/names.ts'
import { Random } from '../core/random.ts'
import type { ScriptBook } from '../core/script.ts'
import { openFile } from '../exchange/openFile.ts'
import { readCard } from '../formats/card.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { GroupFile } from '../formats/groupFile.ts'
import type { Pack } from '../formats/pack.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { castRole } from '../model/adapter/roles.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import { speak } from '../play/speak.ts'
import type { Delivery, Voice } from '../play/speak.ts'
import { cueAs } from '../play/stage.ts'
import type { SceneCue } from '../play/stage.ts'
import { readArriving } from './convert.ts'
import { bookAt, cardAt } from './scripted.ts'
import { VISITOR } from './speakers.ts'

/** One of several, who plays by weights where the pack has a role of their name, and else by their card. */
interface Player extends Speakable {
  readonly card: CharacterCard | null
  readonly role: string | null
}

/** Several who play in one chat. */
export interface GroupChat {
  readonly file: GroupFile
  readonly players: readonly Player[]
  readonly books: readonly ScriptBook[]
}

/** How many play in a chat. */
const SIZE = { least: 2, most: 8 } as const

/** The card of a member by the name of its file, beside the group's or where SillyTavern has it; null where there is none. */
async function findCard(file: string, folders: readonly string[]): Promise<CharacterCard | null> {
  check(basename(file) === file, 'format-invalid', () => `${file} is no name of a card’s file`)
  for (const folder of folders) {
    const path = join(folder, file)
    if ((await stat(path).catch(() => undefined))?.isFile()) return cardAt(path)
  }
  return null
}

async function playerOf(
  file: string,
  { muted }: GroupFile,
  { folders, pack }: { readonly folders: readonly string[]; readonly pack: Pack | null },
): Promise<Player> {
  const own = await findCard(file, folders)
  const called = own ? nameOf(own) : file.replace(/\.[a-z]{3,4}$/i, '')
  const role = pack?.roles.find(({ name }) => lettersOf(name) === lettersOf(called))
  check(own ?? role, 'usage', () => {
    return `${file} lies in none of ${folders.join(', ')}, and there is no role "${called}" of a pack`
  })
  const card = own ?? (role?.card ? readCard(role.card) : null)
  return {
    key: file,
    name: called,
    isMuted: muted.includes(file),
    talkativeness: talkativenessOf(card),
    card,
    role: role?.name ?? null,
  }
}

/**
 * A group of SillyTavern's with those who play in it: roles of the pack, and cards that lie in `--cards`, beside the group, or
 * in `characters` beside its folder.
 *
 * @throws HycoraError for a file that is no group, and for a member who is nowhere.
 */
export async function openGroup(options: ReadonlyMap<string, string>, pack: Pack | null): Promise<GroupChat> {
  const path = options.get('group') ?? ''
  const opened = await openFile(await readArriving(path), basename(path))
  check(opened.kind === 'group', 'usage', () => `${path} is no group of SillyTavern`)
  const { group: file } = opened
  const { length } = file.members
  check(length >= SIZE.least && length <= SIZE.most, 'usage', () => {
    return `${path} has ${length} members, expected ${SIZE.least} to ${SIZE.most}`
  })
  const own = dirname(resolve(path))
  const cards = options.get('cards')
  const folders = cards === undefined ? [own, join(own, '../characters')] : [resolve(cards)]
  const lore = options.get('lore')
  return {
    file,
    players: await Promise.all(file.members.map((member) => playerOf(member, file, { folders, pack }))),
    books: lore === undefined ? [] : [await bookAt(lore)],
  }
}

/** What was said in a group, by whom. */
export interface GroupLine extends SpokenLine {
  readonly name: string
}

/** How a group's chat begins: the greeting of each, and what the visitor says. */
export function openingOf({ players }: GroupChat, text: string): readonly GroupLine[] {
  const greetings = players.flatMap(({ card, key, name }): readonly GroupLine[] => {
    const [first] = card ? [...card.groupOnlyGreetings, ...greetingsOf(card)].filter((one) => one.trim()) : []
    if (first === undefined) return []
    return [{ speaker: 'role', key, name, text: fillMacros(first, { user: VISITOR, character: name }) }]
  })
  return [...greetings, { speaker: 'user', key: null, name: VISITOR, text }]
}

/**
 * Those whose turn it is, as the page has it; where the visitor has the say, one of them.
 *
 * @param seed with the same one the same chat goes on in the same way.
 */
export function whoIsNext(
  { file, players }: GroupChat,
  lines: readonly GroupLine[],
  seed: number,
): readonly string[] {
  const { order, repliesToSelf } = file
  const random = new Random(seed, lines.length)
  return speakersAfter(lines, { members: players, order, repliesToSelf, isPrompted: true }, random)
}

/** What one of a group is told and hears. @throws HycoraError as `cueAs`. */
export async function cueFor(
  voice: Voice,
  { chat, key, pack, strength }: GroupTurn,
  lines: readonly GroupLine[],
): Promise<{ readonly cue: SceneCue; readonly casting: Casting | null; readonly name: string }> {
  const { players, file, books } = chat
  const player = players.find((one) => one.key === key)
  check(player, 'usage', () => `nobody of the group is ${key}`)
  const { card, role, name } = player
  const isTrained = role !== null
  const names = { user: VISITOR, character: name }
  const { cards, prefix, suffix, scene } = file
  const together = joinCards(
    players.map((one) => ({ ...one, isSpeaking: one === player })),
    { prefix, suffix, isWithMuted: cards === 'all', isTrained },
    { user: VISITOR, seed: 0 },
  )
  const script = scriptOf(card, {
    names,
    seed: 0,
    greeting: 0,
    occasion: 'next',
    isTrained,
    note: null,
    facts: [],
    books,
    scene,
    together: cards === 'own' ? null : together,
  })
  const casting = pack && role !== null ? castRole(pack, role, strength) : null
  const system = pack && role !== null ? roleLineOf(pack, role) : card && systemPromptOf(card, names)
  const turns = lines.map((line) => heardLine(line, line.key === key))
  const cue = await cueAs(voice, { pack, casting }, { system, turns, continueLast: false, script })
  return { cue, casting, name }
}

/** Whose turn it is, in which chat. */
export interface GroupTurn {
  readonly chat: GroupChat
  readonly key: string
  readonly pack: Pack | null
  readonly strength: number
}

/** Has one of a group speak, and says what they say as it comes; the line, once it is whole. @throws HycoraError as `speak`. */
export async function* speakInGroup(
  voice: Voice,
  turn: GroupTurn,
  lines: readonly GroupLine[],
  delivery: Omit<Delivery, 'casting'>,
): AsyncGenerator<string, GroupLine> {
  const { cue, casting, name } = await cueFor(voice, turn, lines)
  const everybody = [VISITOR, ...turn.chat.players.map((one) => one.name)]
  const stops = [...(delivery.stops ?? []), ...othersStops(name, everybody)]
  const speech = speak(voice, cue, { ...delivery, casting, stops })
  let text = ''
  let shown = 0
  for (;;) {
    const { done, value } = await speech.next()
    text = done ? value.text : text + value.text
    const words = withoutName(text, name, done === true)
    yield words.slice(shown)
    shown = words.length
    if (done) return { speaker: 'role', key: turn.key, name, text: words.trim() }
  }
}
