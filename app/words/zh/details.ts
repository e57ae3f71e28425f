import { words as acts } from './details/acts.ts'
import { words as files } from './details/files.ts'
import { words as kinds } from './details/kinds.ts'
import { words as models } from './details/models.ts'
import { words as parts } from './details/parts.ts'
import { words as reasons } from './details/reasons.ts'
import { words as served } from './details/served.ts'
import { words as told } from './details/told.ts'

/** What errors say of themselves, by their English as it is thrown, with `{0}`, `{1}` … for its values in order. */
export const words: Readonly<Record<string, string>> = {
  ...acts,
  ...files,
  ...kinds,
  ...models,
  ...parts,
  ...reasons,
  ...served,
  ...told,
}

/** A detail as it is written where it is thrown, taken apart at its values. */
interface Template {
  readonly pieces: readonly string[]
  readonly translation: string
  /** Letters of the pieces. */
  readonly letters: number
}

/** A translation, and how many letters of the detail are known. */
interface Known {
  readonly text: string
  readonly letters: number
}

/** What is longer is no detail but a file's own words. */
const LONGEST = 1000
/** How deep details stand in one another. */
const DEEPEST = 3
/** Fewer letters, such as " is ", say nothing by themselves. */
const LEAST_LETTERS = 5

const templates = Object.entries(words).map(([detail, translation]): Template => {
  const pieces = detail.split(/\{\d\}/)
  return { pieces, translation, letters: lettersOf(pieces.join('')) }
})

function lettersOf(text: string): number {
  return text.replaceAll(/\P{L}/gu, '').length
}

/** The Chinese of a detail, with what stands in it; null where too little of it is known. */
export function inChinese(detail: string): string | null {
  const known = knownOf(detail, DEEPEST)
  if (known && known.letters >= LEAST_LETTERS) return known.text
  // A warning is a sentence, and what it says may be thrown elsewhere, where it is none.
  const sentence = detail.endsWith('.') ? knownOf(detail.slice(0, -1), DEEPEST) : null
  return sentence && sentence.letters >= LEAST_LETTERS ? `${sentence.text}。` : null
}

/** The translation that knows the most of a detail; null where none does. */
function knownOf(detail: string, depth: number): Known | null {
  if (depth === 0 || detail.length > LONGEST) return null
  const whole = words[detail]
  if (whole !== undefined) return { text: whole, letters: lettersOf(detail) }
  let best: Known | null = null
  for (const { pieces, translation, letters } of templates) {
    const values = valuesIn(detail, pieces)?.map((value) => {
      return knownOf(value, depth - 1) ?? { text: value, letters: 0 }
    })
    if (!values) continue
    const all = values.reduce((sum, value) => sum + value.letters, letters)
    if (all <= (best?.letters ?? 0)) continue
    const text = translation.replaceAll(/\{(\d)\}/g, (_, place: string) => values[Number(place)]?.text ?? '')
    best = { text, letters: all }
  }
  return best
}

/** What stands between the pieces of a template; null where the text is none of its. Each piece is taken where it comes first. */
function valuesIn(text: string, [first = '', ...others]: readonly string[]): string[] | null {
  const last = others.pop()
  if (last === undefined || !text.startsWith(first) || !text.endsWith(last)) return null
  const end = text.length - last.length
  const values: string[] = []
  let from = first.length
  for (const piece of others) {
    const at = text.indexOf(piece, from)
    if (at < 0 || at + piece.length > end) return null
    values.push(text.slice(from, at))
    from = at + piece.length
  }
  return from <= end ? [...values, text.slice(from, end)] : null
}
