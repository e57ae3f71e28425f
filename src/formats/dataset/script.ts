import { check } from '../../core/errors.ts'
import { isTooLong, textLines } from './jsonRows.ts'
import type { DatasetOptions, DialogueCollector, RawTurn } from './reading.ts'

/** What somebody says in a scene: the visitor, the character that the text is about, or someone by name. */
export interface SceneLine {
  readonly by: 'visitor' | 'character' | 'named'
  readonly name: string
  readonly text: string
  readonly line: number
}

const MAX_SPEAKERS = 32
const MAX_EXCHANGES = 5
const MAX_NAME_WORDS = 5

const VISITORS = new Set([
  '{{user}}',
  '<user>',
  'user',
  'you',
  'me',
  'i',
  'human',
  'visitor',
  'player',
  'guest',
])
const CHARACTERS = new Set(['{{char}}', '<char>', '<bot>', 'assistant', 'bot', 'ai', 'character'])

/**
 * Cuts a scene into dialogues of at most five exchanges, once for every character in it: the character's own lines are
 * replies, all others' are said to them.
 *
 * @param role who the `character` is, and the only one to learn where the scene has them.
 * @throws HycoraError `format-invalid` when more than 32 people speak.
 */
export function addScenes(
  scenes: readonly (readonly SceneLine[])[],
  role: string | undefined,
  fileName: string,
  into: DialogueCollector,
): void {
  const names = new Set<string>()
  let hasVisitor = false
  let hasCharacter = false
  for (const { by, name } of scenes.flat()) {
    if (by === 'visitor') hasVisitor = true
    else if (by === 'character') hasCharacter = true
    else names.add(name)
    check(names.size <= MAX_SPEAKERS, 'format-invalid', () => {
      return `${fileName}: more than ${MAX_SPEAKERS} names speak, expected a dialogue as "Name: line"`
    })
  }
  const same = [...names].find((name) => name.toLowerCase() === role?.toLowerCase())
  const learnt = hasCharacter || same !== undefined ? [same ?? role] : learnable([...names], hasVisitor)
  for (const scene of scenes) {
    for (const name of learnt) {
      const others = names.size - (name !== undefined && names.has(name) ? 1 : 0) + (hasVisitor ? 1 : 0)
      addScene(scene, name, others > 1, into)
    }
  }
}

/** Where nobody is marked as the visitor, whoever speaks first is. */
function learnable(names: readonly string[], hasVisitor: boolean): readonly string[] {
  return hasVisitor || names.length < 2 ? names : names.slice(1)
}

function addScene(
  scene: readonly SceneLine[],
  role: string | undefined,
  isCrowd: boolean,
  into: DialogueCollector,
): void {
  let turns: RawTurn[] = []
  let line = 0
  let exchanges = 0
  const finish = (): void => {
    if (turns.some(({ speaker }) => speaker === 'role')) into.add({ line, role }, turns)
    turns = []
    exchanges = 0
  }
  for (const spoken of scene) {
    const isRole = spoken.by === 'character' || (spoken.by === 'named' && spoken.name === role)
    const wasRole = turns.at(-1)?.speaker === 'role'
    if (wasRole && !isRole && ++exchanges >= MAX_EXCHANGES) finish()
    if (turns.length === 0) line = spoken.line
    const filled = fillMacros(spoken.text, role ?? '')
    const text = isCrowd && !isRole && spoken.by === 'named' ? `${spoken.name}: ${filled}` : filled
    turns.push({ speaker: isRole ? 'role' : 'user', text })
  }
  finish()
}

/** Fills in the names that cards and chats leave open; the visitor has none. */
function fillMacros(text: string, role: string): string {
  return text.replaceAll(/\{\{(char|user)\}\}|<(char|bot|user)>/gi, (_, braced?: string, angled?: string) =>
    (braced ?? angled)?.toLowerCase() === 'user' ? 'you' : role,
  )
}

interface NamedLine {
  readonly name: string
  readonly text: string
}

/** `Name: line`, the name plain or in Markdown's bold, at most five words that begin with a letter. */
function readNamed(text: string): NamedLine | undefined {
  const found =
    /^\s*(?:\*\*|__)?(\{\{(?:user|char)\}\}|<(?:user|char|bot)>|\p{L}[^:：]{0,39}?)(?:\*\*|__)?\s*(?::(?=\s|\*|_|$)|：)(?:\*\*|__)?(.*)$/iu.exec(
      text,
    )
  const name = found?.[1]?.trim()
  if (!name || name.split(/\s+/).length > MAX_NAME_WORDS) return undefined
  return { name, text: (found?.[2] ?? '').trim() }
}

/** Who speaks: names that come up once in a longer text are taken for words of a reply, such as "Listen:". */
function speakersOf(text: string): ReadonlySet<string> {
  const counts = new Map<string, number>()
  for (const row of textLines(text)) {
    const name = isTooLong(row.text) ? undefined : readNamed(row.text)?.name
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const often = [...counts].filter(([name, count]) => count > 1 || isKnown(name)).map(([name]) => name)
  return new Set(often.length > 1 ? often : counts.keys())
}

function isKnown(name: string): boolean {
  return VISITORS.has(name.toLowerCase()) || CHARACTERS.has(name.toLowerCase())
}

/** The text between two separators of scenes: `<START>` or a rule. */
const SEPARATOR = /^\s*(?:<START>|[-=*_]{3,})\s*$/i

/** Whether a text looks like a pasted dialogue or a card's example messages. */
export function isScript(text: string): boolean {
  let looked = 0
  for (const row of textLines(text)) {
    if (SEPARATOR.test(row.text) || (!isTooLong(row.text) && readNamed(row.text))) return true
    if (++looked >= 50) return false
  }
  return false
}

/**
 * Reads `Name: line` text; a line without a name belongs to the one before. A card's example messages are such text, with
 * `<START>` between the scenes and `{{user}}` and `{{char}}` for names.
 *
 * @param lineOf where in the file a line of the text is.
 * @throws HycoraError `format-invalid` when more than 32 people speak.
 */
export function addScript(
  text: string,
  { roleName }: DatasetOptions,
  fileName: string,
  into: DialogueCollector,
  lineOf: (line: number) => number = (line) => line,
): void {
  const speakers = speakersOf(text)
  const scenes: SceneLine[][] = [[]]
  for (const { line: ownLine, text: spoken } of textLines(text)) {
    const line = lineOf(ownLine)
    const scene = scenes.at(-1) ?? []
    if (isTooLong(spoken)) {
      into.reject(line, 'it is longer than 1 MiB')
    } else if (SEPARATOR.test(spoken)) {
      if (scene.length > 0) scenes.push([])
    } else {
      const named = readNamed(spoken)
      const last = scene.at(-1)
      if (named && speakers.has(named.name)) scene.push(sceneLine(named, line))
      else if (last) scene[scene.length - 1] = { ...last, text: `${last.text}\n${spoken.trim()}`.trim() }
      else into.reject(line, 'nobody is named before a colon')
    }
  }
  addScenes(scenes, roleName, fileName, into)
}

function sceneLine({ name, text }: NamedLine, line: number): SceneLine {
  const key = name.toLowerCase()
  const by = VISITORS.has(key) ? 'visitor' : CHARACTERS.has(key) ? 'character' : 'named'
  return { by, name, text, line }
}
