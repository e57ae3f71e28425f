import { countsAsReply } from '../../core/dialogue.ts'
import type { Dialogue, Turn } from '../../core/dialogue.ts'
import type { Split } from '../../core/dialogue.ts'
import { check } from '../../core/errors.ts'
import { withoutThoughts } from '../thoughts.ts'
import { fillNames, isRowNumber, lookOf, macrosIn, keptName, splitOf } from './words.ts'

export type DatasetFormat =
  | 'messages'
  | 'items'
  | 'sharegpt'
  | 'alpaca'
  | 'csv'
  | 'rolebench'
  | 'sillytavern'
  | 'card'
  | 'script'
  | 'log'

/** A dialogue of a data set, with where it came from: speakers take turns, the last turn is the character's. */
export interface DatasetDialogue extends Dialogue {
  readonly split?: Split
  /** Where it begins in the file, counted from 1. */
  readonly line: number
}

export interface RejectedRow {
  readonly line: number
  /** Why, as the end of a sentence that begins with the row. */
  readonly reason: string
}

export interface DatasetReading {
  readonly format: DatasetFormat
  readonly dialogues: readonly DatasetDialogue[]
  readonly rejected: readonly RejectedRow[]
  /** System turns in rows are not trained on: a role's line belongs to the role. */
  readonly droppedSystemTurns: number
  /** What else should be told of the reading, a sentence each. */
  readonly notes: readonly string[]
  /** The header of a CSV file, for the user to map. */
  readonly columns?: readonly string[]
}

export interface DatasetOptions {
  /** Which CSV columns hold what; guessed from the header where left out. */
  readonly columns?: { readonly role?: string; readonly user: string; readonly reply: string }
  /** Who speaks in rows that name nobody. */
  readonly roleName?: string
  /** The side of rows that do not say theirs, as the name of their file does. */
  readonly side?: Split
}

/** A turn as it stands in a file, not checked yet. */
export interface RawTurn {
  readonly speaker: Turn['speaker'] | 'system'
  readonly text: unknown
  readonly isLearnt?: false
}

/** What a row says besides its turns. */
export interface RowFacts {
  readonly line: number
  readonly role: unknown
  readonly split?: unknown
  readonly item?: string | undefined
}

const MAX_ROLE_CHARACTERS = 256
const MAX_TURNS = 1000
const MAX_REJECTED = 100_000
/** Keys that number rows, of which nobody expects anything. */
const NUMBERS: ReadonlySet<string> = new Set(['id', '_id', 'idx', 'index', 'uuid'])
/** So many things are named in a note, and the others counted. */
const MAX_NAMED = 8

/** Gathers the dialogues of a file, the rows that are none, and what should be told; each form ends here. */
export class DialogueCollector {
  readonly dialogues: DatasetDialogue[] = []
  readonly rejected: RejectedRow[] = []
  droppedSystemTurns = 0
  readonly side: Split | undefined
  private readonly fileName: string
  private readonly told = new Set<string>()
  private numbered: string | undefined
  /** What rows hold that is not read, by kind: columns, macros. */
  private readonly left = { keys: new Set<string>(), macros: new Set<string>() }

  constructor(fileName: string, side?: Split) {
    this.fileName = fileName
    this.side = side
  }

  /** @throws HycoraError `format-invalid` when more rows are unusable than a person could want to read. */
  reject(line: number, reason: string): void {
    check(this.rejected.length < MAX_REJECTED, 'format-invalid', () => {
      const first = this.rejected[0]
      return `${this.fileName}: more than ${MAX_REJECTED} rows cannot be used; line ${first?.line}: ${first?.reason}`
    })
    this.rejected.push({ line, reason })
  }

  /** Tells a sentence, once. */
  tell(sentence: string): void {
    this.told.add(sentence)
  }

  /** Notes that names number the rows, which are all somebody's. */
  number(name: string, whose: string): void {
    this.numbered ??= `Names such as ${name} number the rows, which are all taken for ${whose}’s.`
  }

  /** Notes what rows hold under these keys, which nothing is made of. */
  leave(keys: Iterable<string>): void {
    for (const key of keys) if (!NUMBERS.has(key.toLowerCase())) this.left.keys.add(key)
  }

  /**
   * Takes a row: names and macros are filled in, line breaks are LF, thoughts and system turns go, turns of one speaker in a row are
   * joined (and learnt where all of them are), what the visitor says last of all goes, since nobody answers it. A row that
   * cannot be used is rejected with its reason.
   */
  add({ line, role, split, item }: RowFacts, raw: readonly RawTurn[]): void {
    const name = typeof role === 'string' ? keptName(role) : ''
    const fault = faultOf(name, split, raw)
    if (fault !== undefined) {
      this.reject(line, fault)
      return
    }
    const turns: Turn[] = []
    for (const { speaker, text, isLearnt } of raw) {
      if (speaker === 'system') continue
      const spoken = this.spokenBy(name, String(text), speaker === 'role')
      const last = turns.at(-1)
      if (spoken === '') {
        this.reject(line, 'one of its replies is all thought')
        return
      }
      const isContext = isLearnt === false || (last?.speaker === speaker && last.isLearnt === false)
      const mark = isContext ? { isLearnt: false as const } : {}
      if (last?.speaker === speaker)
        turns[turns.length - 1] = { speaker, text: `${last.text}\n${spoken}`, ...mark }
      else turns.push({ speaker, text: spoken, ...mark })
    }
    if (turns.at(-1)?.speaker === 'user') turns.pop()
    if (!turns.some(countsAsReply)) {
      this.reject(line, `it has no reply of the character${turns.length > 0 ? ' that is learnt' : ''}`)
      return
    }
    this.droppedSystemTurns += raw.filter(({ speaker }) => speaker === 'system').length
    const side = splitOf(split) ?? this.side
    this.dialogues.push({
      role: name,
      turns,
      line,
      ...(side && { split: side }),
      ...(item !== undefined && { item }),
    })
  }

  private spokenBy(role: string, text: string, isReply: boolean): string {
    const lines = text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text
    const filled = fillNames(lines.toWellFormed(), role).trim()
    const said = isReply ? withoutThoughts(filled).trim() : filled
    if (said !== filled) this.tell('What a model thinks before it speaks is left out of its replies.')
    for (const macro of macrosIn(said)) this.left.macros.add(macro)
    return said
  }

  /** What should be told of the whole, a sentence each. */
  notes(): readonly string[] {
    const { keys, macros } = this.left
    const names = [...new Set(this.dialogues.map(({ role }) => role))]
    // What stands before a wording of an item is there for that by its very form.
    const context = this.dialogues.flatMap(({ turns, item }) =>
      item === undefined ? turns.filter((turn) => turn.isLearnt === false) : [],
    )
    const isEachOnesOwn =
      names.length > 2 && names.length === this.dialogues.length && names.every(isRowNumber)
    return [
      ...this.told,
      ...(this.numbered === undefined ? [] : [this.numbered]),
      ...(context.length > 0
        ? [
            `${context.length === 1 ? 'One reply is' : `${context.length} replies are`} there for what comes after, and not learnt.`,
          ]
        : []),
      ...(keys.size > 0 ? [`Not read of the rows: ${listed([...keys])}.`] : []),
      ...(macros.size > 0 ? [`Macros that are left as they stand: ${listed([...macros])}.`] : []),
      ...alike(names).map((same) => `${same.join(', ')} look alike and are characters of their own.`),
      ...(isEachOnesOwn ? [`Every row has a character of its own: ${listed(names)}; say who speaks.`] : []),
    ]
  }
}

function listed(words: readonly string[]): string {
  const more = words.length - MAX_NAMED
  const first = words.slice(0, MAX_NAMED).join(', ')
  return more > 0 ? `${first} and ${more} more` : first
}

/** The names of which several look the same. */
function alike(names: readonly string[]): readonly (readonly string[])[] {
  const byLook = new Map<string, string[]>()
  for (const name of names) {
    const own = byLook.get(lookOf(name))
    if (own) own.push(name)
    else byLook.set(lookOf(name), [name])
  }
  return [...byLook.values()].filter((same) => same.length > 1)
}

function faultOf(name: string, split: unknown, raw: readonly RawTurn[]): string | undefined {
  if (name === '') return 'it names no character'
  if (name.length > MAX_ROLE_CHARACTERS)
    return `its character’s name is longer than ${MAX_ROLE_CHARACTERS} characters`
  if (/\p{Cc}/u.test(name)) return 'its character’s name has control characters'
  if (split !== undefined && split !== null && split !== '' && splitOf(split) === undefined)
    return 'its split is none of "train", "test" and "wording", nor another name of them'
  if (raw.length > MAX_TURNS) return `it has ${raw.length} turns, at most ${MAX_TURNS} are read`
  const spoken = raw.findIndex(({ text }) => typeof text !== 'string')
  if (spoken >= 0) return `its turn ${spoken + 1} has no text`
  const empty = raw.findIndex(({ speaker, text }) => speaker !== 'system' && String(text).trim() === '')
  return empty >= 0 ? `its turn ${empty + 1} is empty` : undefined
}
