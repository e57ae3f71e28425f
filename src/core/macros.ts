import { clockOf, dayOf, formatDate, inZone } from './macroDates.ts'
import { Random } from './random.ts'

/** What the macros of a text stand for. */
export interface MacroValues {
  /** What the visitor is called. */
  readonly user: string
  readonly character: string
  /** What is said of the visitor. */
  readonly persona?: string
  /** What a card's own system prompt may take in: the line that the page would give. */
  readonly original?: string
  /** Of `random`, `pick` and `roll`: the same text with the same seed is filled alike. */
  readonly seed?: number
  /** Milliseconds since 1970; now, where it is left out. */
  readonly at?: number
}

/** A macro in a text: `{{name:argument}}`, or `<name>`. */
interface Macro {
  readonly name: string
  readonly argument: string
  readonly start: number
  readonly end: number
}

interface Filling extends MacroValues {
  /** Of the next macro that is drawn by lot. */
  readonly draw: () => Random
  readonly depth: number
}

/** Macros within macros beyond this depth stay as they are. */
const MAX_DEPTH = 16
const MOST_DICE = 100
const [OPENING, CLOSING] = [0x7b, 0x7d]
const ANGLED = /<(user|char|bot|charifnotgroup|group)>/gi
/** The name, and its argument behind a colon, two, a space, or as an offset. */
const NAMED = /^\s*(\/\/|[a-z]\w*(?=\s*$|\s*:|\s|[+-]\d))\s*:{0,2}([^]*)$/i

/** What stands by itself, and stays where anything stands behind it. */
const ALONE: Readonly<Record<string, (values: MacroValues) => string>> = {
  char: ({ character }) => character,
  bot: ({ character }) => character,
  charifnotgroup: ({ character }) => character,
  group: ({ character }) => character,
  user: ({ user }) => user,
  persona: ({ persona = '' }) => persona,
  original: ({ original = '' }) => original,
  noop: () => '',
  blank: () => '',
  br: () => '\n',
  trim: () => '',
  time: ({ at }) => clockOf(dateOf(at)),
  date: ({ at }) => dayOf(dateOf(at)),
  weekday: ({ at }) => formatDate(dateOf(at), 'dddd'),
  isotime: ({ at }) => formatDate(dateOf(at), 'HH:mm'),
  isodate: ({ at }) => formatDate(dateOf(at), 'YYYY-MM-DD'),
}

/** What may have an argument. */
const WITH: Readonly<Record<string, (filling: Filling, argument: string) => string>> = {
  '//': () => '',
  comment: () => '',
  hidden_key: () => '',
  newline: (_, argument) => '\n'.repeat(Math.min(16, Math.max(1, Math.floor(Number(argument)) || 1))),
  datetimeformat: ({ at }, argument) => formatDate(dateOf(at), argument.trim()),
  time_utc: ({ at }, argument) => clockOf(inZone(dateOf(at), Number(argument.trim()) || 0)),
  random: choose,
  pick: choose,
  roll: (filling, argument) => roll(within(argument, filling), filling.draw()),
  reverse: (filling, argument) => Array.from(within(argument, filling)).toReversed().join(''),
}

function dateOf(at: number | undefined): Date {
  return at === undefined ? new Date() : new Date(at)
}

/** The visitors of character.ai's examples are numbered. */
function plainName(name: string): string {
  return /^random_user_\d+$/.test(name) ? 'user' : name
}

function isKnown({ name, argument }: Pick<Macro, 'name' | 'argument'>): boolean {
  return Object.hasOwn(WITH, name) || (Object.hasOwn(ALONE, plainName(name)) && argument.trim() === '')
}

/**
 * Fills the macros of cards, greetings and lorebooks, with spaces and in any case: `{{char}}`, `<bot>` and their like by
 * the character's name, `{{user}}` by the visitor's, `{{persona}}` by what is said of them, `{{random:a,b}}` and `{{pick::a::b}}` by one of the choices,
 * `{{roll:2d6+1}}`, `{{reverse:a}}`, `{{newline}}`, `{{date}}`, `{{time}}` and their like; comments and hidden keys go, and
 * `{{trim}}` goes with the line breaks around it. What is not known stays. What is filled in is never read as a macro again.
 *
 * Reference: kwaroran/character-card-spec-v3, SPEC_V3.md, "Curly Braced Syntaxes"; SillyTavern's documentation, "Macros".
 */
export function fillMacros(text: string, values: MacroValues): string {
  if (!/\{\{|</.test(text)) return text
  const { seed = 0 } = values
  let drawn = 0
  return fill(text, { ...values, draw: () => new Random(seed, drawn++), depth: 0 })
}

/** All macros of a text, those within others too. */
function* allMacros(text: string, depth = 0): Generator<Macro> {
  for (const macro of topMacros(text)) {
    yield macro
    if (depth < MAX_DEPTH && macro.argument.includes('{{')) yield* allMacros(macro.argument, depth + 1)
  }
}

/** Whether a text has a macro of this name, in any case. */
export function hasMacro(text: string, name: string): boolean {
  for (const macro of allMacros(text)) if (macro.name === name) return true
  return false
}

/** The names of the macros that stay as they are, since nothing is known that they stand for; each once. */
export function unknownMacros(texts: readonly string[]): readonly string[] {
  const unknown = texts.flatMap((text) => [...allMacros(text)].filter((macro) => !isKnown(macro)))
  return [...new Set(unknown.map(({ name }) => `{{${name}}}`))]
}

/** Where the macros of a text stand, those within others left out: what must not be cut. */
export function macroSpans(text: string): readonly { readonly start: number; readonly end: number }[] {
  return [...topMacros(text)]
}

/** Each `{{` with its `}}`, the outermost first where they nest; one without the other is text. */
function* topMacros(text: string): Generator<Macro> {
  const closings = closingsOf(text)
  for (let at = text.indexOf('{{'); at >= 0; at = text.indexOf('{{', at + 1)) {
    const end = closings.get(at)
    if (end === undefined) continue
    const inner = text.slice(at + 2, end - 2)
    const [, name, argument = ''] = NAMED.exec(inner) ?? []
    // An expression of another program is known by its first word.
    if (name === undefined) yield { name: wordOf(inner), argument: '', start: at, end }
    else yield { name: name.toLowerCase(), argument, start: at, end }
    at = end - 1
  }
}

function wordOf(text: string): string {
  return text.trim().split(/\s/, 1)[0]?.slice(0, 24) ?? ''
}

/** Where each opening pair of braces is closed. */
function closingsOf(text: string): ReadonlyMap<number, number> {
  const closings = new Map<number, number>()
  const open: number[] = []
  for (let at = 0; at < text.length - 1; at++) {
    const code = text.charCodeAt(at)
    if (code !== text.charCodeAt(at + 1)) continue
    // Of three opening braces in a row the first is text.
    if (code === OPENING && text.charCodeAt(at + 2) !== OPENING) open.push(at++)
    else if (code === CLOSING) {
      const start = open.pop()
      if (start !== undefined) closings.set(start, at + 2)
      at++
    }
  }
  return closings
}

function fill(text: string, filling: Filling): string {
  const out = new Trimmed()
  let at = 0
  for (const macro of topMacros(text)) {
    out.add(fillAngled(text.slice(at, macro.start), filling))
    if (filling.depth >= MAX_DEPTH || !isKnown(macro)) out.add(text.slice(macro.start, macro.end))
    else if (macro.name === 'trim') out.trim()
    else out.add(valueOf(macro, filling))
    at = macro.end
  }
  out.add(fillAngled(text.slice(at), filling))
  return out.whole()
}

function fillAngled(text: string, values: MacroValues): string {
  return text.replaceAll(ANGLED, (whole, name: string) => ALONE[name.toLowerCase()]?.(values) ?? whole)
}

/** A text in the making, some of whose line breaks go. */
class Trimmed {
  private readonly parts: string[] = []
  private isTrimming = false

  add(part: string): void {
    const rest = this.isTrimming ? part.replace(/^[\r\n]+/, '') : part
    if (rest === '') return
    this.isTrimming = false
    this.parts.push(rest)
  }

  trim(): void {
    this.isTrimming = true
    for (let part = this.parts.pop(); part !== undefined; part = this.parts.pop()) {
      let end = part.length
      while (end > 0 && /[\r\n]/.test(part.charAt(end - 1))) end--
      if (end === 0) continue
      this.parts.push(part.slice(0, end))
      return
    }
  }

  whole(): string {
    return this.parts.join('')
  }
}

function valueOf({ name, argument }: Macro, filling: Filling): string {
  return WITH[name]?.(filling, argument) ?? ALONE[plainName(name)]?.(filling) ?? ''
}

/** An argument with its own macros filled. */
function within(argument: string, filling: Filling): string {
  return fill(argument, { ...filling, depth: filling.depth + 1 })
}

function choose(filling: Filling, argument: string): string {
  const choices = choicesOf(argument)
  return within(choices[filling.draw().nextBelow(choices.length)] ?? '', filling)
}

/** Choices are parted by two colons, or, where there are none, by commas; `\,` is a comma. Those within a macro part nothing. */
function choicesOf(argument: string): readonly string[] {
  const spans = [...macroSpans(argument), { start: argument.length, end: argument.length }]
  const cuts = (mark: RegExp): readonly number[] =>
    spans.flatMap(({ start }, index) => {
      const from = spans[index - 1]?.end ?? 0
      return [...argument.slice(from, start).matchAll(mark)].map((found) => from + found.index)
    })
  const colons = cuts(/::/g)
  const marks = colons.length > 0 ? colons : cuts(/(?<!\\),/g)
  const width = colons.length > 0 ? 2 : 1
  const starts = [0, ...marks.map((at) => at + width)]
  return starts.map((start, index) =>
    argument
      .slice(start, marks[index] ?? argument.length)
      .trim()
      .replaceAll('\\,', ','),
  )
}

/** Dice as `6`, `d6`, `2d6` or `2d6+1`; what is none of these is a roll of nothing. */
function roll(dice: string, random: Random): string {
  const [, count = '', sides = '', plus = '0'] =
    /^\s*(?:(\d*)\s*d)?\s*(\d+)\s*([+-]\s*\d+)?\s*$/i.exec(dice) ?? []
  if (Number(sides) < 1) return ''
  const most = Math.min(MOST_DICE, Number(count) || 1)
  let sum = Number(plus.replaceAll(/\s/g, ''))
  for (let die = 0; die < most; die++) sum += 1 + random.nextBelow(Math.min(Number(sides), 1e9))
  return String(sum)
}
