import { expect, test } from 'vitest'

import { REMARKS } from '../../../src/core/remarkTexts.ts'
import { BOOK_FIELDS, DECORATORS, ENTRY_FIELDS } from '../../../src/formats/lore/fields.ts'
import type { LoreField } from '../../../src/formats/lore/fields.ts'
import { textOf } from '../../support/documents.ts'

const text = textOf('docs/lorebooks.md')
const sections = new Map(
  text.split(/^## /m).map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
)
const names = (part: string): readonly string[] => [...part.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)

/** The names that a section lists behind a word, up to the next such word. */
const listed = (section: string, use: string): readonly string[] =>
  names(new RegExp(`${use}[^:]*:([^]*?)(?=\\. [A-Z]|$)`).exec(sections.get(section) ?? '')?.[1] ?? '')

const cellsOf = ({ card = '', extension = '', world = '', use, unmet }: LoreField): readonly string[] => [
  card,
  extension,
  world,
  unmet ? `${use}: ${REMARKS[unmet].replace(/^“\{title\}” |\.$/g, '')}` : use,
]
const of = (all: Readonly<Record<string, string>>, use: string): readonly string[] =>
  Object.keys(all).filter((name) => all[name] === use)
const at = (all: readonly string[]): readonly string[] => all.map((name) => `@@${name}`)

test('every field of an entry stands in the table, with what is done with it', () => {
  const rows = [...(sections.get('Entries') ?? '').matchAll(/^\|([^|]+)\|([^|]+)\|([^|]+)\|([^|]+)\|$/gm)]
  const told = rows
    .slice(2)
    .map(([, ...cells]) => cells.map((cell) => cell.trim().replaceAll('`', '').replace(/^–$/, '')))
  expect(told).toEqual(Object.values<LoreField>(ENTRY_FIELDS).map(cellsOf))
})

test('every field of a book and every decorator is listed', () => {
  expect(listed('Books', 'Honoured')).toEqual(of(BOOK_FIELDS, 'honoured'))
  expect(listed('Books', 'Kept')).toEqual(of(BOOK_FIELDS, 'kept'))
  expect(listed('Decorators', 'Honoured')).toEqual(at(of(DECORATORS, 'honoured')))
  expect(listed('Decorators', 'Named')).toEqual(at(of(DECORATORS, 'named')))
})
