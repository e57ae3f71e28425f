import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'

import { remark } from '../../../src/core/remarks.ts'
import { arrive } from '../../../src/exchange/arrive.ts'
import { fileKind } from '../../../src/exchange/fileKind.ts'

const bytesOf = (value: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

async function refusal(content: Uint8Array<ArrayBuffer>, name = 'a.json') {
  const { arrivals, refusals } = await arrive([{ path: name, file: new Blob([content]) }], { backbone: null })
  expect(arrivals).toEqual([])
  return refusals[0]?.message ?? ''
}

async function arrival(content: Uint8Array<ArrayBuffer>, name = 'a.json') {
  const { arrivals, refusals } = await arrive([{ path: name, file: new Blob([content]) }], { backbone: null })
  expect(refusals).toEqual([])
  return arrivals[0]!
}

const YAML =
  'name: Orla\ngreeting: |-\n  *Orla looks up.*\ncontext: |\n  Orla is a keeper.\n\n  {{user}}: Lit?\n  {{char}}: Always.\n'

describe('a lorebook', () => {
  const world = { entries: { 0: { key: ['lamp'], content: '@@x_own\nOld.' } } }

  test('is told, with what of it is not done here, and its text is kept', async () => {
    const bytes = bytesOf(world)
    expect(fileKind(bytes, 'coast.json')).toBe('lore')
    expect(await arrival(bytes, 'coast.json')).toMatchObject({
      kind: 'lore',
      program: 'SillyTavern',
      name: 'coast',
      entries: 1,
      book: world,
      text: JSON.stringify(world),
      unmet: [remark('lore.decorator', { decorator: '@@x_own', title: 'lamp' })],
      warnings: [],
    })
    const named = bytesOf({
      spec: 'lorebook_v3',
      data: { name: 'Cape', entries: [{ keys: ['a'], content: 'b' }] },
    })
    expect(await arrival(named)).toMatchObject({ name: 'Cape', program: 'Character Card V3' })
  })

  test('is refused where it has no entries, nests too deep or is too long', async () => {
    expect(await refusal(bytesOf({ entries: {} }))).toBe('a.json is a lorebook without entries')
    expect(await refusal(bytesOf({ lorebookVersion: 5, entries: [] }))).toBe(
      'a.json is a lorebook without entries',
    )
    const deep = `{"entries": [{"keys": ["a"], "content": "b", "x": ${'['.repeat(90)}${']'.repeat(90)}}]}`
    expect(await refusal(bytesOf(deep))).toContain('nests deeper than 64 levels')
    const long = { entries: [{ keys: ['a'], content: 'x'.repeat(2 ** 22) }] }
    expect(await refusal(bytesOf(long))).toContain('a lorebook may have 4194304')
  })
})

describe('a group of SillyTavern', () => {
  const group = { name: 'The ferry', members: ['A.png', 'B.png'], chats: ['one'], chat_id: 'one' }

  test('is told with its members, and its text is kept', async () => {
    const bytes = bytesOf(group)
    expect(fileKind(bytes, 'ferry.json')).toBe('group')
    expect(await arrival(bytes, 'ferry.json')).toMatchObject({
      kind: 'group',
      group: { name: 'The ferry', members: ['A.png', 'B.png'], chats: ['one'], order: 'natural' },
      text: JSON.stringify(group),
    })
  })

  test('is refused where it nests too deep to be kept', async () => {
    const deep = `{"members":["A.png"],"chat_id":"x","y":${'['.repeat(90)}${']'.repeat(90)}}`
    expect(await refusal(bytesOf(deep))).toContain('nests deeper than 64 levels')
  })

  test('’s chat is told with all who speak in it', async () => {
    const lines = ['A', 'B'].map((name) => {
      return JSON.stringify({ name, is_user: false, mes: 'Hm.', original_avatar: `${name}.png` })
    })
    const chat = lines.join('\n')
    expect(await arrival(bytesOf(chat), 'one.jsonl')).toMatchObject({ kind: 'chat', character: 'A, B' })
  })
})

describe('what is neither a character, a chat nor lines', () => {
  test.each([
    ['personas', { personas: {}, persona_descriptions: {} }, 'the personas of a visitor'],
    ['a preset of prompts', { temperature: 1, prompts: [], prompt_order: [] }, 'a preset of prompts'],
    ['samplers', { temp: 0.7, top_p: 0.9, rep_pen: 1.1 }, 'a preset of samplers'],
    [
      'an instruct template',
      { input_sequence: 'a', output_sequence: 'b', name: 'x' },
      'an instruct template',
    ],
    ['a script', { findRegex: 'a', replaceString: 'b', scriptName: 'x' }, 'a script of regular expressions'],
    ['a group of nobody', { name: 'x', members: [], chats: [], chat_id: 'y' }, 'a group'],
    ['chats of ChatGPT', [{ title: 'x', mapping: {} }], 'an export of ChatGPT'],
    ['a chat of ChatGPT', { mapping: {}, current_node: 'x' }, 'an export of ChatGPT'],
    [
      'an adapter’s configuration',
      { peft_type: 'LORA', base_model_name_or_path: 'x' },
      'the configuration of a PEFT adapter',
    ],
  ])('is named: %s', async (_, value, what) => {
    expect(fileKind(bytesOf(value), 'a.json')).toBe('other')
    expect(await refusal(bytesOf(value))).toContain(`a.json is ${what}`)
  })

  test('is named where it is YAML', async () => {
    const template =
      'user: "### Instruction:"\nbot: "### Response:"\nturn_template: "<|user|>"\ncontext: ""\n'
    expect(await refusal(bytesOf(template), 'a.yaml')).toContain('an instruction template')
    expect(await refusal(bytesOf('temperature: 0.7\ntop_p: 0.9\n'), 'a.yaml')).toContain(
      'a preset of samplers',
    )
  })

  test('is named where it is a chat without a message, an archive of something else, or binary', async () => {
    const header = '{"chat_metadata": {}, "user_name": "unused", "character_name": "unused"}'
    expect(await refusal(bytesOf(header), 'a.jsonl')).toContain('nobody says anything')
    const zipped = zipSync({
      'word/document.xml': bytesOf('x'),
      'b.txt': bytesOf('y'),
    })
    expect(await refusal(zipped, 'a.docx')).toContain('it holds word/document.xml, b.txt')
    expect(await refusal(new Uint8Array(64), 'a.bin')).toContain('a.bin')
    expect(await refusal(bytesOf('PAR1xxxxPAR1'), 'a.parquet')).toContain('a Parquet file')
  })

  test('says why its lines cannot be learnt', async () => {
    expect(await refusal(bytesOf('just a thought'), 'a.txt')).toMatch(
      /^a\.txt holds neither .+: a\.txt is no data set/,
    )
    const cut = '{"spec": "chara_card_v2", "data": {"name": "Orla", "first_mes": "Hm.",}}'
    expect(await refusal(bytesOf(cut))).toBe('a.json is not valid JSON')
    expect(await refusal(bytesOf({ a: 1 }))).toMatch(
      /^a\.json holds neither .+: line 1, it has none of messages/,
    )
  })
})

describe('what comes in', () => {
  test('YAML of another program, told by its keys', async () => {
    expect(await arrival(bytesOf(YAML), 'orla.yaml')).toMatchObject({
      kind: 'card',
      program: 'text generation web UI',
      card: {
        name: 'Orla',
        description: 'Orla is a keeper.',
        firstMessage: '*Orla looks up.*',
        exampleMessages: '{{user}}: Lit?\n{{char}}: Always.',
      },
    })
    expect(await refusal(bytesOf('name: Orla\ncontext: "open\n'), 'orla.yaml')).toContain('not valid YAML')
    const bomb = `name: x\ncontext: y\n${Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [${at === 0 ? 'x' : `*a${at - 1},*a${at - 1},*a${at - 1}`}]`).join('\n')}`
    expect(await refusal(bytesOf(bomb), 'bomb.yaml')).toContain('bomb.yaml')
  })

  test('a chat, with who is in it, also behind zeros and broken lines', async () => {
    const line = '{"name":"Orla","is_user":false,"mes":"You are wet."}'
    const padded = bytesOf(`{"chat_meta\n${line}\n${'\0'.repeat(600)}`)
    expect(await arrival(padded, 'a.jsonl')).toMatchObject({
      kind: 'chat',
      program: 'SillyTavern',
      character: 'Orla',
      messages: 1,
      warnings: ['Lines that are left out: 1.'],
    })
    expect(await arrival(bytesOf(line), 'a.jsonl')).toMatchObject({ kind: 'chat', messages: 1 })
  })

  test('lines, with how many dialogues they are, and whose columns are not known yet', async () => {
    expect(await arrival(bytesOf('Visitor: Hm?\nBrine: Hm.\n'), 'a.txt')).toMatchObject({
      kind: 'lines',
      dialogues: 1,
    })
    const messages = [
      { role: 'user', content: 'Hm?' },
      { role: 'assistant', content: 'Hm.' },
    ]
    expect(await arrival(bytesOf({ messages }))).toMatchObject({ kind: 'lines', dialogues: 1 })
    expect(await arrival(bytesOf('a;b\n1;2\n'), 'a.csv')).toMatchObject({ kind: 'lines', dialogues: 0 })
    const old = Buffer.from('Visitor: Ça va ?\nZoë: Oui.\n', 'latin1')
    expect(await arrival(new Uint8Array(old), 'a.txt')).toMatchObject({
      warnings: [expect.stringContaining('1252')],
    })
  })
})
