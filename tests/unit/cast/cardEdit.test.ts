import { describe, expect, test } from 'vitest'

import {
  cardText,
  loreRows,
  tagText,
  withNewRow,
  withoutRow,
  withRow,
  withTags,
  withText,
} from '../../../src/cast/cardEdit.ts'
import { readCard } from '../../../src/formats/card.ts'

const entry = {
  keys: ['lamp'],
  content: 'It burns.',
  enabled: true,
  name: 'Lamp',
  x: { y: 1 },
  extensions: { z: 2 },
}
const world = { key: ['rope'], content: 'Wet.', comment: 'Rope', disable: true, order: 7 }
const data = {
  name: 'Orla',
  nickname: 7,
  extensions: { a: 1 },
  character_book: { name: 'Cape', w: 1, entries: [entry, world] },
}
const entriesOf = (card: Readonly<Record<string, unknown>>) =>
  (card['character_book'] as { readonly entries: readonly unknown[] }).entries

describe('a card that is edited', () => {
  test('has another text, and everything else as it was', () => {
    const changed = withText(data, 'first_mes', 'Mind the step.')
    expect(cardText(changed, 'first_mes')).toBe('Mind the step.')
    expect(changed).toEqual({ ...data, first_mes: 'Mind the step.' })
    expect(cardText(data, 'nickname')).toBe('')
  })

  test('has other tags, each once', () => {
    expect(tagText({ ...data, tags: ['sea', 7, 'old salt'] })).toBe('sea, old salt')
    expect(tagText({ ...data, tags: 'sea' })).toBe('sea')
    expect(tagText(data)).toBe('')
    const changed = withTags(data, ' sea, old salt,,sea，船')
    expect(changed).toEqual({ ...data, tags: ['sea', 'old salt', '船'] })
    expect(readCard(changed).tags).toEqual(['sea', 'old salt', '船'])
    expect(withTags(changed, ' ')).toEqual({ ...data, tags: [] })
  })

  test('shows the entries of its lorebook, whatever form they have', () => {
    expect(loreRows(data)).toEqual([
      { title: 'Lamp', keys: ['lamp'], content: 'It burns.', isConstant: false, isEnabled: true },
      { title: 'Rope', keys: ['rope'], content: 'Wet.', isConstant: false, isEnabled: false },
    ])
    expect(loreRows({ name: 'Orla' })).toEqual([])
    expect(loreRows({ name: 'Orla', character_book: { entries: { 4: entry, 5: null } } })).toHaveLength(1)
  })

  test('changes of an entry what differs, under its own name there, and nothing else', () => {
    const [lamp, rope] = loreRows(data)
    const changed = withRow(withRow(data, 0, { ...lamp!, keys: ['lamp', 'light'], isConstant: true }), 1, {
      ...rope!,
      title: 'Line',
      keys: ['line'],
      isEnabled: true,
    })
    expect(changed).toEqual({
      ...data,
      character_book: {
        name: 'Cape',
        w: 1,
        entries: [
          { ...entry, keys: ['lamp', 'light'], constant: true },
          { ...world, comment: 'Line', key: ['line'], disable: false },
        ],
      },
    })
    expect(entriesOf(withRow(data, 0, lamp!))).toEqual([entry, world])
    expect(entriesOf(withRow(data, 1, { ...rope!, content: 'Dry.' }))[0]).toBe(entry)
    expect(withRow(data, 9, lamp!)).toBe(data)
  })

  test('gains an entry and loses one', () => {
    const more = withNewRow({ name: 'Orla' })
    expect(loreRows(more)).toEqual([{ title: '', keys: [], content: '', isConstant: false, isEnabled: true }])
    const written = withRow(more, 0, {
      title: 'Sea',
      keys: ['sea'],
      content: 'Grey.',
      isConstant: false,
      isEnabled: true,
    })
    expect(readCard(written).lore).toEqual(['Grey.'])
    expect(entriesOf(withoutRow(data, 0))).toEqual([world])
  })
})
