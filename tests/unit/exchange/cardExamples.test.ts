import { describe, expect, test } from 'vitest'

import { greetingsOf, nameOf } from '../../../src/cast/cardTexts.ts'
import { scriptOf, systemPromptOf } from '../../../src/cast/cardScript.ts'
import { ownField } from '../../../src/core/json.ts'
import { readCard } from '../../../src/formats/card.ts'
import { readCardFile, writeCardJson } from '../../../src/formats/cardFile.ts'
import type { CardFile } from '../../../src/formats/cardRecord.ts'
import { writeCardPng } from '../../../src/formats/cardPng.ts'
import { writeCharx } from '../../../src/formats/charx.ts'
import type { TextCounter } from '../../../src/model/prompt.ts'
import { composeScript } from '../../../src/play/composeScript.ts'
import { textOf } from '../../support/documents.ts'
import { cardExamples } from '../../support/cardExamples.ts'
import type { CardExample } from '../../support/cardExamples.ts'
import { picture } from '../../support/png.ts'

/** A tokenizer of a token for each letter. */
const letters: TextCounter = {
  encode: (text) => Array.from(text, (letter) => letter.codePointAt(0) ?? 0),
  decode: (ids) => String.fromCodePoint(...ids),
  quote: (text) => text,
}

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const read = ({ whole }: CardExample): CardFile => readCardFile(utf8(whole), 'card.json')

/** All that a model is told of a card that is played by its text. */
function told(example: CardExample): string {
  const card = readCard(read(example).card)
  const names = { user: 'Mira', character: nameOf(card), persona: '' }
  const script = scriptOf(card, {
    names,
    seed: 1,
    greeting: 0,
    occasion: 'next',
    isTrained: false,
    note: null,
    facts: [],
    books: [],
  })
  const turns = [{ speaker: 'user' as const, text: example.said ?? 'Hello.' }]
  const { system, asides } = composeScript(script, {
    tokenizer: letters,
    context: 16_384,
    system: systemPromptOf(card, names),
    turns,
    continueLast: false,
  })
  return [system ?? '', ...asides.map(({ text }) => text)].join('\n')
}

test('ten are written', () => {
  expect(cardExamples).toHaveLength(10)
})

const dataOf = ({ whole }: CardExample): Record<string, unknown> => ({
  ...((ownField(whole, 'data') ?? whole) as Record<string, unknown>),
})

/** What comes of a card in a chat, and what of it is shown to people alone. */
function outcome(example: CardExample): { readonly played: string; readonly shown: string } {
  const found = read(example)
  const card = readCard(found.card)
  const { tags, groupOnlyGreetings, creator, creatorNotes, characterVersion } = card
  const names = [nameOf(card), greetingsOf(card), groupOnlyGreetings, tags]
  return {
    played: JSON.stringify([names, told(example), found.portrait?.bytes.length]),
    shown: JSON.stringify([creator, creatorNotes, characterVersion]),
  }
}

/** What a field does: the most that it does in any of the examples. */
function useOf(field: string): string {
  const having = cardExamples.filter((example) => Object.hasOwn(dataOf(example), field))
  const uses = having.map((example): string => {
    const { [field]: _, ...data } = dataOf(example)
    if (field === 'name') return 'honoured'
    const [before, after] = [outcome(example), outcome({ ...example, whole: { ...example.whole, data } })]
    if (before.played !== after.played) return 'honoured'
    return before.shown === after.shown ? 'kept' : 'shown'
  })
  return ['honoured', 'shown', 'kept'].find((use) => uses.includes(use)) ?? 'in none of the cards'
}

const rows = [...(textOf('docs/lorebooks.md').split('## Cards')[1] ?? '').matchAll(/^\| `(\w+)` \| (\w+)/gm)]
const fields = rows.map(([, field = '', use = '']) => [field, use] as const)

test('together they have every field of the table, and none besides but one that nobody knows', () => {
  const written = new Set(cardExamples.flatMap((example) => Object.keys(dataOf(example))))
  for (const key of ['spec', 'spec_version', 'theirs']) written.delete(key)
  expect(fields.map(([field]) => field).toSorted()).toEqual([...written].toSorted())
})

test.each(fields)('the field %s is %s', (field, use) => {
  expect(useOf(field)).toBe(use)
})

describe.each(cardExamples)('a card with $what', (example) => {
  test('is called and greets as it says, and tells what it is to tell', () => {
    const found = read(example)
    const card = readCard(found.card)
    expect([nameOf(card), greetingsOf(card)]).toEqual([example.name, example.greetings])
    expect(found.warnings).toEqual([])
    const text = told(example)
    for (const words of example.sent) expect(text).toContain(words)
    for (const words of example.never ?? []) expect(text).not.toContain(words)
  })

  test.each(['JSON', 'PNG', 'CHARX'] as const)('comes back whole out of %s', (form) => {
    const { card, original } = read(example)
    const bytes = {
      JSON: () => writeCardJson(card, original),
      PNG: () => writeCardPng(card, picture(), original),
      CHARX: () => writeCharx({ card, original }),
    }[form]()
    const again = readCardFile(bytes, `card.${form.toLowerCase()}`)
    expect(again.card).toEqual(card)
    const data = ownField(example.whole, 'data') ?? example.whole
    expect(again.card).toMatchObject(data as Record<string, unknown>)
    const beside = Object.keys(example.whole).filter((key) => !['spec', 'spec_version', 'data'].includes(key))
    for (const key of beside) expect({ ...again.original, ...again.card }).toHaveProperty(key)
  })
})
