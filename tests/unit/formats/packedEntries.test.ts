import { deflateSync, strToU8 } from 'fflate'
import { describe, expect, test } from 'vitest'

import { loreRows, withoutRow } from '../../../src/cast/cardEdit.ts'
import { encodeBase64 } from '../../../src/core/base64.ts'
import { inEnglish } from '../../../src/core/remarkTexts.ts'
import { readCard } from '../../../src/formats/card.ts'
import { withBook } from '../../../src/formats/lore/loreFile.ts'
import { unpackedBook } from '../../../src/formats/lore/packedEntries.ts'
import { entriesOf, readLorebook } from '../../../src/formats/lore/readLorebook.ts'

const entry = (key: string) => ({ keys: [key], content: `Of ${key}.`, extensions: {} })
const pack = (value: unknown) => encodeBase64(deflateSync(strToU8(JSON.stringify(value)), { level: 9 }))
const bookWith = (packed: unknown) => ({
  name: 'Cape',
  extensions: { other: 1, hycora: { learnt: true, packed } },
  entries: [entry('lamp')],
})
const book = bookWith(pack([entry('rope'), 'no entry', entry('sail')]))
const titles = (card: Readonly<Record<string, unknown>>) => loreRows(card).map(({ keys }) => keys[0])

describe('entries that a lorebook has packed', () => {
  test('stand behind those of its list, wherever it is read', () => {
    expect(entriesOf(book)).toEqual([entry('lamp'), entry('rope'), entry('sail')])
    const read = readLorebook(book)
    expect([read.entries.map(({ title }) => title), read.unmet]).toEqual([['lamp', 'rope', 'sail'], []])
    const card = readCard({ name: 'Orla', character_book: book })
    expect([card.lorebookEntries, card.lore]).toEqual([3, ['Of lamp.', 'Of rope.', 'Of sail.']])
    expect(card.book).toEqual(book)
    expect(titles({ name: 'Orla', character_book: book })).toEqual(['lamp', 'rope', 'sail'])
  })

  test('are unpacked once the book is edited or joined by another, and are there once', () => {
    const whole = unpackedBook(book)
    expect(whole).toEqual({
      name: 'Cape',
      extensions: { other: 1, hycora: { learnt: true } },
      entries: [entry('lamp'), entry('rope'), entry('sail')],
    })
    expect(unpackedBook(whole)).toBe(whole)
    const edited = withoutRow({ name: 'Orla', character_book: book }, 1)
    expect(edited['character_book']).toEqual({ ...whole, entries: [entry('lamp'), entry('sail')] })
    const joined = withBook(
      { name: 'Orla', character_book: book },
      { name: 'Reef', book: { entries: [entry('reef')] } },
    )
    expect(titles(joined)).toEqual(['lamp', 'rope', 'sail', 'reef'])
    expect(readCard(joined).lorebookEntries).toBe(4)
  })

  test.each([
    ['no text', 7],
    ['no base64', '*'],
    ['no deflate stream', encodeBase64(strToU8('lamp'))],
    ['a stream that ends too early', pack([entry('rope')]).slice(0, 20)],
    ['no list', pack({ entry: 1 })],
    ['more than 4 MiB', pack(['x'.repeat(2 ** 22)])],
  ])('are left out where they are %s, and that is told', (_, packed) => {
    const { entries, unmet } = readLorebook(bookWith(packed))
    expect(entries.map(({ title }) => title)).toEqual(['lamp'])
    expect(unmet.map(inEnglish)).toEqual(['Its packed entries are broken, and left out.'])
  })
})
