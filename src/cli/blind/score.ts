import { HycoraError, check } from '../../core/errors.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import type { Form, ReadingKey } from './reading.ts'

const MARKS = ['topic', 'sense', 'voice'] as const
type Marks = Readonly<Record<(typeof MARKS)[number], number>>

/** A form as a reader saved it: by item the marks of each answer, or the index of the one preferred, −1 for none. */
export interface FilledForm {
  readonly reading: string
  readonly form: Form
  readonly marks: ReadonlyMap<number, readonly (Marks | null)[] | number>
}

/** What readers made of a version. */
export interface VersionScore {
  readonly version: string
  /** Items that were read whole. */
  readonly read: number
  /** Means of 0 to 2, and the shares of answers that belong to their question and that are sound; null of a preference. */
  readonly scores: (Marks & { readonly answers: number; readonly sound: number }) | null
  /** By other version: how often this one was put above it, and below. */
  readonly against: readonly { readonly version: string; readonly above: number; readonly below: number }[]
}

function isMark(mark: unknown): mark is number {
  return mark === 0 || mark === 1 || mark === 2
}

function marksOf(value: unknown): Marks | null {
  if (!isJsonRecord(value)) return null
  const [topic, sense, voice] = MARKS.map((name) => ownField(value, name))
  return isMark(topic) && isMark(sense) && isMark(voice) ? { topic, sense, voice } : null
}

/** @throws HycoraError `format-invalid` where it is no form that the page has saved. */
export function readFilledForm(value: unknown, where: string): FilledForm {
  const [reading, form, marks] = isJsonRecord(value)
    ? ['reading', 'form', 'marks'].map((key) => ownField(value, key))
    : []
  if (typeof reading !== 'string' || (form !== 'scores' && form !== 'preference') || !isJsonRecord(marks))
    throw new HycoraError('format-invalid', `${where} is no form of a blind reading`)
  const filled = Object.entries(marks).map(([id, mark]): [number, readonly (Marks | null)[] | number] => {
    return [Number(id), typeof mark === 'number' ? mark : Array.isArray(mark) ? mark.map(marksOf) : []]
  })
  return { reading, form, marks: new Map(filled) }
}

/** @throws HycoraError `format-invalid` where it is no key of a reading. */
export function readKey(value: unknown, where: string): ReadingKey {
  const [reading, form, items] = isJsonRecord(value)
    ? ['reading', 'form', 'items'].map((key) => ownField(value, key))
    : []
  if (typeof reading !== 'string' || (form !== 'scores' && form !== 'preference') || !Array.isArray(items))
    throw new HycoraError('format-invalid', `${where} is no key of a blind reading`)
  return {
    reading,
    form,
    items: items.map((item: unknown) => {
      const [id, versions] = isJsonRecord(item) ? [ownField(item, 'id'), ownField(item, 'versions')] : []
      if (
        typeof id !== 'number' ||
        !Array.isArray(versions) ||
        !versions.every((one) => typeof one === 'string')
      )
        throw new HycoraError('format-invalid', `${where} has an item without id and versions`)
      return { id, versions }
    }),
  }
}

/** An item that was read whole: what each version is worth in it, and its marks where it has some. */
interface ReadItem {
  readonly versions: readonly string[]
  readonly worth: readonly number[]
  readonly marks: readonly Marks[]
}

function readItems(key: ReadingKey, { marks }: FilledForm): ReadItem[] {
  return key.items.flatMap(({ id, versions }): ReadItem[] => {
    const mark = marks.get(id)
    if (typeof mark === 'number')
      return [{ versions, worth: versions.map((_, at) => (at === mark ? 1 : 0)), marks: [] }]
    const whole = (mark ?? []).flatMap((each) => (each ? [each] : []))
    if (whole.length !== versions.length) return []
    const worth = whole.map(({ topic, sense, voice }) => topic + sense + voice)
    return [{ versions, worth, marks: whole }]
  })
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/**
 * The scores of each version over the items that were read whole, the best first.
 *
 * @throws HycoraError `usage` where key and form are of different readings, or nothing was read.
 */
export function scoreReading(key: ReadingKey, filled: FilledForm): VersionScore[] {
  check(key.reading === filled.reading && key.form === filled.form, 'usage', () => {
    return `the form is of reading ${filled.reading}, the key of ${key.reading}`
  })
  const items = readItems(key, filled)
  check(items.length > 0, 'usage', () => 'the form holds no item that was read whole')
  const versions = [...new Set(items.flatMap((item) => item.versions))].toSorted()
  const scored = versions.map((version): VersionScore => {
    const own = items.flatMap((item) => {
      const at = item.versions.indexOf(version)
      return at < 0 ? [] : [{ item, at, worth: item.worth[at] ?? 0 }]
    })
    const marks = own.flatMap(({ item, at }) => item.marks[at] ?? [])
    const against = versions
      .filter((other) => other !== version)
      .map((other) => {
        const gaps = own.map(({ item, worth }) => worth - (item.worth[item.versions.indexOf(other)] ?? worth))
        const count = (isSo: (gap: number) => boolean): number => gaps.filter(isSo).length
        return { version: other, above: count((gap) => gap > 0), below: count((gap) => gap < 0) }
      })
    const full = (name: keyof Marks): number => mean(marks.map((each) => (each[name] === 2 ? 1 : 0)))
    const scores =
      key.form === 'preference'
        ? null
        : {
            topic: mean(marks.map(({ topic }) => topic)),
            sense: mean(marks.map(({ sense }) => sense)),
            voice: mean(marks.map(({ voice }) => voice)),
            answers: full('topic'),
            sound: full('sense'),
          }
    return { version, read: own.length, scores, against }
  })
  const rank = ({ scores, against }: VersionScore): number =>
    scores
      ? scores.topic + scores.sense + scores.voice
      : mean(against.map(({ above, below }) => above - below))
  return scored.toSorted((a, b) => rank(b) - rank(a))
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

/** The scores as a table for a person. */
export function formatScores(scores: readonly VersionScore[]): string {
  const width = Math.max(7, ...scores.map(({ version }) => version.length))
  const row = (label: string, cells: readonly string[]): string =>
    [label.padEnd(width), ...cells.map((cell) => cell.padStart(8))].join(' ').trimEnd()
  const hasMarks = scores.some((each) => each.scores)
  const head = hasMarks ? [row('version', ['topic', 'sense', 'voice', 'answers', 'sound', 'read'])] : []
  const table = scores.flatMap(({ version, read, scores: own }) => {
    if (!own) return []
    const means = [own.topic, own.sense, own.voice].map((value) => value.toFixed(2))
    return [row(version, [...means, percent(own.answers), percent(own.sound), String(read)])]
  })
  const pairs = scores.flatMap(({ version, read, against }, index) =>
    against
      .filter((other) => scores.findIndex((each) => each.version === other.version) > index)
      .map(
        ({ version: other, above, below }) =>
          `${version}: above ${other} in ${above} of ${read}, below in ${below}`,
      ),
  )
  return [...head, ...table, ...(hasMarks ? [''] : []), ...pairs, ''].join('\n')
}
