import { HycoraError } from '../../core/errors.ts'
import { fillMacros } from '../../core/macros.ts'
import { seedOf } from '../../core/random.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { readCard } from '../card.ts'
import type { DialogueCollector } from './reading.ts'
import { addScenes } from './scenes.ts'
import type { SceneLine } from './scenes.ts'
import { isTooLong } from './textRows.ts'

/** What begins another scene, wherever it stands. */
const START = /[^\S\n]*(?:<START>|<\|endoftext\|>|END_OF_DIALOG(?:UE)?)[^\S\n]*:?/gi
const RULE = /^\s*(?:[-=*_~]{3,}|#{3,})\s*$/
/** A name before a colon: a macro, or words that begin with a letter; in bold, in brackets, behind a mark. */
const NAMED =
  /^\s*(?:[#>]\s*)?(?:\*\*|__|\[)?(\{\{\s*\w+\s*\}\}|<\w+>|\p{L}[^:：\n]{0,39}?)(?:\*\*|__|\])?(\s*\([^()\n]{1,60}\))?(?:\*\*|__|\])?\s*[:：](?:\*\*|__)?\s*(.*)$/u
const MOST_NAME_WORDS = 5

const VISITOR =
  /^(?:\{\{\s*(?:user|random_user_\d+)\s*\}\}|<user>|(?:random[ _])?(?:user|anon|guest|visitor|stranger|human|player)[ _]?\d*|you|me)$/i
const CHARACTER = /^(?:\{\{\s*(?:char|bot)\s*\}\}|<(?:char|bot)>)$/i

/** Whether a JSON object is a character card. */
export function isCard(record: JsonRecord): boolean {
  const data = ownField(record, 'data')
  return Object.hasOwn(record, 'mes_example') || (isJsonRecord(data) && Object.hasOwn(data, 'mes_example'))
}

/** Reads a card's example dialogue; where only one besides the visitor speaks, that is the card's character. */
export function addCardExamples(
  record: JsonRecord,
  line: number,
  fileName: string,
  into: DialogueCollector,
): void {
  try {
    const beside = ownField(record, 'name')
    const { name, nickname, exampleMessages } = readCard(
      record,
      typeof beside === 'string' ? beside.trim() : '',
    )
    if (exampleMessages.trim() === '') {
      into.reject(line, 'the card has no example dialogue')
      return
    }
    const scenes = scenesOf(exampleMessages, [name, nickname], line, into)
    const filled = scenes.map((lines) => ({ lines: lines.map((one) => filledLine(one, name)) }))
    addScenes(filled, name, fileName, into)
  } catch (error) {
    if (!(error instanceof HycoraError)) throw error
    into.reject(line, error.message)
  }
}

/** A line with its macros filled; the visitor of a data set has no name. */
function filledLine(line: SpokenLine, character: string): SceneLine {
  const { text } = line
  return { ...line, text: fillMacros(text, { user: 'you', character, seed: seedOf(text) }) }
}

/** The scenes of example messages; what is said before anybody is named is left out, and told. */
function scenesOf(
  examples: string,
  names: readonly string[],
  line: number,
  into: DialogueCollector,
): readonly (readonly SpokenLine[])[] {
  const rows = examples
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(START, '\n<START>\n')
    .split('\n')
    .filter((row) => row.trim() !== '')
  const speakers = speakersOf(rows, names)
  const scenes: SpokenLine[][] = [[]]
  for (const row of rows) {
    const scene = scenes.at(-1) ?? []
    const spoken = readSpoken(row)
    const by = spoken && speakers.get(spoken.name.toLowerCase())
    const last = scene.at(-1)
    if (isTooLong(row)) into.reject(line, 'a line of its example dialogue is longer than 1 MiB')
    else if (row === '<START>' || RULE.test(row)) scenes.push([])
    else if (spoken && by)
      scene.push({ by, name: by === 'named' ? spoken.name : '', text: spoken.text, line })
    else if (last) scene[scene.length - 1] = { ...last, text: `${last.text}\n${row.trim()}`.trim() }
    else into.reject(line, 'nobody is named before a colon')
  }
  return scenes.filter((scene) => scene.length > 0)
}

interface SpokenLine extends SceneLine {
  readonly text: string
}

interface Spoken {
  readonly name: string
  readonly text: string
}

function readSpoken(row: string): Spoken | null {
  const [, name = '', , text = ''] = NAMED.exec(row) ?? []
  const plain = name.trim()
  const words = plain.split(/\s+/).length
  return plain === '' || words > MOST_NAME_WORDS ? null : { name: plain, text: text.trim() }
}

/**
 * Who speaks, by name: the visitor and the character under any of their names; others who come up more than once, for a
 * name that stands once before a colon is rather a word of what is said. The only other one is the character under another
 * name, where it does not speak itself.
 */
function speakersOf(rows: readonly string[], names: readonly string[]): ReadonlyMap<string, SceneLine['by']> {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const name = readSpoken(row)?.name.toLowerCase()
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const own = new Set(names.filter((name) => name !== '').flatMap(callings))
  const speakers = new Map<string, SceneLine['by']>()
  for (const name of counts.keys()) {
    if (VISITOR.test(name)) speakers.set(name, 'visitor')
    else if (CHARACTER.test(name) || own.has(name)) speakers.set(name, 'character')
  }
  const isSilent = ![...speakers.values()].includes('character')
  const others = [...counts].filter(([name, count]) => !speakers.has(name) && (count > 1 || isSilent))
  const often = others.toSorted(([, one], [, other]) => other - one)
  for (const [index, [name]] of often.entries())
    speakers.set(name, isSilent && index === 0 && speakers.size > 0 ? 'character' : 'named')
  return speakers
}

/** A name, and its parts: "Orla Quay" is also called "Orla". */
function callings(name: string): readonly string[] {
  const lower = name.trim().toLowerCase()
  return [lower, ...lower.split(/\s+/).filter((part) => part.length > 2)]
}
