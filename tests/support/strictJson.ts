/*
 * A second reader of JSON, written from RFC 8259 alone for the second reader of persona packs: it shares no code with `src`,
 * is slow, keeps numbers as they are spelt, and throws a plain Error.
 */

/** Any value of JSON; objects are maps, so that no key is special. */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | ReadonlyMap<string, Json>

/** A number as it is spelt. */
class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Throws an Error that states the fact unless the condition holds. */
export function demand(condition: unknown, fact: string): asserts condition {
  if (!condition) throw new Error(fact)
}

/** A recursive-descent parser of RFC 8259 that refuses a key twice, half surrogate pairs and more than 128 levels. */
export function parseJson(text: string): Json {
  let at = 0
  const space = (): void => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++
  }
  const take = (expected: string): void => {
    demand(text.startsWith(expected, at), `no ${expected} at ${at}`)
    at += expected.length
  }
  const string = (): string => {
    take('"')
    let result = ''
    for (;;) {
      const letter = text[at++]
      demand(letter !== undefined && letter >= ' ', 'a string that does not end, or a control character')
      if (letter === '"') break
      if (letter !== '\\') {
        result += letter
        continue
      }
      const escape = text[at++] ?? ''
      if (escape === 'u') {
        const digits = text.slice(at, at + 4)
        demand(/^[0-9a-fA-F]{4}$/.test(digits), 'a broken escape')
        at += 4
        result += String.fromCharCode(Number.parseInt(digits, 16))
      } else {
        const place = '"\\/bfnrt'.indexOf(escape)
        demand(escape !== '' && place >= 0, 'an unknown escape')
        result += '"\\/\b\f\n\r\t'[place]!
      }
    }
    demand(/^(?:[^\uD800-\uDFFF]|[\uD800-\uDBFF][\uDC00-\uDFFF])*$/.test(result), 'half a surrogate pair')
    return result
  }
  const value = (depth: number): Json => {
    demand(depth <= 128, 'too deep')
    space()
    const letter = text[at]
    if (letter === '"') return string()
    if (letter === '{') {
      const object = new Map<string, Json>()
      at++
      space()
      if (text[at] === '}') {
        at++
        return object
      }
      for (;;) {
        space()
        const key = string()
        demand(!object.has(key), 'a key twice')
        space()
        take(':')
        object.set(key, value(depth + 1))
        space()
        if (text[at] === ',') at++
        else break
      }
      take('}')
      return object
    }
    if (letter === '[') {
      const list: Json[] = []
      at++
      space()
      if (text[at] === ']') {
        at++
        return list
      }
      for (;;) {
        list.push(value(depth + 1))
        space()
        if (text[at] === ',') at++
        else break
      }
      take(']')
      return list
    }
    for (const [word, meaning] of [
      ['null', null],
      ['true', true],
      ['false', false],
    ] as const) {
      if (text.startsWith(word, at)) {
        at += word.length
        return meaning
      }
    }
    const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text.slice(at, at + 400))
    demand(number, `nothing that JSON knows at ${at}`)
    at += number[0].length
    return new JsonNumber(number[0])
  }
  const result = value(1)
  space()
  demand(at === text.length, 'something behind the end')
  return result
}

/** The value as an object. */
export function asMap(value: Json | undefined): ReadonlyMap<string, Json> {
  demand(value instanceof Map, 'no object')
  return value as ReadonlyMap<string, Json>
}

/** The value as a list. */
export function asList(value: Json | undefined): readonly Json[] {
  demand(Array.isArray(value), 'no list')
  return value as readonly Json[]
}

/** The value as a string. */
export function asText(value: Json | undefined): string {
  demand(typeof value === 'string', 'no text')
  return value
}

/** The value as a natural number: digits, no leading zero. */
export function asNatural(value: Json | undefined): number {
  demand(value instanceof JsonNumber && /^(?:0|[1-9]\d{0,15})$/.test(value.text), 'no natural number')
  return Number(value.text)
}

/** The value as a finite number. */
export function asNumber(value: Json | undefined): number {
  demand(value instanceof JsonNumber, 'no number')
  const number = Number(value.text)
  demand(Number.isFinite(number), 'no finite number')
  return number
}
