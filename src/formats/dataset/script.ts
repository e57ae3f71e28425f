import { isOddName, readNamed } from './namedLine.ts'
import type { NamedLine } from './namedLine.ts'
import type { DatasetOptions, DialogueCollector } from './reading.ts'
import { addScenes } from './scenes.ts'
import type { ScriptScene, SceneLine } from './scenes.ts'
import { isTooLong, textLines } from './textRows.ts'
import { sideIn, sideOf } from './words.ts'

/** The text between two separators of scenes: `<START>` or a rule. */
const SEPARATOR = /^\s*(?:<START>|[-=*_]{3,})\s*$/i
/** Looking for a name that comes up once in what the others say takes a pass each. */
const MOST_ADDRESSED = 50
/** So many names are told of. */
const MOST_TOLD = 8

/** Whether a text looks like a pasted dialogue or a card's example messages. */
export function isScript(text: string): boolean {
  let looked = 0
  for (const row of textLines(text)) {
    if (SEPARATOR.test(row.text) || (!isTooLong(row.text) && readNamed(row.text))) return true
    if (++looked >= 50) return false
  }
  return false
}

/** What names stand for in one text. */
interface Speakers {
  readonly names: ReadonlySet<string>
  readonly speak: (named: NamedLine) => string | undefined
  /** Names that come up once and are taken for words of a reply, such as "Listen:", with their lines. */
  readonly words: ReadonlyMap<string, number>
  readonly directions: ReadonlySet<string>
}

/** The names of a text as they are spoken by: stage directions apart, names that are words of a reply left out. */
function speakersOf(text: string): Speakers {
  const named: (NamedLine & { readonly line: number })[] = []
  for (const row of textLines(text)) {
    const found = isTooLong(row.text) ? undefined : readNamed(row.text)
    if (found) named.push({ ...found, line: row.line })
  }
  /** Behind a name that never stands there without it, the same brackets are a part of it. */
  const parts = partsOf(named)
  const whole = ({ name }: NamedLine): string => `${name} ${parts.get(name) ?? ''}`.trim()
  const counts = new Map<string, number>()
  const lines = new Map<string, number>()
  for (const one of named) {
    counts.set(whole(one), (counts.get(whole(one)) ?? 0) + 1)
    lines.set(whole(one), one.line)
  }
  const once = [...counts].filter(([, count]) => count === 1).map(([name]) => name)
  const addressed = new Set(
    once.length <= MOST_ADDRESSED ? once.filter((name) => isAddressed(name, text)) : [],
  )
  const often = [...counts.keys()].filter((name) => {
    return (counts.get(name) ?? 0) > 1 || sideOf(name) !== undefined || isOddName(name) || addressed.has(name)
  })
  const speakers = new Set(often.length > 1 ? often : counts.keys())
  return {
    names: speakers,
    speak: (one) => (speakers.has(whole(one)) ? whole(one) : undefined),
    words: new Map([...lines].filter(([name]) => !speakers.has(name))),
    directions: new Set(named.filter(({ name }) => !parts.get(name)).map(({ direction }) => direction)),
  }
}

/** The brackets that stand behind a name each time, and more than once; of other names nothing. */
function partsOf(named: readonly NamedLine[]): ReadonlyMap<string, string> {
  const parts = new Map<string, string>()
  const seen = new Set<string>()
  for (const { name, direction } of named) {
    if (!seen.has(name)) parts.set(name, direction)
    else if (parts.get(name) !== direction) parts.set(name, '')
    seen.add(name)
  }
  const counts = new Map<string, number>()
  for (const { name } of named) counts.set(name, (counts.get(name) ?? 0) + 1)
  return new Map([...parts].filter(([name]) => (counts.get(name) ?? 0) > 1))
}

/** Whether somebody says a name within a sentence. */
function isAddressed(name: string, text: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + name.length)) {
    const [before, behind] = [
      text.slice(Math.max(0, at - 2), at),
      text.slice(at + name.length, at + name.length + 2),
    ]
    if (/[\p{L},] $/u.test(before) && !/^(?:[\p{L}\p{N}]|\s?[:：])/u.test(behind)) return true
  }
  return false
}

/** The lines of a text, by scenes; what is said before anybody is named goes to `onNobody`. */
function scenesOf(
  text: string,
  lineOf: (line: number) => number,
  onNobody: (line: number, reason: string) => void,
): { readonly scenes: readonly (readonly SceneLine[])[]; readonly speakers: Speakers } {
  const speakers = speakersOf(text)
  const scenes: SceneLine[][] = [[]]
  for (const { line: ownLine, text: spoken } of textLines(text)) {
    const line = lineOf(ownLine)
    const scene = scenes.at(-1) ?? []
    const last = scene.at(-1)
    if (isTooLong(spoken)) {
      onNobody(line, 'it is longer than 1 MiB')
    } else if (SEPARATOR.test(spoken)) {
      if (scene.length > 0) scenes.push([])
    } else {
      const named = readNamed(spoken)
      const name = named && speakers.speak(named)
      if (named && name !== undefined) scene.push(sceneLine(speakers.names, name, named.text, line))
      else if (last)
        scene[scene.length - 1] = { ...last, text: `${String(last.text)}\n${spoken.trim()}`.trim() }
      else onNobody(line, 'nobody is named before a colon')
    }
  }
  return { scenes, speakers }
}

function sceneLine(names: ReadonlySet<string>, name: string, text: string, line: number): SceneLine {
  const side = sideIn(names, name)
  const by = side === undefined || side === 'tool' ? 'named' : side
  return { by, name: by === 'named' ? name : '', text, line }
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
  const { scenes, speakers } = scenesOf(text, lineOf, (line, reason) => into.reject(line, reason))
  const words = [...speakers.words]
    .slice(0, MOST_TOLD)
    .map(([name, line]) => `${name} (line ${lineOf(line)})`)
  if (words.length > 0) {
    const named = words.join(', ')
    const all = speakers.words.size > words.length ? `${named} and others` : named
    into.tell(`Before a colon once, and taken for words of the line above: ${all}.`)
  }
  const directions = [...speakers.directions].filter((one) => one !== '').slice(0, MOST_TOLD)
  if (directions.length > 0)
    into.tell(`Stage directions behind names are left out: ${directions.join(', ')}.`)
  addScenes(
    scenes.map((lines): ScriptScene => ({ lines })),
    roleName,
    fileName,
    into,
  )
}

/** A text within a row as lines of one scene; null where nobody is named in it. */
export function scriptLines(text: string, line: number): readonly SceneLine[] | null {
  const { scenes } = scenesOf(
    text,
    () => line,
    () => undefined,
  )
  const lines = scenes.flat()
  return lines.length > 0 ? lines : null
}
