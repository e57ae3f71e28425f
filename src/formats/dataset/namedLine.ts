import { keptName, sideOf } from './words.ts'

/** A line of a scene's text that names its speaker. */
export interface NamedLine {
  /** Without a stage direction. */
  readonly name: string
  /** What stands in brackets behind the name, brackets and all; empty for none. */
  readonly direction: string
  readonly text: string
  /** Whether no space follows the colon, as in times, addresses and words of a line too. */
  readonly isTight: boolean
}

const MAX_NAME = 40
const MAX_WORDS = 5
/** What some write around a name, by its opening. */
const AROUND: ReadonlyMap<string, string> = new Map([
  ['**', '**'],
  ['__', '__'],
  ['*', '*'],
  ['_', '_'],
  ['[', ']'],
  ['<', '>'],
  ['"', '"'],
  ['“', '”'],
])
const DIRECTION = /^(.*?\S)\s*(\([^()]*\)|（[^（）]*）|\[[^[\]]*\]|\*[^*]+\*)$/u
const HTML = /^(?:a|b|br|code|div|em|h\d|i|img|li|ol|p|pre|q|s|span|start|strong|sub|sup|table|td|tr|u|ul)$/i
/** How a line begins that follows a colon without a space. */
const TIGHT = /^(?:[\p{L}\p{N}"“”'‘«»*(¿¡…—-]|\p{Extended_Pictographic})./u

/** `Name: line`, the name plain, in Markdown or in brackets, a stage direction behind it; or `<Name> line`. */
export function readNamed(row: string): NamedLine | undefined {
  const spoken = row.replace(/^[\s\p{Cf}]+/u, '').replace(/^#{1,6}\s+/, '')
  const angled = /^<([^<>:]{1,40})>\s+(\S.*)$/u.exec(spoken)
  if (angled?.[1] && sideOf(`<${angled[1]}>`) === undefined) {
    const name = keptName(angled[1])
    return isName(name) && !HTML.test(name)
      ? { name, direction: '', text: angled[2] ?? '', isTight: true }
      : undefined
  }
  const colon = spoken.slice(0, 2 * MAX_NAME).search(/[:：]/)
  if (colon < 1) return undefined
  const after = spoken.slice(colon + 1)
  const { name: whole, text } = unwrapped(keptName(spoken.slice(0, colon)), after)
  const [, base = whole, direction = ''] = sideOf(whole) === undefined ? (DIRECTION.exec(whole) ?? []) : []
  const isTight = spoken.charAt(colon) === ':' && !/^(?:\s|\*|_|$)/.test(after)
  if (!isName(base) || (isTight && !isSpoken(base, after))) return undefined
  return { name: base, direction, text: text.trim(), isTight }
}

/** A name without what stands around it, closed before the colon or behind it. */
function unwrapped(name: string, after: string): { readonly name: string; readonly text: string } {
  for (const [open, close] of AROUND) {
    if (!name.startsWith(open) || sideOf(name) !== undefined) continue
    const inner = name.slice(open.length)
    if (inner.endsWith(close)) return { name: inner.slice(0, -close.length).trim(), text: after }
    if (after.startsWith(close)) return { name: inner.trim(), text: after.slice(close.length) }
  }
  const mark = /^(?:\*\*|__)/.exec(after)?.[0]
  return { name, text: mark === undefined ? after : after.slice(mark.length) }
}

function isName(name: string): boolean {
  const isShort = name.length <= MAX_NAME && name.split(' ').length <= MAX_WORDS
  const isBegun = sideOf(name) !== undefined || /^[^-–—•>|\\/.,;!?)=+{}]/.test(name)
  return isShort && isBegun && /[\p{L}\p{N}]|\p{Extended_Pictographic}/u.test(name)
}

/** Whether a colon without a space behind it is no part of a time, an address, a path or a face. */
function isSpoken(name: string, after: string): boolean {
  if (after.startsWith('//') || !TIGHT.test(after)) return false
  return !(/\d$/.test(name) && /^\d/.test(after))
}

/** Whether a name is one whatever stands around it: letters and digits in one word, or a picture. */
export function isOddName(name: string): boolean {
  const isMixed =
    /^\S+$/.test(name) && /\p{L}/u.test(name) && /\p{N}/u.test(name) && !/^\d+(?:st|nd|rd|th)$/i.test(name)
  return isMixed || /\p{Extended_Pictographic}/u.test(name)
}
