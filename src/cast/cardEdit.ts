import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import type { EntryField } from '../formats/lore/fields.ts'
import { listedEntries, unpackedBook } from '../formats/lore/packedEntries.ts'
import { isWorldEntry, loreTerms, placeOfField } from '../formats/lore/readLorebook.ts'

/** What of a card's own texts is changed by hand, by its name in a card. */
export type CardText = 'nickname' | 'description' | 'personality' | 'scenario' | 'first_mes'

/** An entry of a lorebook as it is edited. */
export interface LoreRow {
  readonly title: string
  readonly keys: readonly string[]
  readonly content: string
  readonly isConstant: boolean
  readonly isEnabled: boolean
}

/** A text of a card; empty where it is none. */
export function cardText(data: JsonRecord, key: CardText): string {
  return textIn(ownField(data, key))
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A card's `data` with another text. */
export function withText(data: JsonRecord, key: CardText, text: string): JsonRecord {
  return { ...data, [key]: text }
}

/** The tags of a card, by commas. */
export function tagText(data: JsonRecord): string {
  const tags = ownField(data, 'tags')
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string').join(', ') : textIn(tags)
}

/** A card's `data` with these tags, by commas. */
export function withTags(data: JsonRecord, text: string): JsonRecord {
  const tags = text.split(/[,，、\n]/).map((tag) => tag.trim())
  return { ...data, tags: [...new Set(tags)].filter((tag) => tag !== '') }
}

/** The lorebook of a card: its entries as they stand, objects alone. */
function bookIn(data: JsonRecord): { readonly book: JsonRecord; readonly entries: readonly JsonRecord[] } {
  const held = ownField(data, 'character_book')
  const book = unpackedBook(
    isJsonRecord(held) ? held : { extensions: {}, ...(Array.isArray(held) && { entries: held }) },
  )
  return { book, entries: listedEntries(book) }
}

function withEntries(data: JsonRecord, entries: readonly JsonRecord[]): JsonRecord {
  return { ...data, character_book: { ...bookIn(data).book, entries } }
}

/** The entries of a card's lorebook, as they are edited. */
export function loreRows(data: JsonRecord): readonly LoreRow[] {
  return bookIn(data).entries.map(rowOf)
}

function rowOf(entry: JsonRecord): LoreRow {
  const value = (field: EntryField): unknown => {
    const place = placeOfField(entry, field)
    return place && ownField(place[0], place[1])
  }
  const text = (field: EntryField): string => {
    const found = value(field)
    return typeof found === 'string' ? found : ''
  }
  return {
    title: text('comment') || text('title'),
    keys: loreTerms(value('keys')),
    content: text('content'),
    isConstant: value('isConstant') === true,
    isEnabled: value('isEnabled') !== false && value('isDisabled') !== true,
  }
}

/** A card's `data` with an entry changed in what differs; all else of it, and every other entry, stays as it is. */
export function withRow(data: JsonRecord, index: number, row: LoreRow): JsonRecord {
  const { entries } = bookIn(data)
  const entry = entries[index]
  return entry ? withEntries(data, entries.with(index, changed(entry, row))) : data
}

function changed(entry: JsonRecord, row: LoreRow): JsonRecord {
  const before = rowOf(entry)
  const isWorld = isWorldEntry(entry)
  const title = isWorld || Object.hasOwn(entry, 'comment') ? 'comment' : 'name'
  return {
    ...entry,
    ...(row.title !== before.title && { [title]: row.title }),
    ...(row.keys.join('\n') !== before.keys.join('\n') && { [isWorld ? 'key' : 'keys']: row.keys }),
    ...(row.content !== before.content && { content: row.content }),
    ...(row.isConstant !== before.isConstant && { constant: row.isConstant }),
    ...(row.isEnabled !== before.isEnabled &&
      (isWorld ? { disable: !row.isEnabled } : { enabled: row.isEnabled })),
  }
}

/** A card's `data` with one more entry, which says nothing yet. */
export function withNewRow(data: JsonRecord): JsonRecord {
  const entry = {
    keys: [],
    content: '',
    extensions: {},
    enabled: true,
    insertion_order: 100,
    use_regex: false,
    constant: false,
    name: '',
    position: 'after_char',
  }
  return withEntries(data, [...bookIn(data).entries, entry])
}

/** A card's `data` without an entry. */
export function withoutRow(data: JsonRecord, index: number): JsonRecord {
  return withEntries(data, bookIn(data).entries.toSpliced(index, 1))
}
