import template from './reading.html?raw'
import { HycoraError, check } from '../../core/errors.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import { Random } from '../../core/random.ts'
import { shuffled } from '../../core/shuffle.ts'

/** What one version answered. */
export interface AnswerFile {
  /** What the version is called in the scores. */
  readonly version: string
  readonly answers: readonly GivenAnswer[]
}

export interface GivenAnswer {
  readonly role: string
  /** What the character said before, as its greeting; empty where nothing. */
  readonly before: string
  readonly question: string
  readonly answer: string
}

/** `scores`: topic, sense and voice of every answer; `preference`: which one a reader would rather have got. */
export type Form = 'scores' | 'preference'

/** What a reader sees: nothing in it says whose an answer is. */
export interface Reading {
  readonly id: string
  readonly form: Form
  readonly items: readonly ReadingItem[]
}

export interface ReadingItem {
  readonly id: number
  readonly role: string
  readonly before: string
  readonly question: string
  readonly answers: readonly string[]
}

/** Whose the answers of each item are, in their order. */
export interface ReadingKey {
  readonly reading: string
  readonly form: Form
  readonly items: readonly { readonly id: number; readonly versions: readonly string[] }[]
}

/** Answers beside each other at most. */
const MOST_VERSIONS = 4
const PLACE = '/* READING */'

function textOf(value: unknown, key: string): string | undefined {
  const text = isJsonRecord(value) ? ownField(value, key) : undefined
  return typeof text === 'string' ? text : undefined
}

/**
 * Answers as `blind --ask` writes them.
 *
 * @param where the file, for messages.
 * @throws HycoraError `format-invalid` naming what is missing.
 */
export function readAnswerFile(value: unknown, where: string): AnswerFile {
  const version = textOf(value, 'version')
  const rows = isJsonRecord(value) ? ownField(value, 'answers') : undefined
  if (version === undefined || !Array.isArray(rows))
    throw new HycoraError('format-invalid', `${where} holds no version with answers`)
  const answers = rows.map((row: unknown, index): GivenAnswer => {
    const [role, question, answer] = ['role', 'question', 'answer'].map((key) => textOf(row, key))
    if (role === undefined || question === undefined || answer === undefined)
      throw new HycoraError('format-invalid', `${where}: answer ${index + 1} lacks role, question or answer`)
    return { role, question, answer, before: textOf(row, 'before') ?? '' }
  })
  return { version, answers }
}

function keyOf({ role, question }: Pick<GivenAnswer, 'role' | 'question'>): string {
  return JSON.stringify([role, question])
}

/**
 * Puts answers to the same questions beside each other, in an order that says nothing.
 *
 * @param digest a short name of a text, the same for the same text.
 * @throws HycoraError `usage` for fewer than two versions or more than four, two of one name, or no question in common.
 */
export function makeReading(
  files: readonly AnswerFile[],
  {
    form,
    seed,
    digest,
  }: { readonly form: Form; readonly seed: number; readonly digest: (text: string) => string },
): { readonly reading: Reading; readonly key: ReadingKey } {
  const names = files.map(({ version }) => version)
  check(files.length >= 2 && files.length <= MOST_VERSIONS, 'usage', () => {
    return `there are ${files.length} versions, expected 2 to ${MOST_VERSIONS}`
  })
  check(new Set(names).size === names.length, 'usage', () => `two versions are called ${names.join(', ')}`)
  const byQuestion = files.map(({ answers }) => new Map(answers.map((given) => [keyOf(given), given])))
  const common = [...(byQuestion[0]?.values() ?? [])].filter((given) =>
    byQuestion.every((answers) => answers.has(keyOf(given))),
  )
  check(common.length > 0, 'usage', () => 'the versions have no question in common')
  const random = new Random(seed, 5)
  const whole = shuffled(common, random).map((given, index) => {
    const order = shuffled([...files.keys()], random)
    const { role, before, question } = given
    const answers = order.map((file) => byQuestion[file]?.get(keyOf(given))?.answer ?? '')
    const item = { id: index + 1, role, before, question, answers }
    return { item, versions: order.map((file) => names[file] ?? '') }
  })
  const items = whole.map(({ item }) => item)
  const id = digest(JSON.stringify([form, items]))
  return {
    reading: { id, form, items },
    key: { reading: id, form, items: whole.map(({ item, versions }) => ({ id: item.id, versions })) },
  }
}

/** The page that a reader fills in: one file, which asks nothing of the network. */
export function readingPage(reading: Reading): string {
  // Within a script element only "<" could end it.
  const data = JSON.stringify(reading).replaceAll('<', String.raw`\u003c`)
  return template.replace(PLACE, () => data)
}
