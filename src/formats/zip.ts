import { deflateSync } from 'fflate'

import { joinBytes, plainBytes } from '../core/bytes.ts'
import { crc32 } from '../core/crc32.ts'
import { asHycoraError, check, HycoraError } from '../core/errors.ts'
import { inflate } from './inflate.ts'

/** What a zip archive may hold at most. */
export interface ZipLimits {
  readonly files: number
  /** Of one file that has to be inflated. */
  readonly inflatedBytes: number
  /** Of all of them together. */
  readonly totalBytes: number
}

interface Entry {
  readonly path: string
  /** Why the file is not read; null where it can be. */
  readonly fault: HycoraError | null
  readonly method: number
  readonly sum: number
  readonly storedBytes: number
  readonly sizeBytes: number
  readonly offset: number
}

const END_BYTES = 22
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30
const SIGNATURE = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const
const MAX_PATH_BYTES = 512
/** Where a small file grows more than this it is a bomb, not text. */
const MAX_RATIO = 200
const FREE_BYTES = 2 ** 20
/** 1 January 1980, the earliest day that the format knows: files are the same to the byte whenever they are written. */
const DATE = 0x21
const UTF8_NAMES = 0x800

/** Whether bytes hold a zip archive, perhaps behind another program's bytes. */
export function isZip(bytes: Uint8Array): boolean {
  return findEnd(bytes) >= 0
}

/**
 * The files of a zip archive by path; stored files are views of it, compressed ones are inflated. The archive may stand
 * behind other bytes, such as a picture. Folders are left out; no path is ever used as one.
 *
 * Reference: PKWARE, "APPNOTE.TXT", version 6.3.10, without zip64, encryption and archives in parts.
 *
 * @throws HycoraError `format-invalid` when it is broken, when two files share a path or one has a path that leads out of
 *   the archive, or when it exceeds `limits` or grows more than 200-fold; `format-unsupported` for what is left out above.
 */
export function readZip(bytes: Uint8Array, name: string, limits: ZipLimits): ReadonlyMap<string, Uint8Array> {
  const { entries, start } = readDirectory(bytes, name, limits)
  check(entries.length <= limits.files, 'format-invalid', () => {
    return `${name} holds ${entries.length} files, at most ${limits.files} are read`
  })
  for (const { fault } of entries) if (fault) throw fault
  const inflated = entries.filter(({ method }) => method !== 0)
  const total = inflated.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  check(total <= limits.totalBytes, 'format-invalid', () => {
    return `${name} inflates to ${total} bytes, at most ${limits.totalBytes} are read`
  })
  const files = new Map<string, Uint8Array>()
  for (const entry of entries) {
    check(!files.has(entry.path), 'format-invalid', () => `${name} holds ${quoted(entry.path)} twice`)
    files.set(entry.path, readEntry(bytes, name, entry, start, limits))
  }
  return files
}

/** What can be read of an archive, and of what the rest is. */
export interface ZipScan {
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Files that are left out, with the reason. */
  readonly faults: ReadonlyMap<string, HycoraError>
}

/**
 * The files of an archive as `readZip` gives them, each by itself: one that is broken, or that nothing is left for within
 * the limits, costs no other. Those that `isFirst` names are read before the others.
 *
 * @throws HycoraError `format-invalid` when its directory is broken; `format-unsupported` for zip64 and parts.
 */
export function scanZip(
  bytes: Uint8Array,
  name: string,
  limits: ZipLimits,
  isFirst: (path: string) => boolean = () => false,
): ZipScan {
  const { entries, start } = readDirectory(bytes, name, limits)
  const files = new Map<string, Uint8Array>()
  const faults = new Map<string, HycoraError>()
  const order = [
    ...entries.filter(({ path }) => isFirst(path)),
    ...entries.filter(({ path }) => !isFirst(path)),
  ]
  let total = 0
  for (const entry of order) {
    const { path, fault, method, sizeBytes } = entry
    if (files.has(path) || faults.has(path)) continue
    const cost = method === 0 ? 0 : sizeBytes
    try {
      if (fault) throw fault
      check(files.size < limits.files && total + cost <= limits.totalBytes, 'format-invalid', () => {
        return `${name}: ${quoted(path)} is beyond the ${limits.files} files and ${limits.totalBytes} bytes that are read`
      })
      total += cost
      files.set(path, readEntry(bytes, name, entry, start, limits))
    } catch (error) {
      faults.set(path, asHycoraError(error, 'format-invalid'))
    }
  }
  return { files, faults }
}

/** The paths of an archive's files, from its directory alone. @throws HycoraError as `readZip`. */
export function zipPaths(bytes: Uint8Array, name: string, limits: ZipLimits): readonly string[] {
  return readDirectory(bytes, name, limits).entries.map(({ path }) => path)
}

function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 128))
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Where the end record begins, found from the back past a comment; −1 where there is none. */
function findEnd(bytes: Uint8Array): number {
  const view = viewOf(bytes)
  for (let at = bytes.length - END_BYTES; at >= Math.max(0, bytes.length - END_BYTES - 0xffff); at--) {
    if (view.getUint32(at, true) !== SIGNATURE.end) continue
    if (at + END_BYTES + view.getUint16(at + 20, true) === bytes.length) return at
  }
  return -1
}

function readDirectory(
  bytes: Uint8Array,
  name: string,
  limits: ZipLimits,
): { readonly entries: readonly Entry[]; readonly start: number } {
  const view = viewOf(bytes)
  const end = findEnd(bytes)
  check(end >= 0, 'format-invalid', () => `${name} is no zip archive, or its end is cut`)
  const count = view.getUint16(end + 10, true)
  const [size, offset] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)]
  check(
    view.getUint32(end + 4, true) === 0 && view.getUint16(end + 8, true) === count && offset !== 0xffffffff,
    'format-unsupported',
    () => `${name} is a zip archive in parts or of the zip64 kind, which is not read`,
  )
  const start = end - size - offset
  check(start >= 0, 'format-invalid', () => `${name}: the zip directory lies outside the file`)
  const entries: Entry[] = []
  let at = end - size
  for (let index = 0; index < count; index++) {
    check(
      at + CENTRAL_BYTES <= end && view.getUint32(at, true) === SIGNATURE.central,
      'format-invalid',
      () => `${name}: the zip directory is broken at file ${index}`,
    )
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
    const lengths = [28, 30, 32].map((field) => view.getUint16(at + field, true))
    const next = lengths.reduce((sum, length) => sum + length, at + CENTRAL_BYTES)
    check(next <= end, 'format-invalid', () => `${name}: the zip directory is cut at file ${index}`)
    const path = pathOf(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + (lengths[0] ?? 0)))
    const facts = {
      path,
      method,
      sum: view.getUint32(at + 16, true),
      storedBytes: view.getUint32(at + 20, true),
      sizeBytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    }
    const entry: Entry = { ...facts, fault: faultOf(facts, flags, name, limits) }
    if (!path.endsWith('/')) entries.push(entry)
    at = next
  }
  check(at === end, 'format-invalid', () => `${name}: the zip directory does not end where it says`)
  return { entries, start }
}

function pathOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll('\\', '/')
}

/** Why a file of an archive is not read, by what the directory says of it; null where it can be. */
function faultOf(
  { path, method, storedBytes, sizeBytes }: Omit<Entry, 'fault'>,
  flags: number,
  name: string,
  { inflatedBytes }: ZipLimits,
): HycoraError | null {
  const where = `${name}: ${quoted(path)}`
  const isSafe = path !== '' && !path.startsWith('/') && !path.split('/').includes('..')
  if (!isSafe || new TextEncoder().encode(path).length > MAX_PATH_BYTES) {
    const fact = `${name} holds a file at ${quoted(path)}, which leads out of the archive or has no sound length`
    return new HycoraError('format-invalid', fact)
  }
  if ((flags & 1) !== 0 || (method !== 0 && method !== 8)) {
    return new HycoraError(
      'format-unsupported',
      `${where} is encrypted or compressed by a method other than deflate`,
    )
  }
  if (method !== 0 && sizeBytes > inflatedBytes) {
    return new HycoraError(
      'format-invalid',
      `${where} inflates to ${sizeBytes} bytes, at most ${inflatedBytes} are read`,
    )
  }
  const isBomb = sizeBytes > FREE_BYTES && sizeBytes > MAX_RATIO * storedBytes
  return isBomb
    ? new HycoraError(
        'format-invalid',
        `${where} grows more than ${MAX_RATIO}-fold, which only a zip bomb does`,
      )
    : null
}

function readEntry(
  bytes: Uint8Array,
  name: string,
  { path, method, sum, storedBytes, sizeBytes, offset }: Entry,
  start: number,
  { inflatedBytes }: ZipLimits,
): Uint8Array {
  const where = `${name}: ${quoted(path)}`
  const view = viewOf(bytes)
  const at = start + offset
  check(
    at + LOCAL_BYTES <= bytes.length && view.getUint32(at, true) === SIGNATURE.local,
    'format-invalid',
    () => `${where} has no header where the directory says`,
  )
  const begin = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true)
  check(begin + storedBytes <= bytes.length, 'format-invalid', () => `${where} is cut`)
  const stored = bytes.subarray(begin, begin + storedBytes)
  const mostBytes = Math.min(sizeBytes, inflatedBytes)
  const data = method === 0 ? stored : inflate(stored, 'deflate', { mostBytes, where })
  check(data.length === sizeBytes && crc32(data) === sum, 'format-invalid', () => {
    return `${where} does not match the size and the CRC that the archive states`
  })
  return data
}

/** A file for an archive; what does not shrink, such as pictures and weights, is stored as it is. */
export interface ZipFile {
  readonly path: string
  readonly bytes: Uint8Array
  readonly store?: boolean
}

/** An archive in the making; what it gives is to be written one after the other. */
export interface ZipWriter {
  /** @throws HycoraError `usage` for more than 65,534 files or 4 GiB, which the format without zip64 cannot hold. */
  add(file: ZipFile): readonly Uint8Array<ArrayBuffer>[]
  /** The directory; nothing can follow. */
  end(): readonly Uint8Array<ArrayBuffer>[]
}

/** Begins an archive; one file is in memory at a time, and the same files give the same bytes. */
export function openZipWriter(): ZipWriter {
  const directory: Uint8Array<ArrayBuffer>[] = []
  let offset = 0
  return {
    add(file) {
      const name = new TextEncoder().encode(file.path)
      const { method, data } = packed(file)
      // Version, flags, method, time, date, CRC, both sizes, length of the name, length of the extra field.
      const shared = new DataView(new ArrayBuffer(26))
      for (const [index, word] of [20, UTF8_NAMES, method, 0, DATE].entries()) {
        shared.setUint16(2 * index, word, true)
      }
      shared.setUint32(10, crc32(file.bytes), true)
      shared.setUint32(14, data.length, true)
      shared.setUint32(18, file.bytes.length, true)
      shared.setUint16(22, name.length, true)
      const fields = new Uint8Array(shared.buffer)
      const rest = [new Uint8Array(10), littleEndian(offset), name]
      directory.push(joinBytes([littleEndian(SIGNATURE.central), Uint8Array.of(20, 0), fields, ...rest]))
      offset += LOCAL_BYTES + name.length + data.length
      check(offset < 0xffffffff && directory.length < 0xffff, 'usage', () => {
        return 'the archive would hold more than 4 GiB or 65,534 files'
      })
      return [joinBytes([littleEndian(SIGNATURE.local), fields, name]), plainBytes(data)]
    },
    end() {
      const central = joinBytes(directory)
      const end = new DataView(new ArrayBuffer(END_BYTES))
      end.setUint32(0, SIGNATURE.end, true)
      end.setUint16(8, directory.length, true)
      end.setUint16(10, directory.length, true)
      end.setUint32(12, central.length, true)
      end.setUint32(16, offset, true)
      return [central, new Uint8Array(end.buffer)]
    },
  }
}

/** A whole archive. @throws HycoraError as `ZipWriter.add`. */
export function writeZip(files: readonly ZipFile[]): Uint8Array<ArrayBuffer> {
  const writer = openZipWriter()
  return joinBytes([...files.flatMap((file) => writer.add(file)), ...writer.end()])
}

/** Deflated where that helps, and not so well that `readZip` would take it for a bomb. */
function packed({ bytes, store = false }: ZipFile): { readonly method: number; readonly data: Uint8Array } {
  const deflated = store ? bytes : deflateSync(bytes)
  const isBomb = bytes.length > FREE_BYTES && bytes.length > MAX_RATIO * deflated.length
  return deflated.length < bytes.length && !isBomb
    ? { method: 8, data: deflated }
    : { method: 0, data: bytes }
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
