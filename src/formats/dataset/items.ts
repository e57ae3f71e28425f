import { ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { Fields } from './fields.ts'
import type { JsonRow } from './jsonRows.ts'
import type { DatasetDialogue, DialogueCollector, RawTurn } from './reading.ts'
import { ownRole } from './records.ts'
import type { Sinks } from './records.ts'
import { splitOf } from './words.ts'

/** The item that holds what a character says before the visitor does. */
const GREETING = 'greeting'
const MAX_WORDINGS = 100

/** One answer to a question in several wordings, as it stands in a file and is sound by itself. */
interface Item {
  readonly line: number
  readonly role: unknown
  readonly name: string
  readonly questions: readonly string[]
  readonly answer: string
  /** How many wordings, the last ones, are held out. */
  readonly held: number
  /** Of each wording the item that stands before it. */
  readonly after: readonly (string | null)[]
  readonly split: unknown
  /** How many dialogues of the file come before it. */
  readonly at: number
}

/** Whether a JSON object is an item: one answer in several wordings, or a greeting. */
export function isItem(record: JsonRecord): boolean {
  const isAsked = Object.hasOwn(record, 'questions') || ownField(record, 'item') === GREETING
  return Object.hasOwn(record, 'item') && Object.hasOwn(record, 'answer') && isAsked
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

function readItem(record: JsonRecord, facts: Pick<Item, 'line' | 'role' | 'at' | 'split'>): Item | string {
  const [name, answer, questions = []] = ['item', 'answer', 'questions'].map((key) => ownField(record, key))
  const held = ownField(record, 'held') ?? 0
  if (!isText(name)) return 'its item has no name'
  if (!isText(answer)) return 'it has no answer'
  if (!Array.isArray(questions) || questions.length > MAX_WORDINGS)
    return `its questions are no list of at most ${MAX_WORDINGS}`
  if (name !== GREETING && questions.length === 0) return 'it has no question'
  const silent = questions.findIndex((question) => !isText(question))
  if (silent >= 0) return `its wording ${silent + 1} has no text`
  if (typeof held !== 'number' || !Number.isInteger(held) || held < 0 || held > questions.length)
    return `held is none of 0 to ${questions.length}, the number of its questions`
  const after = ownField(record, 'after') ?? questions.map(() => null)
  const isList = Array.isArray(after) && after.length === questions.length
  if (!isList || !after.every((one) => one === null || typeof one === 'string'))
    return 'after is no list with a name or null for each of its questions'
  return { ...facts, name, answer, questions, held, after }
}

const keyOf = (role: unknown, name: string): string => JSON.stringify([role, name])

/** The items of a file; any of them may stand before another, so their dialogues are made when all are read. */
export class ItemRows {
  private readonly items: Item[] = []
  private readonly into: DialogueCollector

  constructor(into: DialogueCollector) {
    this.into = into
  }

  /** Takes an item, or rejects it with its reason. */
  take({ record, line, split }: Extract<JsonRow, { record: JsonRecord }>, sinks: Sinks): void {
    const role = ownRole(new Fields(record), sinks) ?? sinks.options.roleName
    const facts = { line, role, at: this.into.dialogues.length, split: ownField(record, 'split') ?? split }
    const item = readItem(record, facts)
    if (typeof item === 'string') this.into.reject(line, item)
    else this.items.push(item)
  }

  /** Adds a dialogue for each wording, where its item stands in the file; a greeting by itself is none. */
  finish(): void {
    if (this.items.length === 0) return
    const before = new Map<string, readonly RawTurn[]>()
    for (const { role, name, questions, answer } of this.items) {
      const asked = questions.slice(0, 1).map((text): RawTurn => ({ speaker: 'user', text }))
      const key = keyOf(role, name)
      if (!before.has(key)) before.set(key, [...asked, { speaker: 'role', text: answer, isLearnt: false }])
    }
    const others = this.into.dialogues.splice(0)
    const made: DatasetDialogue[] = []
    let taken = 0
    for (const item of this.items) {
      made.push(...others.slice(taken, item.at))
      taken = Math.max(taken, item.at)
      this.addWordings(item, before)
      made.push(...this.into.dialogues.splice(0))
    }
    this.into.dialogues.push(...made, ...others.slice(taken))
    this.into.rejected.sort((one, other) => one.line - other.line)
  }

  private addWordings(item: Item, before: ReadonlyMap<string, readonly RawTurn[]>): void {
    const { line, role, name, questions, answer, held, after, split } = item
    const contexts = after.map((one) => (one === null ? [] : before.get(keyOf(role, one))))
    const missing = contexts.indexOf(undefined)
    if (missing >= 0) {
      const fact = `its wording ${missing + 1} stands after "${after[missing]}", which is no item of its character`
      this.into.reject(line, fact)
      return
    }
    const side = splitOf(split) ?? this.into.side
    for (const [index, text] of questions.entries()) {
      const isHeld = side !== 'test' && index >= questions.length - held
      const turns: RawTurn[] = [
        ...(contexts[index] ?? []),
        { speaker: 'user', text },
        { speaker: 'role', text: answer },
      ]
      this.into.add({ line, role, split: isHeld ? 'wording' : split, item: name }, turns)
    }
  }
}
