import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { Random } from '../../../src/core/random.ts'
import { readDataset, writeDataset } from '../../../src/formats/dataset.ts'
import type { DatasetReading } from '../../../src/formats/dataset/reading.ts'
import { keptName } from '../../../src/formats/dataset/words.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

const cases = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../fixtures/readings.json'), 'utf8'),
) as readonly { readonly text: string }[]

const jsonl = (...rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Dialogues as `role: user > reply`, short enough to read in an expectation. */
function brief({ dialogues }: DatasetReading): string[] {
  return dialogues.map(({ role, turns }) => `${role}: ${turns.map(({ text }) => text).join(' > ')}`)
}

const messages = jsonl(
  {
    role: 'Alice',
    split: 'test',
    messages: [
      { role: 'system', content: 'You are Alice.' },
      { role: 'user', content: 'Hello.' },
      { role: 'assistant', content: 'Curiouser!' },
    ],
  },
  { role: 'Alice', messages: [{ role: 'tool', content: '{}' }] },
  'a string',
  {
    character: 'Hatter',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Tea?' }] },
      { role: 'assistant', content: 'Always.' },
      { role: 'user', content: 'More?' },
    ],
  },
)

const sharegpt = JSON.stringify(
  [
    {
      name: 'Alice',
      conversations: [
        { from: 'human', value: 'Hello.' },
        { from: 'gpt', value: 'Curiouser!' },
      ],
    },
    { name: 'Alice', conversations: 'none' },
    {
      conversations: [
        { from: 'human', value: 'Who?' },
        { from: 'gpt', value: 'Nobody.' },
      ],
    },
  ],
  null,
  2,
)

const alpaca = jsonl(
  { instruction: 'Greet.', input: 'Politely.', output: 'Good day.', system: 'Be Alice.' },
  { instruction: 'Sing.', output: '' },
  { instruction: 'Why?', history: [['Hello.', 'Hi.']], output: 'Because.' },
)

const csv =
  'Character,Question,Answer\r\nAlice,"Tea, or\nnot?","She said ""no""."\r\nAlice,only two\r\n,Who?,Me.\r\n'

const roleBench = jsonl(
  { role: 'Wukong', question: ' Why? ', generated: ['Stone.', 'Monkey.'], type: ['script_based'] },
  {
    role: 'Lincoln',
    split: 'train',
    turns: [
      ['user', 'Early days?'],
      ['role', 'Lessons.'],
    ],
    alt: ['Failures.'],
  },
)

const items = jsonl(
  {
    role: 'Alice',
    item: 'cat',
    questions: ['Cat?', 'cat'],
    answer: 'Dinah.',
    held: 1,
    after: ['greeting', null],
  },
  { role: 'Alice', item: 'greeting', answer: 'Good day.' },
)

const chat = jsonl(
  { chat_metadata: { integrity: 'x' }, user_name: 'unused', character_name: 'unused' },
  { name: 'Alice', is_user: false, mes: 'Good day, {{user}}.' },
  { name: 'Ann', is_user: true, mes: 'Hello, {{char}}.' },
  { name: 'Note', is_user: false, is_system: true, mes: 'hidden' },
  { name: 'Alice', is_user: false, mes: { message: 'And you are?' } },
  { name: 'Alice', is_user: false },
)

const card = JSON.stringify({
  spec: 'chara_card_v3',
  spec_version: '3.0',
  data: {
    name: 'Alice',
    mes_example:
      '<START>\n{{user}}: Hello.\n{{char}}: *curtsies* Hello!\nHow do you do?\n<START>\n{{user}}: Tea?\n{{char}}: Please.',
  },
})

const script =
  'Notes first\nVisitor: Hello.\n**Alice:** Good day.\nListen: a rabbit.\n\nVisitor: Where?\nAlice: Gone.'

describe('each format', () => {
  test('messages JSONL', () => {
    const reading = readDataset(messages, 'a.jsonl')
    expect(reading.format).toBe('messages')
    expect(brief(reading)).toEqual(['Alice: Hello. > Curiouser!', 'Hatter: Tea? > Always.'])
    expect(reading.dialogues.map(({ split, line }) => [split, line])).toEqual([
      ['test', 1],
      [undefined, 4],
    ])
    expect(reading.droppedSystemTurns).toBe(1)
    expect(reading.rejected).toEqual([
      { line: 2, reason: 'its turn 1 is a tool’s' },
      { line: 3, reason: 'it is not a JSON object' },
    ])
  })

  test('ShareGPT as one array, with the name that rows lack', () => {
    const reading = readDataset(sharegpt, 'a.json')
    expect(reading.format).toBe('sharegpt')
    expect(brief(reading)).toEqual(['Alice: Hello. > Curiouser!'])
    expect(reading.rejected).toEqual([
      { line: 15, reason: 'its conversations is neither a list of turns nor "Name: line" text' },
      { line: 19, reason: 'it names no character' },
    ])
    expect(brief(readDataset(sharegpt, 'a.json', { roleName: 'Cat' }))[1]).toBe('Cat: Who? > Nobody.')
  })

  test('Alpaca', () => {
    const reading = readDataset(alpaca, 'a.jsonl', { roleName: 'Alice' })
    expect(reading.format).toBe('alpaca')
    expect(brief(reading)).toEqual([
      'Alice: Greet.\n\nPolitely. > Good day.',
      'Alice: Hello. > Hi. > Why? > Because.',
    ])
    expect(reading.rejected).toEqual([{ line: 2, reason: 'its turn 2 is empty' }])
    expect(reading.droppedSystemTurns).toBe(1)
  })

  test('CSV by guessed and by mapped columns', () => {
    const reading = readDataset(csv, 'a.csv')
    expect(reading.format).toBe('csv')
    expect(reading.columns).toEqual(['Character', 'Question', 'Answer'])
    expect(brief(reading)).toEqual(['Alice: Tea, or\nnot? > She said "no".'])
    expect(reading.rejected).toEqual([
      { line: 4, reason: 'it has 2 cells, the header has 3' },
      { line: 5, reason: 'it names no character' },
    ])
    const columns = { user: 'Answer', reply: 'Question' }
    expect(brief(readDataset(csv, 'a.csv', { columns, roleName: 'Cat' }))).toContain('Cat: Me. > Who?')
    const unknown = readDataset('a;b\n1;2\n', 'a.csv')
    expect(unknown.columns).toEqual(['a', 'b'])
    expect(unknown.rejected[0]?.line).toBe(1)
  })

  test('RoleBench, each reference a dialogue', () => {
    const reading = readDataset(roleBench, 'a.jsonl')
    expect(reading.format).toBe('rolebench')
    expect(brief(reading)).toEqual([
      'Wukong: Why? > Stone.',
      'Wukong: Why? > Monkey.',
      'Lincoln: Early days? > Lessons.',
      'Lincoln: Early days? > Failures.',
    ])
  })

  test('a SillyTavern chat', () => {
    const reading = readDataset(chat, 'a.jsonl')
    expect(reading.format).toBe('sillytavern')
    expect(brief(reading)).toEqual(['Alice: Good day, you. > Hello, Alice. > And you are?'])
    expect(reading.droppedSystemTurns).toBe(1)
    expect(reading.rejected).toEqual([{ line: 6, reason: 'it has no text' }])
  })

  test('a card’s example dialogue, in the card and by itself', () => {
    const reading = readDataset(card, 'a.json')
    expect(reading.format).toBe('card')
    const expected = ['Alice: Hello. > *curtsies* Hello!\nHow do you do?', 'Alice: Tea? > Please.']
    expect(brief(reading)).toEqual(expected)
    const { data } = JSON.parse(card) as { data: { mes_example: string } }
    const pasted = readDataset(data.mes_example, 'pasted', { roleName: 'Alice' })
    expect(pasted.format).toBe('script')
    expect(brief(pasted)).toEqual(expected)
  })

  test('pasted lines: names that come up once are words of a reply', () => {
    const reading = readDataset(script, 'pasted')
    expect(reading.format).toBe('script')
    expect(brief(reading)).toEqual(['Alice: Hello. > Good day.\nListen: a rabbit. > Where? > Gone.'])
    expect(reading.rejected).toEqual([{ line: 1, reason: 'nobody is named before a colon' }])
  })

  test('a scene of several characters is read once for each but the first to speak', () => {
    const scene = 'Ann: Tea?\nAlice: Please.\nHatter: No room!\nAnn: There is.\nAlice: Plenty.\nHatter: Well.'
    expect(brief(readDataset(scene, 'pasted'))).toEqual([
      'Alice: Ann: Tea? > Please. > Hatter: No room!\nAnn: There is. > Plenty.',
      'Hatter: Ann: Tea?\nAlice: Please. > No room! > Ann: There is.\nAlice: Plenty. > Well.',
    ])
  })

  test('a long chat is cut into dialogues of five exchanges', () => {
    const long = Array.from({ length: 7 }, (_, index) => `User: ${index}?\nAlice: ${index}!`).join('\n')
    const { dialogues } = readDataset(long, 'pasted')
    expect(dialogues.map(({ turns, line }) => [turns.length, line])).toEqual([
      [10, 1],
      [4, 11],
    ])
  })

  test('what is no data set is refused', () => {
    for (const text of ['', '   \n', 'some prose without anything', 'a,b,c'])
      expect(() => readDataset(text, 'a.txt')).toThrow(
        expect.objectContaining({ name: 'HycoraError', code: 'format-invalid' }),
      )
  })
})

function readRoleBench(name: string): DatasetReading {
  return readDataset(readFileSync(sharedPath(`data/rolebench/${name}`), 'utf8'), name)
}

test.skipIf(!hasShared)('RoleBench as published (needs the developers’ material)', () => {
  const english = readRoleBench('eng_role_specific_95roles.jsonl')
  expect([english.format, english.dialogues.length, english.rejected.length]).toEqual(['rolebench', 9500, 0])
  expect(new Set(english.dialogues.map(({ role }) => role)).size).toBe(95)
  const chinese = readRoleBench('zh_role_specific_test.jsonl')
  expect([chinese.dialogues.length, chinese.rejected.length]).toEqual([240, 0])
})

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).map((text) => `a${text.trim()}`)
const dialogue = fc.record(
  {
    role: fc
      .string({ minLength: 1, maxLength: 40 })
      .map((text) => keptName(`R${text.replaceAll(/\p{Cc}/gu, '')}`)),
    item: fc.constantFrom('a', 'b'),
    split: fc.constantFrom('train' as const, 'test' as const, 'wording' as const),
    turns: fc.array(fc.tuple(word, word, fc.boolean()), { minLength: 1, maxLength: 4 }).map((pairs) =>
      pairs.flatMap(([user, reply, isContext], index) => [
        { speaker: 'user' as const, text: user },
        {
          speaker: 'role' as const,
          text: reply,
          ...(isContext && index > 0 && { isLearnt: false as const }),
        },
      ]),
    ),
  },
  { requiredKeys: ['role', 'turns'] },
)

test('what is written is read back the same (seed 3)', () => {
  fc.assert(
    fc.property(fc.array(dialogue, { minLength: 1, maxLength: 12 }), (dialogues) => {
      const reading = readDataset(writeDataset(dialogues), 'a.jsonl')
      expect(reading.rejected).toEqual([])
      expect(reading.dialogues).toEqual(dialogues.map((each, index) => ({ ...each, line: index + 1 })))
    }),
    { seed: 3, numRuns: 200 },
  )
})

describe('hostile input', () => {
  test('a huge row, deep nesting and a bad row cost only themselves', () => {
    const good = jsonl({
      role: 'Alice',
      messages: [
        { role: 'user', content: 'Hello.' },
        { role: 'assistant', content: 'Hi.' },
      ],
    })
    const deep = `{"messages":${'['.repeat(5000)}${']'.repeat(5000)}}\n`
    const huge = `{"messages":"${'é'.repeat(2 ** 19)}"}\n`
    const { dialogues, rejected } = readDataset(good + deep + huge + '{"\n' + good, 'a.jsonl')
    expect(dialogues.map(({ line }) => line)).toEqual([1, 5])
    expect(rejected).toEqual([
      { line: 2, reason: 'it nests deeper than 32 levels' },
      { line: 3, reason: 'it is longer than 1 MiB' },
      { line: 4, reason: 'it is not valid JSON' },
    ])
  })

  test('quotation marks that are not closed do not swallow the rest', () => {
    const rows = Array.from({ length: 2000 }, (_, index) => `Alice,"${index},Hi.`).join('\n')
    const { rejected } = readDataset(`role,user,reply\n${rows}\n`, 'a.csv')
    expect(rejected.length).toBeGreaterThan(900)
    expect(rejected.length).toBeLessThanOrEqual(2000)
    const open = readDataset('role,user,reply\nAlice,"Hello,Hi.\nAlice,Tea?,Please.\n', 'a.csv')
    expect(open.rejected).toEqual([{ line: 2, reason: 'a quotation mark is not closed within 1 MiB' }])
    expect(brief(open)).toEqual(['Alice: Tea? > Please.'])
  })

  test('keys and names of the language are data', () => {
    const rows =
      '{"role":"__proto__","messages":[{"role":"constructor","content":"x"}]}\n{"__proto__":{"messages":[]}}\n'
    const { dialogues, rejected } = readDataset(rows, 'a.jsonl')
    expect(dialogues.map(({ role, turns }) => [role, turns[0]?.text])).toEqual([['__proto__', 'x']])
    expect(rejected).toHaveLength(1)
    const named = 'User: Hi.\n__proto__: Hello.\nUser: Hi.\nconstructor: Hello.'
    expect(() => readDataset(named, 'pasted')).not.toThrow()
  })

  test('too many speakers or unusable rows end the reading', () => {
    const crowd = Array.from({ length: 40 }, (_, index) => `N${'x'.repeat(index)}: a`).join('\n')
    expect(() => readDataset(crowd, 'pasted')).toThrow(/more than 32 names/)
    expect(() => readDataset(`{"a":1}\n${'x\n'.repeat(100_001)}`, 'a.jsonl')).toThrow(/more than 100000 rows/)
  })

  const forms = cases.map(({ text }) => text)
  const seeds = [messages, items, sharegpt, alpaca, csv, roleBench, chat, card, script, ...forms]
  const count = Number(process.env['HYCORA_FUZZ'] ?? 5000)

  test(`${count} mutations are read or refused (seed 7)`, { timeout: 600_000 }, () => {
    const random = new Random(7)
    for (let round = 0; round < count; round++) {
      const text = mutated(seeds[round % seeds.length]!, seeds, random)
      try {
        const { dialogues, rejected } = readDataset(text, round % 3 === 0 ? 'a.csv' : 'a.jsonl')
        const lines = text.split(/\r\n|\r|\n/).length
        for (const { line } of [...dialogues, ...rejected]) {
          expect(line >= 1 && line <= lines, `line ${line} of ${lines}`).toBe(true)
        }
        for (const { role, turns } of dialogues) {
          expect(role).not.toBe('')
          expect(turns.at(-1)?.speaker).toBe('role')
          expect(turns.every((turn, index) => turn.speaker !== turns[index - 1]?.speaker)).toBe(true)
        }
      } catch (error) {
        if (!(error instanceof HycoraError)) throw error
      }
    }
  })
})

const PIECES = [
  '"',
  '""',
  '\n',
  '\r',
  ',',
  '[',
  ']',
  '{',
  '}',
  ':',
  '\\',
  '\0',
  '\uD800',
  '<START>\n',
  '{{char}}: ',
  'null',
  '1e999',
]

function mutated(text: string, seeds: readonly string[], random: Random): string {
  let result = text
  for (let change = random.nextBelow(6); change >= 0; change--) {
    const at = random.nextBelow(result.length + 1)
    const length = random.nextBelow(20)
    const kind = random.nextBelow(4)
    const piece = PIECES[random.nextBelow(PIECES.length)]!
    if (kind === 0) result = result.slice(0, at) + result.slice(at + length)
    else if (kind === 1) result = result.slice(0, at) + piece + result.slice(at)
    else if (kind === 2)
      result = result.slice(0, at) + result.slice(at, at + length).repeat(3) + result.slice(at)
    else {
      const other = seeds[random.nextBelow(seeds.length)]!
      result = result.slice(0, at) + other.slice(random.nextBelow(other.length))
    }
  }
  return result
}
