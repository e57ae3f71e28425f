import type { ByteSource } from '../core/bytes.ts'
import { check, HycoraError } from '../core/errors.ts'
import { isJsonRecord, ownField, parseStrictJson } from '../core/json.ts'

/** Bits of an element, in the order in which the reference library sorts tensors (last first). */
const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const

export type SafetensorsDtype = keyof typeof DTYPE_BITS

const DTYPE_ORDER: readonly string[] = Object.keys(DTYPE_BITS)

export interface SafetensorsEntry {
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  /** From the start of the file. */
  readonly offset: number
  readonly sizeBytes: number
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>
  /** Where the data section begins; it ends with the file. */
  readonly dataOffset: number
}

/** A tensor's bytes as they stand in a file: little-endian, C order. */
export interface SafetensorsTensor {
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** Of a file of weights, or of all files that belong together. */
export const MOST_BYTES = 512 * 2 ** 20
const MAX_HEADER_BYTES = 8 * 2 ** 20
/** What a file may hold: a pack, and any other program's file. */
const OWN = { isForeign: false, tensors: 2048, dimensions: [1, 4], least: 1 } as const
const FOREIGN = { isForeign: true, tensors: 65_536, dimensions: [0, 8], least: 0 } as const
type Bounds = typeof OWN | typeof FOREIGN
const MAX_DIMENSION = 2 ** 24
const TENSOR_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const REFUSED_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Reads and checks the header of a safetensors file; no tensor is read.
 *
 * Stricter than the reference library where readers disagree: no duplicate key of any kind, no zero dimension, no field
 * that the format does not define, no name that a file system or JavaScript would take for something else, a header
 * padded to 8 bytes, elements aligned, and at most 512 MiB, 8 MiB of header, 2,048 tensors, 4 dimensions of 2²⁴.
 * Spaces within the JSON are accepted, so files of other writers pass.
 *
 * With `isForeign` what other programs write passes too: a header that is not padded and elements that are not aligned
 * (MLX), scalars (kohya), empty tensors, up to 65,536 tensors of 8 dimensions.
 *
 * Reference: huggingface/safetensors, `safetensors/src/tensor.rs`.
 *
 * @throws HycoraError `format-invalid`.
 */
export async function readSafetensorsHeader(
  source: ByteSource,
  { isForeign = false }: { readonly isForeign?: boolean } = {},
): Promise<SafetensorsHeader> {
  const { name, sizeBytes } = source
  const bounds = isForeign ? FOREIGN : OWN
  const demand = (condition: boolean, fact: () => string): void =>
    check(condition, 'format-invalid', () => `${name}: ${fact()}`)

  demand(sizeBytes >= 16, () => `the file has ${sizeBytes} bytes, too few for a safetensors header`)
  demand(sizeBytes <= MOST_BYTES, () => `the file has ${sizeBytes} bytes, at most ${MOST_BYTES} are read`)
  const prefix = await source.read(0, 8)
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true)
  demand(
    length >= 2n && length <= BigInt(MAX_HEADER_BYTES) && length <= BigInt(sizeBytes - 8),
    () =>
      `the header length ${length} does not fit a file of ${sizeBytes} bytes (at most ${MAX_HEADER_BYTES})`,
  )
  const headerBytes = Number(length)
  demand(
    isForeign || headerBytes % 8 === 0,
    () => `the header has ${headerBytes} bytes, expected a multiple of 8`,
  )

  const root = parseHeader(await source.read(8, headerBytes), name)
  const dataOffset = 8 + headerBytes
  const metadata = new Map<string, string>()
  const entries: [string, SafetensorsEntry][] = []
  for (const [key, value] of Object.entries(root)) {
    if (key === '__metadata__') readMetadata(value, metadata, name)
    else entries.push([key, readEntry(key, value, { dataOffset, name, bounds })])
  }
  demand(entries.length > 0 && entries.length <= bounds.tensors, () => {
    return `the header lists ${entries.length} tensors, expected 1 to ${bounds.tensors}`
  })
  entries.sort(([, left], [, right]) => left.offset - right.offset || left.sizeBytes - right.sizeBytes)
  let end = dataOffset
  for (const [key, entry] of entries) {
    demand(entry.offset === end, () => {
      return `${key} begins at byte ${entry.offset - dataOffset} of the data, expected ${end - dataOffset}`
    })
    end += entry.sizeBytes
  }
  demand(end === sizeBytes, () => `the tensors end at byte ${end}, the file at ${sizeBytes}`)
  return { metadata, tensors: new Map(entries), dataOffset }
}

function parseHeader(bytes: Uint8Array, name: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new HycoraError('format-invalid', `${name}: the header is not valid UTF-8`, { cause: error })
  }
  check(text.startsWith('{'), 'format-invalid', () => `${name}: the header does not begin with {`)
  const json = text.replace(/ +$/, '')
  check(
    json.endsWith('}'),
    'format-invalid',
    () => `${name}: the header is not a JSON object padded by spaces`,
  )
  const root = parseStrictJson(json, `${name}: the header`, { naturalsOnly: true })
  check(isJsonRecord(root), 'format-invalid', () => `${name}: the header is not a JSON object`)
  return root
}

function readMetadata(value: unknown, metadata: Map<string, string>, name: string): void {
  check(isJsonRecord(value), 'format-invalid', () => `${name}: __metadata__ is not an object`)
  for (const [key, text] of Object.entries(value)) {
    check(
      typeof text === 'string' && !REFUSED_NAMES.has(key),
      'format-invalid',
      () =>
        `${name}: __metadata__ has ${JSON.stringify(key.slice(0, 64))}, expected names with string values`,
    )
    metadata.set(key, text)
  }
}

/** Names that JavaScript objects treat in their own way: inherited ones, and integers, whose order they change. */
function isRefusedKey(key: string): boolean {
  return REFUSED_NAMES.has(key) || /^\d+$/.test(key)
}

interface Place {
  readonly dataOffset: number
  readonly name: string
  readonly bounds: Bounds
}

function readEntry(key: string, value: unknown, { dataOffset, name, bounds }: Place): SafetensorsEntry {
  const { isForeign, dimensions, least } = bounds
  const demand: (condition: unknown, fact: string) => asserts condition = (condition, fact) =>
    check(
      condition,
      'format-invalid',
      () => `${name}: the tensor ${JSON.stringify(key.slice(0, 128))} ${fact}`,
    )

  demand(TENSOR_NAME.test(key) && !key.includes('..') && !isRefusedKey(key), 'has a name that is not allowed')
  demand(isJsonRecord(value), 'is not an object')
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((field) => ownField(value, field))
  demand(Object.keys(value).length === 3, 'has fields other than dtype, shape and data_offsets')
  demand(isDtype(dtype), 'has an unknown dtype')
  demand(
    isNaturals(shape) && shape.length >= dimensions[0] && shape.length <= dimensions[1],
    `has a shape that is not ${dimensions[0]} to ${dimensions[1]} integers`,
  )
  demand(
    shape.every((dimension) => dimension >= least && dimension <= MAX_DIMENSION),
    `has a dimension outside ${least} to ${MAX_DIMENSION}`,
  )
  demand(isNaturals(offsets) && offsets.length === 2, 'has data_offsets that are not two integers')
  const [begin = 0, end = 0] = offsets
  // The running product stays exact: it is compared before it can leave the integers.
  let bits: number = DTYPE_BITS[dtype]
  for (const dimension of shape) {
    bits *= dimension
    demand(bits <= 8 * MOST_BYTES, 'is larger than a file may be')
  }
  demand(
    bits % 8 === 0 && end - begin === bits / 8,
    `has ${end - begin} bytes, its shape and dtype ask for ${bits / 8}`,
  )
  demand(isForeign || begin % Math.max(1, DTYPE_BITS[dtype] >> 3) === 0, 'is not aligned to its elements')
  return { dtype, shape, offset: dataOffset + begin, sizeBytes: bits / 8 }
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BITS, value)
}

function isNaturals(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item))
}

/**
 * The bytes of a safetensors file as the reference library writes them: metadata first, tensors by descending dtype and
 * then by name, the header padded with spaces to a multiple of 8.
 *
 * @throws HycoraError `shape-mismatch` when a tensor's bytes do not fill its shape.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].toSorted(([leftName, left], [rightName, right]) => {
    const byDtype = DTYPE_ORDER.indexOf(right.dtype) - DTYPE_ORDER.indexOf(left.dtype)
    return byDtype || (leftName < rightName ? -1 : 1)
  })
  const fields: string[] = []
  if (metadata.size > 0) {
    const texts = [...metadata].map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`)
    fields.push(`"__metadata__":{${texts.join(',')}}`)
  }
  let end = 0
  for (const [name, { dtype, shape, bytes }] of sorted) {
    const bits = shape.reduce((product, dimension) => product * dimension, DTYPE_BITS[dtype])
    check(bits === bytes.length * 8, 'shape-mismatch', () => {
      return `${name} has ${bytes.length} bytes, expected ${bits / 8} for ${dtype} [${shape.join(', ')}]`
    })
    const entry = { dtype, shape, data_offsets: [end, end + bytes.length] }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`)
    end += bytes.length
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`)
  const dataOffset = 8 + Math.ceil(header.length / 8) * 8
  const file = new Uint8Array(dataOffset + end)
  file.fill(0x20, 8, dataOffset)
  new DataView(file.buffer).setBigUint64(0, BigInt(dataOffset - 8), true)
  file.set(header, 8)
  let offset = dataOffset
  for (const [, { bytes }] of sorted) {
    file.set(bytes, offset)
    offset += bytes.length
  }
  return file
}
