import { ownField, type JsonRecord } from '../core/json.ts'

/**
 * Whether an added token steers the model. Others are words that the vocabulary lacked, and line breaks and tabs are text
 * wherever they stand, though some files call them special.
 */
export function isControl(token: JsonRecord): boolean {
  return ownField(token, 'special') === true && textOf(token).trim() !== ''
}

/** Control tokens that somebody wrote into a message, told apart from those that the template writes around it. */
export interface QuotedTokens {
  /** The text with each control token that it spells out replaced by a mark; texts without one stay as they are. */
  quote(text: string): string
  /** The text with the control tokens again where the marks stand. */
  unquote(text: string): string
}

/** Begins and ends a mark, around the token's number; of the private use area, so that no message holds it. */
export const QUOTE = '\u{10fffb}'

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
 * @param controls its `added_tokens` of which `isControl` holds.
 */
export function quotedTokens(controls: readonly JsonRecord[]): QuotedTokens {
  const tokens = controls.filter((token) => textOf(token) !== '')
  const texts = tokens.map(textOf)
  const found = new RegExp(anyOf(texts), 'gu')
  const mark = new RegExp(`${QUOTE}(\\d+)${QUOTE}`, 'gu')

  return {
    quote: (text) => text.replaceAll(found, (token) => `${QUOTE}${texts.indexOf(token)}${QUOTE}`),
    unquote: (text) => text.replaceAll(mark, (whole, index: string) => texts[Number(index)] ?? whole),
  }
}
