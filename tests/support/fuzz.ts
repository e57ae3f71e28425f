import { HycoraError } from '../../src/core/errors.ts'
import type { Random } from '../../src/core/random.ts'

/** Whether the tests run all the rounds that the project promises, through HYCORA_FUZZ=full, or a share of them. */
export const isFullFuzz = process.env['HYCORA_FUZZ'] === 'full'

/** How long the processor may take for a file; judged where all rounds run. */
export const MOST_MILLISECONDS = 2000

/** How many rounds a fuzz test runs. */
export function rounds(full: number, share: number): number {
  return isFullFuzz ? full : Math.ceil(full * share)
}

const SYNTAX = '0123456789"{}[],:\\-+.eE \n\0tfnu'

/** A copy with a few bytes flipped, replaced, removed or repeated, mostly before `head`. */
export function mutateBytes(original: Uint8Array, random: Random, head = original.length): Uint8Array {
  let bytes = Uint8Array.from(original)
  for (let step = random.nextBelow(3); step >= 0; step--) {
    const at = random.nextBelow(random.nextBelow(4) ? Math.min(head, bytes.length) : bytes.length)
    const length = 1 + random.nextBelow(random.nextBelow(8) ? 16 : 4096)
    switch (random.nextBelow(6)) {
      case 0:
        if (bytes.length > 0) bytes[at]! ^= 1 << random.nextBelow(8)
        break
      case 1:
        if (bytes.length > 0) bytes[at] = random.nextBelow(256)
        break
      case 2:
        if (bytes.length > 0) bytes[at] = SYNTAX.charCodeAt(random.nextBelow(SYNTAX.length))
        break
      case 3:
        bytes = spliced(bytes, at, length, new Uint8Array(0))
        break
      case 4:
        bytes = spliced(bytes, at, 0, bytes.subarray(at, at + length))
        break
      default:
        bytes = bytes.slice(0, at)
    }
  }
  return bytes
}

function spliced(bytes: Uint8Array, at: number, remove: number, add: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(at + remove)
  const result = new Uint8Array(at + add.length + rest.length)
  result.set(bytes.subarray(0, at))
  result.set(add, at)
  result.set(rest, at + add.length)
  return result
}

/** Values that parsers take in different ways, as JSON text. */
const HOSTILE = [
  'null',
  '-0',
  '1.0',
  '1e0',
  '1e400',
  '9007199254740993',
  '-1',
  '""',
  '"\\ud800"',
  '"__proto__"',
  '"\\u0000"',
  '[]',
  '{}',
  '{"__proto__":{"x":1}}',
  '{"a":1,"a":2}',
  'true',
  '"<img src=x onerror=alert(1)>"',
  '"\\u202e"',
] as const

/** JSON text with a value replaced, a piece repeated or removed, or a character changed. */
export function mutateJson(text: string, random: Random): string {
  const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[[\]{}:,]/g)]
  const chosen = values[random.nextBelow(values.length)]
  if (!chosen) return text
  const [at, end] = [chosen.index, chosen.index + chosen[0].length]
  const other = values[random.nextBelow(values.length)]?.[0] ?? ''
  switch (random.nextBelow(6)) {
    case 0:
      return text.slice(0, at) + HOSTILE[random.nextBelow(HOSTILE.length)]! + text.slice(end)
    case 1:
      return text.slice(0, at) + other + text.slice(end)
    case 2:
      return text.slice(0, at) + text.slice(end)
    case 3:
      return text.slice(0, end) + text.slice(at)
    case 4: {
      const number = Number(chosen[0])
      const near = [number - 1, number + 1, number * 2, -number, 2 ** 32, 2 ** 53][random.nextBelow(6)]
      return Number.isNaN(number) ? text : text.slice(0, at) + String(near) + text.slice(end)
    }
    default: {
      const place = random.nextBelow(text.length)
      const letter = SYNTAX[random.nextBelow(SYNTAX.length)] ?? ''
      return text.slice(0, place) + letter + text.slice(place + 1)
    }
  }
}

export interface FuzzResult {
  accepted: number
  refused: number
  /** Milliseconds of the processor for the slowest file. */
  slowest: number
}

/** What the processor has done for this process; other programs on the machine do not count. */
export function millisecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

/** Reads many files; whatever is thrown but a HycoraError is a failure of the test. */
export async function fuzz(
  count: number,
  make: (round: number) => Uint8Array | string,
  read: (file: Uint8Array | string) => unknown,
): Promise<FuzzResult> {
  const result = { accepted: 0, refused: 0, slowest: 0 }
  for (let round = 0; round < count; round++) {
    const file = make(round)
    const start = process.cpuUsage()
    try {
      await read(file)
      result.accepted++
    } catch (error) {
      if (!(error instanceof HycoraError)) throw error
      result.refused++
    }
    result.slowest = Math.max(result.slowest, millisecondsSince(start))
  }
  return result
}
