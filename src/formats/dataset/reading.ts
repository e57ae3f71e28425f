import { countsAsReply } from '../../core/dialogue.ts'
import type { Dialogue, Split, Turn } from '../../core/dialogue.ts'
import { check } from '../../core/errors.ts'

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
  /** The header of a CSV file, for the user to map. */
  readonly columns?: readonly string[]
}

export interface DatasetOptions {
  /** Which CSV columns hold what; guessed from the header where left out. */
  readonly columns?: { readonly role?: string; readonly user: string; readonly reply: string }
  /** Who speaks in rows that name nobody. */
  readonly roleName?: string
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

/** Gathers the dialogues of a file and the rows that are none. */
export class DialogueCollector {
  readonly dialogues: DatasetDialogue[] = []
  readonly rejected: RejectedRow[] = []
  droppedSystemTurns = 0
  private readonly fileName: string

  constructor(fileName: string) {
    this.fileName = fileName
  }

  /** @throws HycoraError `format-invalid` when more rows are unusable than a person could want to read. */
  reject(line: number, reason: string): void {
    check(this.rejected.length < MAX_REJECTED, 'format-invalid', () => {
      const first = this.rejected[0]
      return `${this.fileName}: more than ${MAX_REJECTED} rows cannot be used; line ${first?.line}: ${first?.reason}`
    })
    this.rejected.push({ line, reason })
  }

  /**
   * Takes a row: system turns go, turns of one speaker in a row are joined (and learnt where all of them are), what the
   * visitor says last of all goes, since nobody answers it. A row that cannot be used is rejected with its reason.
   */
  add({ line, role, split, item }: RowFacts, raw: readonly RawTurn[]): void {
    const name = typeof role === 'string' ? role.trim().toWellFormed() : ''
    const fault = faultOf(name, split, raw)
    if (fault !== undefined) {
      this.reject(line, fault)
      return
    }
    const turns: Turn[] = []
    for (const { speaker, text, isLearnt } of raw) {
      if (speaker === 'system') continue
      const spoken = String(text).trim().toWellFormed()
      const last = turns.at(-1)
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
    this.dialogues.push({
      role: name,
      turns,
      line,
      ...(isSplit(split) && { split }),
      ...(item !== undefined && { item }),
    })
  }
}

function isSplit(value: unknown): value is Split {
  return value === 'train' || value === 'test' || value === 'wording'
}

function faultOf(name: string, split: unknown, raw: readonly RawTurn[]): string | undefined {
  if (name === '') return 'it names no character'
  if (name.length > MAX_ROLE_CHARACTERS)
    return `its character’s name is longer than ${MAX_ROLE_CHARACTERS} characters`
  if (/\p{Cc}/u.test(name)) return 'its character’s name has control characters'
  if (split !== undefined && split !== null && !isSplit(split))
    return 'its split is none of "train", "test" and "wording"'
  if (raw.length > MAX_TURNS) return `it has ${raw.length} turns, at most ${MAX_TURNS} are read`
  const spoken = raw.findIndex(({ text }) => typeof text !== 'string')
  if (spoken >= 0) return `its turn ${spoken + 1} has no text`
  const empty = raw.findIndex(({ speaker, text }) => speaker !== 'system' && String(text).trim() === '')
  return empty >= 0 ? `its turn ${empty + 1} is empty` : undefined
}
