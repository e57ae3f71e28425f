import { decodeBase64, encodeBase64 } from '../core/base64.ts'
import { joinBytes } from '../core/bytes.ts'
import { crc32 } from '../core/crc32.ts'
import { check, HycoraError } from '../core/errors.ts'
import { floatToHalf, halfToFloat } from '../core/half.ts'

/** One role as a link carries it: all that somebody needs who has a pack of the same stem. */
export interface RoleLink {
  readonly name: string
  readonly vector: Float32Array
  /** The role's line; null means no system turn. */
  readonly system: string | null
  /** The first 16 hexadecimal digits of `packStem`. */
  readonly stem: string
  /** The first 16 hexadecimal digits of the backbone's fingerprint; empty where it has none. */
  readonly backbone: string
}

const VERSION = 1
const FLAGS = { halves: 1, system: 2, backbone: 4 } as const
const DIGITS = 16
const MAX_CHARACTERS = 16 * 1024
const MAX_NAME_BYTES = 255
const MAX_SYSTEM_BYTES = 4096
const MAX_NUMBERS = 2048
/** Version, flags, stem, length of the name and the sum. */
const LEAST_BYTES = 2 + DIGITS / 2 + 1 + 4

/**
 * A role as text for the fragment of an address, base64url of
 *
 *     version u8 · flags u8 · stem 8 · [backbone 8] · name (u8 length) · [system (u16 length)] · numbers (u16) · CRC-32 u32
 *
 * little-endian, texts in UTF-8. Numbers are halves where each of them is one exactly, else float32: nothing is rounded.
 *
 * @throws HycoraError `usage` when name, line or vector is too long for a link, or the vector is not finite.
 */
export function writeRoleLink({ name, vector, system, stem, backbone }: RoleLink): string {
  const [nameBytes, systemBytes] = [name, system ?? ''].map((text) => new TextEncoder().encode(text))
  const need = (condition: boolean, fact: string): void =>
    check(condition, 'usage', () => `${name} cannot become a link: ${fact}`)
  need((nameBytes?.length ?? 0) <= MAX_NAME_BYTES, `its name is longer than ${MAX_NAME_BYTES} bytes`)
  need((systemBytes?.length ?? 0) <= MAX_SYSTEM_BYTES, `its line is longer than ${MAX_SYSTEM_BYTES} bytes`)
  need(vector.length <= MAX_NUMBERS, `its vector has more than ${MAX_NUMBERS} numbers`)
  need(vector.every(Number.isFinite), 'its vector holds a value that is not finite')
  const halves = Uint16Array.from(vector, floatToHalf)
  const isHalf = vector.every((value, index) => Object.is(halfToFloat(halves[index] ?? 0), value))
  const flags =
    (isHalf ? FLAGS.halves : 0) |
    (system === null ? 0 : FLAGS.system) |
    (backbone === '' ? 0 : FLAGS.backbone)
  const numbers = new DataView(new ArrayBuffer(vector.length * (isHalf ? 2 : 4)))
  for (const [index, value] of vector.entries()) {
    if (isHalf) numbers.setUint16(2 * index, halves[index] ?? 0, true)
    else numbers.setFloat32(4 * index, value, true)
  }
  const body = joinBytes([
    Uint8Array.of(VERSION, flags),
    hexBytes(stem),
    backbone === '' ? new Uint8Array(0) : hexBytes(backbone),
    Uint8Array.of(nameBytes?.length ?? 0),
    nameBytes ?? new Uint8Array(0),
    ...(system === null || !systemBytes ? [] : [littleEndian(systemBytes.length, 2), systemBytes]),
    littleEndian(vector.length, 2),
    new Uint8Array(numbers.buffer),
  ])
  return encodeBase64(joinBytes([body, littleEndian(crc32(body), 4)]), { urlSafe: true })
}

/**
 * Reads what `writeRoleLink` wrote.
 *
 * @throws HycoraError `format-invalid` when the text is cut or changed, `format-unsupported` for a later version.
 */
export function readRoleLink(text: string): RoleLink {
  demand(text.length <= MAX_CHARACTERS, `it is longer than ${MAX_CHARACTERS} characters`)
  const bytes = decodeBase64(text)
  demand(bytes && bytes.length >= LEAST_BYTES, 'it is cut, or not base64')
  check(bytes[0] === VERSION, 'format-unsupported', () => {
    return `the link has version ${bytes[0]}, expected ${VERSION}; a later version of this page may read it`
  })
  const view = new DataView(bytes.buffer)
  const end = bytes.length - 4
  demand(crc32(bytes.subarray(0, end)) === view.getUint32(end, true), 'it was cut or changed on its way')
  let at = 1
  const take = (count: number): Uint8Array<ArrayBuffer> => {
    demand(at + count <= end, 'it is cut')
    at += count
    return bytes.subarray(at - count, at)
  }
  const number = (count: number): number => take(count).reduceRight((value, byte) => value * 256 + byte, 0)
  const flags = number(1)
  demand(flags < 8, 'it has flags that are not known')
  const stem = hex(take(DIGITS / 2))
  const backbone = flags & FLAGS.backbone ? hex(take(DIGITS / 2)) : ''
  const name = utf8(take(number(1)))
  const system = flags & FLAGS.system ? utf8(take(number(2))) : null
  demand(name !== '' && !/\p{Cc}/u.test(name), 'its name is empty or has control characters')
  const count = number(2)
  const size = flags & FLAGS.halves ? 2 : 4
  const numbers = take(count * size)
  demand(at === end && count >= 1 && count <= MAX_NUMBERS, 'its vector has a wrong length')
  const values = new DataView(numbers.buffer, numbers.byteOffset, numbers.length)
  const vector = Float32Array.from({ length: count }, (_, index) =>
    size === 2 ? halfToFloat(values.getUint16(2 * index, true)) : values.getFloat32(4 * index, true),
  )
  demand(vector.every(Number.isFinite), 'its vector holds a value that is not finite')
  return { name, vector, system, stem, backbone }
}

function demand(condition: unknown, fact: string): asserts condition {
  check(condition, 'format-invalid', () => `the link holds no role: ${fact}`)
}

/** A pack as far as a link needs to know it. */
export interface LinkTarget {
  /** As `packStem` gives it. */
  readonly stem: string
  /** The backbone's fingerprint, or empty. */
  readonly fingerprint: string
}

/**
 * What somebody lacks who has these packs: nothing (`index` is the pack that the role joins), the pack (one of the same
 * backbone is there), or the backbone's packs altogether.
 */
export function matchRoleLink(
  link: RoleLink,
  targets: readonly LinkTarget[],
): { readonly missing: null; readonly index: number } | { readonly missing: 'pack' | 'backbone' } {
  const index = targets.findIndex(({ stem }) => stem.startsWith(link.stem))
  if (index >= 0) return { missing: null, index }
  const isKnown = targets.some(
    ({ fingerprint }) => link.backbone !== '' && fingerprint.startsWith(link.backbone),
  )
  return { missing: isKnown ? 'pack' : 'backbone' }
}

function littleEndian(value: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => Math.floor(value / 256 ** index) & 255)
}

function hexBytes(digits: string): Uint8Array {
  check(/^[0-9a-f]{16,64}$/.test(digits), 'usage', () => 'a role link needs at least 16 hexadecimal digits')
  return Uint8Array.from({ length: DIGITS / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  )
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new HycoraError('format-invalid', 'the link holds no role: its text is not UTF-8', { cause: error })
  }
}
