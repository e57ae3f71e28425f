import { ownField, type JsonRecord } from '../core/json.ts'

/** A part of a text to encode: `isPlain` where control tokens are letters. */
export interface Stretch {
  readonly text: string
  readonly isPlain: boolean
}

/** Control tokens that somebody wrote into a message, told apart from those that the template writes around it. */
export interface QuotedTokens {
  /** The text with each control token that it spells out replaced by a mark; texts without one stay as they are. */
  quote(text: string): string
  /** The text with the control tokens again where the marks stand. */
  unquote(text: string): string
  /** What lies between two control tokens is plain, marks resolved, where it holds a mark; all else stays together. */
  stretches(text: string): readonly Stretch[]
}

/** Begins and ends a mark, around the token's number; of the private use area, so that no message holds it. */
const QUOTE = '\u{10fffb}'

function textOf(token: JsonRecord): string {
  return String(ownField(token, 'content'))
}

/** An expression for any of these texts, the longest first; for none of them one that finds nothing. */
function anyOf(texts: readonly string[]): string {
  const longestFirst = texts.toSorted((one, other) => other.length - one.length)
  return (
    longestFirst.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)).join('|') || '(?!)'
  )
}

/**
 * The quotes of a tokenizer.
 *
 * @param controls its `added_tokens` that are special.
 */
export function quotedTokens(controls: readonly JsonRecord[]): QuotedTokens {
  const tokens = controls.filter((token) => textOf(token) !== '')
  const texts = tokens.map(textOf)
  const found = new RegExp(anyOf(texts), 'gu')
  const divider = new RegExp(`(${anyOf(texts)})`, 'u')
  const mark = new RegExp(`${QUOTE}(\\d+)${QUOTE}`, 'gu')
  const unquote = (text: string): string =>
    text.replaceAll(mark, (whole, index: string) => texts[Number(index)] ?? whole)
  /** Whether a token takes the white space on one side of it. */
  const takes = (text: string | undefined, side: 'lstrip' | 'rstrip'): boolean =>
    tokens.some((token) => textOf(token) === text && ownField(token, side) === true)

  return {
    quote: (text) => text.replaceAll(found, (token) => `${QUOTE}${texts.indexOf(token)}${QUOTE}`),
    unquote,
    stretches(text) {
      if (!text.includes(QUOTE)) return [{ text, isPlain: false }]
      const stretches: Stretch[] = []
      const parts = text.split(divider)
      for (const [index, part] of parts.entries()) {
        const last = stretches.at(-1)
        if (part.includes(QUOTE)) {
          const start = takes(parts[index - 1], 'rstrip') ? part.trimStart() : part
          const whole = takes(parts[index + 1], 'lstrip') ? start.trimEnd() : start
          stretches.push({ text: unquote(whole), isPlain: true })
        } else if (last?.isPlain === false) {
          stretches[stretches.length - 1] = { text: last.text + part, isPlain: false }
        } else {
          stretches.push({ text: part, isPlain: false })
        }
      }
      return stretches
    },
  }
}
