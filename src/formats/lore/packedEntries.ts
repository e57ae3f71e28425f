import { decodeBase64 } from '../../core/base64.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { inflate } from '../inflate.ts'

/** What a lorebook may have, as a file and unpacked. */
export const MOST_LORE_BYTES = 4 * 2 ** 20

/** What was unpacked of a book, which is asked for at each message. */
const unpacked = new WeakMap<JsonRecord, readonly JsonRecord[] | null>()

/**
 * The entries that a book has deflated: its `extensions.hycora.packed` is the base64 of a deflate stream of their list as
 * JSON. None where it has none, null where that is broken or inflates to more than 4 MiB.
 */
export function packedEntries(book: JsonRecord): readonly JsonRecord[] | null {
  const known = unpacked.get(book)
  if (known !== undefined) return known
  const packed = ownField(extensionOf(book), 'packed')
  const entries = packed === undefined ? [] : unpack(packed)
  unpacked.set(book, entries)
  return entries
}

/** A book whose entries all stand in its list; itself where they do. */
export function unpackedBook(book: JsonRecord): JsonRecord {
  const further = packedEntries(book) ?? []
  if (further.length === 0) return book
  const { packed: _, ...own } = extensionOf(book)
  const extensions = { ...recordIn(book, 'extensions'), hycora: own }
  return { ...book, extensions, entries: [...listedEntries(book), ...further] }
}

/** The entries that stand in a book's list or, by number, in an object. */
export function listedEntries(book: JsonRecord): readonly JsonRecord[] {
  const entries = ownField(book, 'entries')
  const listed = typeof entries === 'object' && entries !== null ? Object.values(entries) : []
  return listed.filter(isJsonRecord)
}

function unpack(packed: unknown): readonly JsonRecord[] | null {
  const data = typeof packed === 'string' ? decodeBase64(packed) : null
  if (!data) return null
  try {
    const bytes = inflate(data, 'deflate', { mostBytes: MOST_LORE_BYTES, where: 'packed lore' })
    const entries: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return Array.isArray(entries) ? entries.filter(isJsonRecord) : null
  } catch {
    return null
  }
}

function extensionOf(book: JsonRecord): JsonRecord {
  return recordIn(recordIn(book, 'extensions'), 'hycora')
}

function recordIn(holder: JsonRecord, name: string): JsonRecord {
  const value = ownField(holder, name)
  return isJsonRecord(value) ? value : {}
}
