import { isJsonRecord } from '../core/json.ts'
import { lettersOf } from '../core/names.ts'

/** Something that a description says: a sentence or more, perhaps under a label such as "Occupation". */
export interface Trait {
  /** Empty for plain prose, `{{char}}` where the character's own name stands before it. */
  readonly label: string
  readonly text: string
}

/** The label of what stands behind the character's own name. */
export const OWN = '{{char}}'

/** The label of the first words that the character says of itself, in a description that is an interview. */
const SAID = 'In your words'

/** The label of what stands in brackets by itself. */
const ASIDE = 'Aside'

/** A longer description is not read to its end: who somebody is stands at the beginning. */
const MOST_CHARACTERS = 60_000
const MOST_HEADING = 80
const MOST_LABEL = 40
const MOST_LABEL_WORDS = 4

/** Words of a sentence, which no label has. */
const VERBS =
  /\b(?:is|are|was|were|am|be|has|have|had|who|that|which|will|would|can|may|must|says?|said|remember)\b/i
const QUOTED = `(?:"[^"\\n]*"|“[^”\\n]*”|'[^'\\n]*')`
/** W++: `Key("a" + "b")`. */
const PLUS = new RegExp(
  `(\\p{L}[\\p{L}\\d _/'’-]{0,39}?) ?[([{] ?(${QUOTED} ?(?:[+,&] ?${QUOTED} ?)*)[)\\]}]`,
  'gu',
)
/** Whoever speaks in a line of dialogue, and is not the character. */
const OTHER_SPEAKER =
  /^ ?(?:[#-] ?)?(?:\{\{(?:user|random_user_\d+)\}\} ?[:：]|<user> ?:|you ?:|user ?:|<START>)/i
/** `Key: value` and `Key = value`, the key plain, in bold or in quotes. */
const PAIR =
  /^ ?(?:[-•◦▪*+>|] ?)?(?:\*\*|__|["“'])? ?([\p{L}{][^:=：]{0,60}?) ?(?:\*\*|__|["”'])? ?(?:(?::|=)(?:\*\*|__)?(?=[\s"“'[({*_]|$)|：) ?(.*)$/u

/**
 * What a description says, in its order, whatever template it is written in: prose, headings, `Key: value` lines, lists,
 * W++, PList, `Key = [a, b]`, JSON. Of dialogue only the character's first words are taken, where nothing else is said.
 *
 * @param names of the character: as a label they say no more than that it is its own.
 */
export function traitsOf(description: string, names: readonly string[]): readonly Trait[] {
  const text = description
    .slice(0, MOST_CHARACTERS)
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\S\n]+/g, ' ')
    .trim()
  const own = new Set([OWN, 'character', 'char', ...names].map(lettersOf))
  const traits = traitsOfJson(text) ?? traitsOfPlus(text) ?? traitsOfLines(text, own)
  const read = traits.flatMap(({ label: written, text: words }): readonly Trait[] => {
    const label = ownLabel(written, own)
    const plain = plainOf(words)
    // Under any label and in any language, the name alone says nothing more.
    if (plain === '' || own.has(lettersOf(plain))) return []
    const isProse = PROSE.test(label) && isSentenceOf(plain, own)
    return [{ label: isProse ? '' : label, text: plain }]
  })
  const told = read.filter(({ label }) => label !== ASIDE)
  return told.length > 0
    ? told
    : read.map((trait) => (trait.label === ASIDE ? { ...trait, label: '' } : trait))
}

/** Labels that only say that who somebody is follows. */
const PROSE = /^(?:persona|description|about|overview|summary|profile|character|bio(?:graphy)?)$/i

/** Whether a text begins with the character's name and goes on to say what it is. */
function isSentenceOf(text: string, own: ReadonlySet<string>): boolean {
  const [, name = ''] = /^(.{1,60}?) (?:is|was) /.exec(text) ?? []
  return own.has(lettersOf(name))
}

/** "Orla" and "Orla's persona" are labels of the character itself. */
function ownLabel(label: string, own: ReadonlySet<string>): string {
  if (label !== '' && own.has(lettersOf(label))) return OWN
  const [, owner = '', rest = ''] = /^(.+?)['’]s? (.+)$/.exec(label) ?? []
  return rest !== '' && own.has(lettersOf(owner)) ? rest : label
}

/** Words without marks of a template: quotes around them, plus signs between them, brackets and Markdown. */
function plainOf(text: string): string {
  const inner = /^[[({]([^[\](){}]*)[\])}]$/.exec(text.trim())?.[1] ?? text
  const words = inner
    .replaceAll(/["“”'] ?[+,;&] ?["“”']/g, ', ')
    .replaceAll(/ \+ /g, ', ')
    .replaceAll(/\*+|__|`+/g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/^[\s,;|]+|[\s,;|]+$/g, '')
  return /^(["“'])([^"“”]*)["”']$/.exec(words)?.[2]?.trim() ?? words
}

/** Traits of a JSON object; null where the text is none. */
function traitsOfJson(text: string): readonly Trait[] | null {
  if (!/^\{[^{]/.test(text)) return null
  try {
    const value: unknown = JSON.parse(text)
    return isJsonRecord(value) ? flattened(value, 0) : null
  } catch {
    return null
  }
}

function flattened(record: Readonly<Record<string, unknown>>, depth: number): readonly Trait[] {
  return Object.entries(record).flatMap(([key, value]): readonly Trait[] => {
    if (isJsonRecord(value)) return depth < 4 ? flattened(value, depth + 1) : []
    const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
    const words = parts.filter((part) => typeof part === 'string' || typeof part === 'number')
    return words.length > 0 ? [{ label: labelOf(key), text: words.join(', ') }] : []
  })
}

/** Traits of W++; null where the text has fewer than two of its pairs. */
function traitsOfPlus(text: string): readonly Trait[] | null {
  const pairs = [...text.matchAll(PLUS)]
  if (pairs.length < 2) return null
  return pairs.map(([, key = '', values = '']) => ({ label: labelOf(key), text: values }))
}

/** A label as it is read: without marks and underscores. */
function labelOf(written: string): string {
  return written.replaceAll('_', ' ').replaceAll(/^[\s"'“”‘’*`~]+|[\s"'“”‘’*`~]+$/g, '')
}

/** Traits of lines: headings and labels name what stands below them, a blank line ends a paragraph. */
function traitsOfLines(text: string, own: ReadonlySet<string>): readonly Trait[] {
  const traits = new Traits()
  let dialogue: 'none' | 'open' | 'paused' = 'none'
  let said = ''
  for (const line of linesOf(text)) {
    const pairs = pairsOf(line)
    const isOwn = pairs.length === 1 && own.has(lettersOf(pairs[0]?.label ?? ''))
    if (line.trim() === '') {
      traits.blank()
      if (dialogue === 'open') dialogue = 'paused'
    } else if (OTHER_SPEAKER.test(line) || (dialogue !== 'none' && isOwn)) {
      dialogue = 'open'
      if (isOwn) said ||= pairs[0]?.text ?? ''
    } else if (dialogue !== 'open') {
      const heading = headingOf(line)
      if (heading !== null) traits.name(heading)
      else if (pairs.length > 0) for (const pair of pairs) traits.pair(pair)
      else traits.prose(line)
    }
  }
  const words = said.replaceAll(/\*[^*]*\*|["“”]/g, '').trim()
  return words === '' ? traits.all : [...traits.all, { label: SAID, text: words }]
}

/** Traits in the making. */
class Traits {
  readonly all: Trait[] = []
  private label = ''
  /** Whether the next line goes on with the last trait. */
  private isOpen = false

  /** What follows stands under a label. */
  name(label: string): void {
    this.label = label
    this.isOpen = false
  }

  pair({ label, text }: Trait): void {
    this.name(label)
    // YAML writes a mark where the text stands below, and others a bracket.
    if (/^(?:[|>]?[+-]?|[{[(])$/.test(text)) return
    this.all.push({ label, text })
    this.name('')
  }

  prose(line: string): void {
    // What stands in brackets by itself is said to the model rather than of somebody.
    const [, aside] = /^ ?\[([^[\]]+)\] ?$/.exec(line) ?? []
    if (aside !== undefined) {
      this.all.push({ label: ASIDE, text: aside })
      this.name('')
      return
    }
    const text = line.replace(/^ ?(?:[-•◦▪*+>]|\d+[.)]) /, '').trim()
    const last = this.all.at(-1)
    // Half a sentence goes on with what stands above it.
    const isListed = text !== line.trim()
    if (last && (this.isOpen || (/^\p{Ll}/u.test(text) && !isListed && this.label === ''))) {
      const isNext = isListed || /^\p{Lu}/u.test(text)
      const joint = isNext && /[\p{L}\p{N})]$/u.test(last.text) ? ', ' : ' '
      this.all[this.all.length - 1] = { ...last, text: last.text + joint + text }
    } else this.all.push({ label: this.label, text })
    this.isOpen = true
  }

  /** A label reaches over a blank line; once something stands below it, that is all. */
  blank(): void {
    this.isOpen = false
    if (this.all.at(-1)?.label === this.label) this.label = ''
  }
}

const TABLE_HEAD = /^ ?\|[^\n]*\|[^\S\n]*\n ?\|[-:| ]+\|[^\S\n]*$/gm

/** Whether a text has lines such as "Job - keeper": one alone is a sentence with a dash. */
function isDashed(text: string): boolean {
  return (text.match(/^ ?\p{Lu}[\p{L} ]{1,24} [-–—] \S/gmu) ?? []).length > 1
}

/** The lines of a text, without comments, tags and what else only shapes it; a list in brackets has a line for each part. */
function linesOf(text: string): readonly string[] {
  return text
    .replaceAll(/<!--[^]*?-->/g, '')
    .replaceAll(/!\[[^\]\n]*\]\([^()\n]*\)|<img\b[^<>]*>/gi, '')
    .replaceAll(/\[([^[\]\n]+)\]\(https?:[^()\s]*\)/gi, '$1')
    .replaceAll(/<br ?\/?>|<\/(?:p|div|li|h\d)>/gi, '\n')
    .replaceAll(/<\/?(?:p|div|span|b|i|u|em|strong|font|center|ul|ol|li|h\d|details|summary)\b[^<>]*>/gi, '')
    .replaceAll(/```\w*/g, '')
    .replaceAll(/^ ?\[([^[\]]{1,8000})\] ?$/gm, (whole, list: string) =>
      /[:=]/.test(list) ? list.replaceAll(/ ?; ?/g, '\n\n') : whole,
    )
    .replaceAll(TABLE_HEAD, '')
    .replaceAll(/^ ?\|([^|\n]+)\|([^|\n]+)\| ?$/gm, '$1: $2')
    .replaceAll(/^ ?(\p{Lu}[\p{L} ]{1,24}) [-–—] (?=\S)/gmu, isDashed(text) ? '$1: ' : '$&')
    .replaceAll(
      /^[^\S\n]*[\p{Extended_Pictographic}\uFE0F\u200D]+[^\S\n]*|[^\S\n]*[\p{Extended_Pictographic}\uFE0F\u200D]+[^\S\n]*$/gmu,
      '',
    )
    .split('\n')
    .filter((line) => /[\p{L}\p{N}]/u.test(line) || line.trim() === '')
}

/** The title that a line is: Markdown's, in bold or brackets, a tag, or between rules. */
function headingOf(line: string): string | null {
  if (line.length > MOST_HEADING) return null
  const found =
    /^ ?#{1,6} ?(.+?) ?#* ?$/.exec(line) ??
    /^ ?[=~-]{2,} ?([^=~-]+) ?[=~-]{2,} ?$/.exec(line) ??
    /^ ?\[ ?([^[\]:=]{1,40}) ?\] ?$/.exec(line) ??
    /^ ?<\/?(\p{L}[\p{L}\d _-]{0,39})> ?$/u.exec(line) ??
    /^ ?\*\*([^*:]{1,40}):?\*\*:? ?$/.exec(line) ??
    /^ ?[~【『«]([^~】』»]{1,40})[~】』»] ?$/.exec(line)
  const title = found ? labelOf((found[1] ?? '').replace(/: ?$/, '')) : ''
  return title === '' || VERBS.test(title) || /[.!?]$/.test(title) ? null : title
}

/** The labels of a line with what stands behind them; more than one where they stand in a row; none where it is prose. */
function pairsOf(line: string): readonly Trait[] {
  const parts = line.split(/(?: ?[|;] ?|(?<=[.,]) )(?=\p{Lu}[\p{L} ]{0,24} ?[:=] )/u)
  const pairs = parts.flatMap((part) => pairOf(part) ?? [])
  if (pairs.length === parts.length) return pairs
  const whole = pairOf(line)
  return whole ? [whole] : []
}

function pairOf(line: string): Trait | null {
  const [, key = '', text = ''] = PAIR.exec(line) ?? []
  const label = labelOf(key)
  const isLabel =
    label !== '' &&
    label.length <= MOST_LABEL &&
    label.split(/\s+/).length <= MOST_LABEL_WORDS &&
    !VERBS.test(label) &&
    !/[.!?;,] |["“”]/.test(label)
  return isLabel ? { label, text: text.trim() } : null
}
