import { check } from './errors.ts'

/** The start or end of a text or line, of a word, or a place that is none of a word's. */
export type Edge = 'start' | 'end' | 'word' | 'within'

/** A look ahead or behind. */
export interface Look {
  readonly part: Expression
  readonly isBehind: boolean
  readonly isNegative: boolean
}

/** A regular expression as a tree; whether it matches hangs on neither groups nor greed, which are left out. */
export type Expression =
  | { readonly kind: 'character'; readonly matches: (character: string) => boolean }
  | { readonly kind: 'edge'; readonly edge: Edge }
  | ({ readonly kind: 'look' } & Look)
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'either'; readonly parts: readonly Expression[] }
  | {
      readonly kind: 'repeat'
      readonly part: Expression
      readonly least: number
      readonly most: number
    }

const MOST_CHARACTERS = 2048
const MOST_NESTING = 64

/** A group's opening, with what it is. */
const OPENING = /\((?:\?(?:<?[=!]|:|<(?![=!])[^>]*>))?/y
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y
/** Escapes with the flag u, of which two may be one character, and without it. */
const UNICODE_ESCAPE =
  /\\(?:x[\da-fA-F]{2}|u\{[\da-fA-F]+\}|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|c[a-zA-Z]|[pP]\{[^}]*\}|[^])/y
const PLAIN_ESCAPE = /\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|c[a-zA-Z]|0[0-7]{0,2}|[^])/y

const EDGES: Readonly<Record<string, Edge>> = { '^': 'start', $: 'end', '\\b': 'word', '\\B': 'within' }

/**
 * The tree of a pattern that `RegExp` takes.
 *
 * @throws HycoraError `format-unsupported` for references to groups, for what is newer than this, and for very long patterns.
 */
export function parsePattern(source: string, flags: string): Expression {
  check(!flags.includes('v'), 'format-unsupported', () => 'patterns with the flag v are not read')
  check(source.length <= MOST_CHARACTERS, 'format-unsupported', () => {
    return `the pattern has ${source.length} characters, at most ${MOST_CHARACTERS} are read`
  })
  return new Parser(source, flags).whole()
}

class Parser {
  private at = 0
  private depth = 0
  private readonly source: string
  private readonly flags: string
  private readonly isUnicode: boolean
  private readonly known = new Map<string, (character: string) => boolean>()

  constructor(source: string, flags: string) {
    this.source = source
    this.isUnicode = flags.includes('u')
    this.flags = flags.replaceAll(/[^isu]/g, '')
  }

  whole(): Expression {
    const found = this.either()
    check(
      this.at === this.source.length,
      'format-unsupported',
      () => 'the pattern has a part that is not known',
    )
    return found
  }

  private either(): Expression {
    check(++this.depth <= MOST_NESTING, 'format-unsupported', () => {
      return `the pattern nests deeper than ${MOST_NESTING} groups`
    })
    const parts = [this.sequence()]
    while (this.source[this.at] === '|') {
      this.at++
      parts.push(this.sequence())
    }
    this.depth--
    return { kind: 'either', parts }
  }

  private sequence(): Expression {
    const parts: Expression[] = []
    while (this.at < this.source.length && !/[|)]/.test(this.source.charAt(this.at))) {
      parts.push(this.quantified(this.one()))
    }
    return { kind: 'sequence', parts }
  }

  /** A group, an edge or a character. */
  private one(): Expression {
    if (this.source[this.at] === '(') return this.group()
    const text = this.character()
    const edge = Object.hasOwn(EDGES, text) ? EDGES[text] : undefined
    return edge ? { kind: 'edge', edge } : { kind: 'character', matches: this.matcher(text) }
  }

  private group(): Expression {
    const opening = this.take(OPENING) ?? ''
    check(opening !== '(' || this.source[this.at] !== '?', 'format-unsupported', () => {
      return 'the pattern has a kind of group that is not known'
    })
    const part = this.either()
    this.at++
    const [, behind, look] = /^\(\?(<?)([=!])$/.exec(opening) ?? []
    return look === undefined
      ? part
      : { kind: 'look', part, isBehind: behind === '<', isNegative: look === '!' }
  }

  /** The text of one character: itself, an escape or a class. */
  private character(): string {
    const first = this.source.charAt(this.at)
    if (first === '[') return this.bracketed()
    if (first === '\\') {
      const escape = this.take(this.isUnicode ? UNICODE_ESCAPE : PLAIN_ESCAPE) ?? first
      check(!/^\\[1-9k]/.test(escape), 'format-unsupported', () => {
        return 'the pattern refers back to a group, which can take for ever'
      })
      check(escape !== '\\c', 'format-unsupported', () => 'the pattern has a part that is not known')
      return escape
    }
    const text = this.isUnicode ? String.fromCodePoint(this.source.codePointAt(this.at) ?? 0) : first
    this.at += text.length
    return text
  }

  /** A class in brackets. */
  private bracketed(): string {
    const start = this.at
    while (this.source[this.at] !== ']') this.at += this.source[this.at] === '\\' ? 2 : 1
    this.at++
    return this.source.slice(start, this.at)
  }

  private quantified(part: Expression): Expression {
    const start = this.at
    const text = this.take(QUANTIFIER)
    if (text === null) return part
    const [, mark, from, comma, to] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(text) ?? []
    if (mark === undefined && from === undefined) {
      this.at = start
      return part
    }
    const least = mark === undefined ? Number(from) : mark === '+' ? 1 : 0
    const open = mark === undefined ? comma !== '' && to === '' : mark !== '?'
    const bound = mark === '?' ? 1 : to === '' || to === undefined ? least : Number(to)
    return { kind: 'repeat', part, least, most: open ? Infinity : bound }
  }

  private take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    const [found] = pattern.exec(this.source) ?? []
    if (found === undefined) return null
    this.at += found.length
    return found
  }

  /** Whether one character is what a piece of the pattern says, by `RegExp` itself, asked once for each. */
  private matcher(text: string): (character: string) => boolean {
    const known = this.known.get(text)
    if (known) return known
    const piece = new RegExp(`^(?:${text})$`, this.flags)
    const answers = new Map<string, boolean>()
    const matches = (character: string): boolean => {
      const answer = answers.get(character) ?? piece.test(character)
      answers.set(character, answer)
      return answer
    }
    this.known.set(text, matches)
    return matches
  }
}
