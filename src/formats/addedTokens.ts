import { ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'

/** A part of a text: a token that is spelled out there, or what lies between two of them. */
export type Section =
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'text'; readonly text: string; readonly start: number }

interface AddedToken {
  readonly id: number
  readonly length: number
  /** It is no token where a letter or a digit stands beside it. */
  readonly isSingleWord: boolean
  /** It takes the white space before it, and behind it. */
  readonly takesLeft: boolean
  readonly takesRight: boolean
}

interface Branch {
  readonly branches: Map<number, Branch>
  token?: AddedToken
}

/** Letters, digits and what belongs to them, and white space, as the reference's regular expressions have them. */
const WORD = String.raw`[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]`
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u')
const BEGINS_WITH_WORD = new RegExp(`^${WORD}`, 'u')
const SPACE_AT_END = /\p{White_Space}*$/u
const SPACE_AT_START = /^\p{White_Space}*/u

/**
 * Finds tokens in a text, the leftmost first, of those the longest; none overlaps another.
 *
 * Reference: `AddedVocabulary::find_matches` of Hugging Face's tokenizers.
 *
 * @param tokens entries of `added_tokens`, each with the text that it is found by.
 */
export function tokenSplitter(
  tokens: readonly { readonly token: JsonRecord; readonly content: string }[],
): (text: string) => readonly Section[] {
  const root: Branch = { branches: new Map() }
  for (const { token, content } of tokens) plant(root, token, content)
  const nextBeginning = beginnings(root)
  return (text) => {
    const sections: Section[] = []
    let covered = 0
    for (let at = nextBeginning(text, 0); at < text.length; at = nextBeginning(text, at)) {
      const token = longestAt(root, text, at)
      if (!token) {
        at++
        continue
      }
      const end = at + token.length
      if (!token.isSingleWord || isAlone(text, at, end)) {
        const spaceBefore = token.takesLeft ? lengthOf(SPACE_AT_END, text.slice(covered, at)) : 0
        const start = Math.max(covered, at - spaceBefore)
        if (start > covered) sections.push({ kind: 'text', text: text.slice(covered, start), start: covered })
        sections.push({ kind: 'token', id: token.id })
        covered = end + (token.takesRight ? lengthOf(SPACE_AT_START, text.slice(end)) : 0)
      }
      at = end
    }
    if (covered < text.length) sections.push({ kind: 'text', text: text.slice(covered), start: covered })
    return sections
  }
}

/** Where the next unit stands, from a place on, with which a token begins; the text's length where there is none. */
function beginnings({ branches }: Branch): (text: string, from: number) => number {
  const units = [...branches.keys()].map((unit) => String.raw`\u` + unit.toString(16).padStart(4, '0'))
  const found = new RegExp(units.length > 0 ? `[${units.join('')}]` : '(?!)', 'g')
  return (text, from) => {
    found.lastIndex = from
    return found.exec(text)?.index ?? text.length
  }
}

function plant(root: Branch, token: JsonRecord, content: string): void {
  if (content === '') return
  let branch = root
  for (let at = 0; at < content.length; at++) {
    const unit = content.charCodeAt(at)
    const next = branch.branches.get(unit) ?? { branches: new Map<number, Branch>() }
    branch.branches.set(unit, next)
    branch = next
  }
  branch.token = {
    id: Number(ownField(token, 'id')),
    length: content.length,
    isSingleWord: ownField(token, 'single_word') === true,
    takesLeft: ownField(token, 'lstrip') === true,
    takesRight: ownField(token, 'rstrip') === true,
  }
}

function longestAt(root: Branch, text: string, start: number): AddedToken | undefined {
  let longest: AddedToken | undefined
  let branch: Branch | undefined = root
  for (let at = start; branch && at <= text.length; at++) {
    longest = branch.token ?? longest
    branch = branch.branches.get(text.charCodeAt(at))
  }
  return longest
}

/** Whether neither a letter nor a digit stands beside a stretch of a text. */
function isAlone(text: string, start: number, end: number): boolean {
  // A character may take two units: both have to be seen.
  return (
    !ENDS_WITH_WORD.test(text.slice(Math.max(0, start - 2), start)) &&
    !BEGINS_WITH_WORD.test(text.slice(end, end + 2))
  )
}

function lengthOf(space: RegExp, text: string): number {
  return space.exec(text)?.[0].length ?? 0
}
