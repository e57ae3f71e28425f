/** Where a JSON value lies in a text, or why there is none that begins there. */
export interface JsonSpan {
  readonly start: number
  readonly end: number
  readonly fault?: string
}

/** A key of an object, and where its value lies. */
export interface JsonField extends JsonSpan {
  readonly key: string
}

const MAX_DEPTH = 32
export const NOT_JSON = 'it is not valid JSON'
const TOO_DEEP = `it nests deeper than ${MAX_DEPTH} levels`

/** One past the closing quote of a string; -1 where the line ends before it, which no JSON string does. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') return at + 1
    if (character === '\n') return -1
    if (character === '\\') at++
  }
  return -1
}

/** Where the object or array ends that begins at `start`; its brackets are counted, nothing is parsed. */
export function containerSpan(text: string, start: number): JsonSpan {
  const closers: string[] = []
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') {
      const end = stringEnd(text, at)
      if (end < 0) return { start, end: start, fault: NOT_JSON }
      at = end - 1
    } else if (character === '{' || character === '[') {
      closers.push(character === '{' ? '}' : ']')
      if (closers.length > MAX_DEPTH) return { start, end: start, fault: TOO_DEEP }
    } else if (character === '}' || character === ']') {
      if (closers.pop() !== character) return { start, end: start, fault: NOT_JSON }
      if (closers.length === 0) return { start, end: at + 1 }
    }
  }
  return { start, end: start, fault: NOT_JSON }
}

/** The first place from `start` on that is none of these. */
export function skipBlanks(text: string, start: number, blanks: RegExp): number {
  let at = start
  while (at < text.length && blanks.test(text.charAt(at))) at++
  return at
}

/** Where a value ends that is no object or array: a string at its quote, all else before a comma, a bracket or the line's end. */
export function scalarEnd(text: string, start: number): number {
  if (text.charAt(start) === '"') {
    const end = stringEnd(text, start)
    if (end > 0) return end
  }
  let at = start + 1
  while (at < text.length && !/[\n,\]}]/.test(text.charAt(at))) at++
  return at
}

/** The line behind a broken value on which another can begin, or the array end: no further in than the broken one. */
export function nextStart(text: string, broken: number, isArray: boolean): number {
  const indent = broken - (text.lastIndexOf('\n', broken) + 1)
  for (let line = text.indexOf('\n', broken) + 1; line > 0; line = text.indexOf('\n', line) + 1) {
    const at = skipBlanks(text, line, /[ \t]/)
    const isStart = /[{[]/.test(text.charAt(at)) || (isArray && text.charAt(at) === ']')
    if (at - line <= indent && isStart) return at
  }
  return text.length
}

/** The keys of an object that begins at `start` and whose brackets are sound, each with its value. */
export function* jsonFields(text: string, start: number): Generator<JsonField> {
  for (let at = start + 1; ;) {
    at = skipBlanks(text, at, /[\s,]/)
    const keyEnd = text.charAt(at) === '"' ? stringEnd(text, at) : -1
    if (keyEnd < 0) return
    const colon = skipBlanks(text, keyEnd, /\s/)
    if (text.charAt(colon) !== ':') return
    const value = skipBlanks(text, colon + 1, /\s/)
    const isContainer = text.charAt(value) === '{' || text.charAt(value) === '['
    const span = isContainer ? containerSpan(text, value) : { start: value, end: scalarEnd(text, value) }
    if (span.fault !== undefined) return
    yield { key: keyText(text.slice(at, keyEnd)), ...span }
    at = span.end
  }
}

function keyText(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted.slice(1, -1)
  }
}

/** Tells which line of a text a place is on, counted from 1. */
export function lineCounter(text: string): (at: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (at) => {
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= at) low = middle
      else high = middle
    }
    return low + 1
  }
}
