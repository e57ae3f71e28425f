import { compilePattern } from '../../core/boundedPattern.ts'
import type { Allowance, BoundedPattern } from '../../core/boundedPattern.ts'
import { asHycoraError } from '../../core/errors.ts'
import { remark } from '../../core/remarks.ts'
import type { Remark } from '../../core/remarks.ts'

/** How a key is looked for. */
export interface KeyRules {
  /** Whether it is a pattern without slashes around it. */
  readonly arePatterns: boolean
  readonly isCaseSensitive: boolean
  readonly isWholeWords: boolean
}

/** Characters of a text that a plain search takes for one step of a pattern. */
const CHARACTERS_A_STEP = 16

/** Writing that puts no spaces between words: what stands beside a word there says nothing. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const LETTER = /[\p{L}\p{N}\p{M}_]/u
const WORD = /^[\p{L}\p{N}]+$/u
const WORDS = /[\p{L}\p{N}\p{M}_]+/gu

/** Looks for the keys of lorebooks, in bounded time, and remembers what of them could not be looked for. */
export class KeySearch {
  private readonly found = new Map<string, Remark>()
  private readonly patterns = new Map<string, BoundedPattern | null>()
  /** The words of texts as they are written and in small letters: a book may have thousands of them looked for. */
  private readonly written = new Map<string, ReadonlySet<string>>()
  private readonly lowered = new Map<string, ReadonlySet<string>>()
  private readonly allowance: Allowance

  constructor(steps: number) {
    this.allowance = { steps }
  }

  /** What of them could not be looked for, each once. */
  get faults(): readonly Remark[] {
    return [...this.found.values()]
  }

  private tell(fault: Remark): void {
    this.found.set(JSON.stringify(fault), fault)
  }

  /** Whether a text has a key. */
  has(text: string, key: string, rules: KeyRules): boolean {
    if (text === '' || key === '') return false
    if (this.allowance.steps <= 0) {
      this.tell(remark('keys.budget'))
      return false
    }
    const [, body, flags = ''] = (key.startsWith('/') && /^\/(.+)\/([a-z]*)$/s.exec(key)) || []
    const isPattern = body !== undefined && !/(?:^|[^\\])(?:\\\\)*\//.test(body)
    if (isPattern) return this.matches(text, body.replaceAll('\\/', '/'), flags, key)
    if (rules.arePatterns) return this.matches(text, key, rules.isCaseSensitive ? '' : 'i', key)
    if (rules.isWholeWords && WORD.test(key) && !UNSPACED.test(key)) return this.hasWord(text, key, rules)
    this.allowance.steps -= 1 + text.length / CHARACTERS_A_STEP
    return this.hasWords(text, key, rules)
  }

  /** Whether one of a text's words is a key. */
  private hasWord(text: string, key: string, { isCaseSensitive }: KeyRules): boolean {
    this.allowance.steps -= 1
    const known = isCaseSensitive ? this.written : this.lowered
    let words = known.get(text)
    if (words === undefined) {
      this.allowance.steps -= text.length / CHARACTERS_A_STEP
      words = wordsOf(isCaseSensitive ? text : text.toLowerCase())
      known.set(text, words)
    }
    return words.has(isCaseSensitive ? key : key.toLowerCase())
  }

  /** Whether a text has a key as it is written; one word only where it stands by itself, if that is asked for. */
  private hasWords(text: string, key: string, { isCaseSensitive, isWholeWords }: KeyRules): boolean {
    const [hay, needle] = isCaseSensitive ? [text, key] : [text.toLowerCase(), key.toLowerCase()]
    if (!isWholeWords || /\s/.test(needle)) return hay.includes(needle)
    for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + 1)) {
      const end = at + needle.length
      if (isApart(before(hay, at), needle) && isApart(after(hay, end), needle)) return true
      if (--this.allowance.steps <= 0) return false
    }
    return false
  }

  private matches(text: string, source: string, flags: string, key: string): boolean {
    const id = `${flags}/${source}`
    let pattern = this.patterns.get(id)
    if (pattern === undefined) {
      pattern = this.compile(source, flags, key)
      this.patterns.set(id, pattern)
    }
    if (pattern === null) return false
    const found = pattern.test(text, this.allowance)
    if (this.allowance.steps <= 0) this.tell(remark('keys.slow', { key: shown(key) }))
    return found
  }

  private compile(source: string, flags: string, key: string): BoundedPattern | null {
    try {
      return compilePattern(source, flags)
    } catch (error) {
      const { message } = asHycoraError(error, 'format-invalid')
      this.tell(remark('keys.refused', { key: shown(key), reason: message }))
      return null
    }
  }
}

/** What stands by itself in a text, as `isApart` has it. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set((text.match(WORDS) ?? []).flatMap((run) => run.split(UNSPACED)))
}

function shown(key: string): string {
  return key.length > 48 ? `${key.slice(0, 48)}…` : key
}

/** Whether what stands beside a word is no part of it. */
function isApart(beside: string, word: string): boolean {
  return !LETTER.test(beside) || UNSPACED.test(beside) || UNSPACED.test(word)
}

/** The whole character before or behind a place, both halves of it; empty at the end. */
function before(text: string, at: number): string {
  const isHalf = /[\udc00-\udfff]/.test(text.charAt(at - 1))
  return text.slice(Math.max(0, at - (isHalf ? 2 : 1)), at)
}

function after(text: string, at: number): string {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : ''
}
