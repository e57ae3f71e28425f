/*
 * Words as the paper's scripts count them: NLTK's tokenizer for English, single characters for Chinese. Python's `\w`,
 * `\s` and `\b` know all of Unicode, JavaScript's do not, so they are spelt out.
 */

const SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`
const WORD = String.raw`[\p{L}\p{N}_]`
const EDGE = `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`
const SPACES = new RegExp(`${SPACE}+`, 'u')

/** Python's `str.split()`. */
export function splitSpaces(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== '')
}

/** Whether a text is to be counted by characters: more than a third of its letters are Han. */
function isChinese(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  return 3 * (text.match(/\p{Script=Han}/gu)?.length ?? 0) > letters
}

/** The characters of a text, spaces left out. */
function characters(text: string): string[] {
  return Array.from(splitSpaces(text).join(''))
}

type Rule = readonly [pattern: RegExp, replacement: string]

const rule = (pattern: string, replacement: string, flags = ''): Rule => [
  new RegExp(pattern, `gu${flags}`),
  replacement,
]

const SPLIT_1 = ' $1 '
const AROUND = ' $& '

/** In NLTK's order: opening quotes, punctuation, brackets, dashes. */
const BEFORE: readonly Rule[] = [
  rule('([«“‘„]|`+)', SPLIT_1),
  rule('^"', '``'),
  rule('(``)', SPLIT_1),
  rule(String.raw`([ \(\[\{<])("|'{2})`, '$1 `` '),
  rule(`(?<!${WORD})(')(?!(?:re|ve|ll|m|t|s|d|n)${EDGE})(?=${WORD})`, '$1 ', 'i'),
  rule(`([^.])(\\.)([\\]\\)\\}>"'»”’ ]*)${SPACE}*$`, '$1 $2 $3 '),
  rule(String.raw`([:,])([^\p{Nd}])`, ' $1 $2'),
  rule('([:,])$', SPLIT_1),
  rule(String.raw`\.{2,}`, AROUND),
  rule('[;@#$%&]', AROUND),
  rule(String.raw`[\u2012-\u2015]`, AROUND),
  rule(`([^.])(\\.)([\\]\\)\\}>"']*)${SPACE}*$`, '$1 $2$3 '),
  rule('[?!]', AROUND),
  rule("([^'])' ", "$1 ' "),
  rule(String.raw`\*`, AROUND),
  rule(String.raw`[\]\[\(\)\{\}<>]`, AROUND),
  rule('--', ' -- '),
]

/** Closing quotes, clitics and contractions, in the text with a space on either side. */
const AFTER: readonly Rule[] = [
  rule('([»”’])', SPLIT_1),
  rule("''", " '' "),
  rule('"', " '' "),
  rule(`${SPACE}+`, ' '),
  rule("([^' ])('[sS]|'[mM]|'[dD]|') ", '$1 $2 '),
  rule("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", '$1 $2 '),
  ...['can)(not', "d)('ye", 'gim)(me', 'gon)(na', 'got)(ta', 'lem)(me', "more)('n"].map((pair) =>
    rule(`${EDGE}(${pair})${EDGE}`, ' $1 $2 ', 'i'),
  ),
  rule(`${EDGE}(wan)(na)(?=${SPACE})`, ' $1 $2 ', 'i'),
  rule(` ('t)(is)${EDGE}`, ' $1 $2 ', 'i'),
  rule(` ('t)(was)${EDGE}`, ' $1 $2 ', 'i'),
]

function apply(text: string, rules: readonly Rule[]): string {
  return rules.reduce((result, [pattern, replacement]) => result.replaceAll(pattern, replacement), text)
}

/**
 * The words of one English sentence.
 *
 * Reference: NLTK, `NLTKWordTokenizer.tokenize`.
 */
function sentenceWords(sentence: string): string[] {
  return splitSpaces(apply(` ${apply(sentence, BEFORE)} `, AFTER))
}

/** Words that a full stop belongs to. */
const ABBREVIATIONS = new Set(
  (
    'mr mrs ms messrs dr prof st sr jr gen col capt maj lt sgt rev hon gov sen rep pres vs ' +
    'jan feb mar apr aug sept sep oct nov dec inc ltd co corp bros u.k a.m p.m ph.d d.c'
  ).split(' '),
)

/** Where a sentence may end: its mark, closing quotes and brackets, space; or its mark and an asterisk. */
const BREAK = /(\S*?)([.?!]+)(?:["'”’»)\]}]*\s+(?=(\S))|(?=(\*)))/gu

/**
 * The sentences of an English text. NLTK asks a trained model (Punkt) here; rules with a list of abbreviations stand in
 * for it. Of the 6,894 lines that the cast says in talks and scenes 8 come out otherwise, nearly all in one full stop more
 * or less.
 */
export function sentences(text: string): string[] {
  const parts: string[] = []
  let start = 0
  for (const { 0: whole, 1: before = '', 2: mark = '', 3: next = '*', index } of text.matchAll(BREAK)) {
    const end = index + whole.length
    if (!endsSentence(before, mark, next)) continue
    parts.push(text.slice(start, end).trim())
    start = end
  }
  parts.push(text.slice(start).trim())
  return parts.filter((part) => part !== '')
}

function endsSentence(before: string, mark: string, next: string): boolean {
  if (/[?!]/.test(mark)) return true
  if (mark.length > 1) return !/\p{Ll}/u.test(next)
  const word = before.replace(/^[^\p{L}\p{N}]+/u, '').toLowerCase()
  // The pronoun ends a sentence far oftener than it abbreviates a name.
  return word === 'i' || !(ABBREVIATIONS.has(word) || /^\p{L}$/u.test(word))
}

/** The words of a text as the paper's BLEU counts them. */
export function bleuWords(text: string): string[] {
  return isChinese(text) ? characters(text) : sentences(text).flatMap(sentenceWords)
}

/** The text as the paper's ROUGE takes it: Chinese characters stand apart. */
export function rougeText(text: string): string {
  return isChinese(text) ? characters(text).join(' ') : text
}
