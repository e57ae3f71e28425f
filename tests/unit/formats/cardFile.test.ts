import { deflateSync } from 'node:zlib'

import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'

import { readCard } from '../../../src/formats/card.ts'
import { readCardFile, writeCardJson, writeCardPng } from '../../../src/formats/cardFile.ts'
import { writeCharx } from '../../../src/formats/charx.ts'
import type { JsonRecord } from '../../../src/core/json.ts'
import { readPngChunks, readPngText, textKeyword } from '../../../src/formats/png.ts'
import { chunk, picture } from '../../support/png.ts'

const INVALID = expect.objectContaining({ name: 'HycoraError', code: 'format-invalid' })

const BOOK = {
  name: 'Cellar',
  extensions: {},
  entries: [
    {
      keys: ['wine', '/vin(o|um)/i'],
      content: 'The cellar is full.',
      extensions: { depth: 4 },
      enabled: true,
      insertion_order: 100,
      use_regex: true,
      position: 'before_char',
      probability: 80,
    },
  ],
}

const DATA = {
  name: 'Ada — 艾达 🌹',
  description: '{{char}} meets {{user}}.',
  personality: '',
  scenario: '',
  first_mes: 'Hello.',
  mes_example: '<START>\n{{user}}: Hi\n{{char}}: Hi',
  creator_notes: 'n',
  system_prompt: '',
  post_history_instructions: '',
  alternate_greetings: ['Hi'],
  character_book: BOOK,
  tags: ['maths'],
  creator: 'someone',
  character_version: '2',
  extensions: {
    talkativeness: '0.5',
    depth_prompt: { prompt: 'x', depth: 4, role: 'system' },
    other: [null, 1.5],
  },
  strange_field: { kept: true },
}

const V2 = { spec: 'chara_card_v2', spec_version: '2.0', data: DATA, create_date: '2024-9-28', fav: false }
const V3 = {
  spec: 'chara_card_v3',
  spec_version: '3.0',
  data: {
    ...DATA,
    group_only_greetings: [],
    nickname: 'Ada',
    creation_date: 1_700_000_000,
    source: ['https://example.org/ada'],
    assets: [{ type: 'background', uri: 'https://example.org/b.png', name: 'b', ext: 'png' }],
  },
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}

function textChunk(keyword: string, value: unknown): Uint8Array {
  return chunk('tEXt', `${keyword}\0${base64(value)}`)
}

function read(bytes: Uint8Array, name = 'card.png') {
  return readCardFile(bytes, name)
}

/** A bomb that states another size in its directory. */
function liar(): Uint8Array {
  const bytes = Buffer.from(zipSync({ 'card.json': new Uint8Array(2 ** 25) }))
  const directory = bytes.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'))
  bytes.writeUInt32LE(1000, directory + 24)
  return bytes
}

describe('JSON', () => {
  test('V1 becomes V3, unknown fields kept', () => {
    const v1 = {
      name: 'Ada',
      description: 'd',
      personality: 'p',
      scenario: 's',
      first_mes: 'f',
      mes_example: 'm',
    }
    const { card, spec, warnings } = read(json({ ...v1, avatar: 'none' }), 'ada.json')
    expect(spec).toBe('v1')
    expect(warnings).toEqual([])
    expect(card).toMatchObject({ ...v1, avatar: 'none', tags: [], extensions: {}, group_only_greetings: [] })
  })

  test.each([
    ['v2', V2],
    ['v3', V3],
  ])('%s: data, lorebook, extensions and what stands beside them survive', (spec, whole) => {
    const file = read(json(whole), 'ada.json')
    expect(file.spec).toBe(spec)
    expect(file.card).toEqual({ group_only_greetings: [], ...whole.data })
    expect(file.original).toEqual(whole)
    expect(readCard(file.card).name).toBe(DATA.name)
    const again = read(writeCardJson(file.card, file.original), 'again.json')
    expect(again.card).toEqual(file.card)
    expect(again.original).toEqual({ ...whole, spec: 'chara_card_v3', spec_version: '3.0', data: file.card })
  })

  test('fields of V1 that a program repeats beside data follow the card', () => {
    const file = read(json({ ...V2, name: 'Old', description: 'old' }), 'ada.json')
    const { original } = read(writeCardJson({ ...file.card, name: 'New' }, file.original), 'again.json')
    expect(original).toMatchObject({ name: 'New', description: DATA.description, data: { name: 'New' } })
  })

  test('a byte order mark, and fields of the wrong type', () => {
    const bytes = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      json({ name: 'Ada', tags: 'x', description: 7 }),
    ])
    const { card, warnings } = read(bytes, 'ada.json')
    expect(card).toMatchObject({ name: 'Ada', tags: [], description: '' })
    expect(warnings).toEqual([
      "The card's description is not what the specification asks for and counts as empty.",
      "The card's tags is not what the specification asks for and counts as empty.",
    ])
  })

  test('names of prototypes stay harmless', () => {
    const text = `{"name":"Ada","__proto__":{"polluted":true},"extensions":{"constructor":{"x":1},"__proto__":{"polluted":true}}}`
    const { card } = read(new TextEncoder().encode(text), 'ada.json')
    expect(Object.keys(card['extensions'] as JsonRecord)).toEqual(['constructor'])
    expect(({} as JsonRecord)['polluted']).toBeUndefined()
    expect(JSON.stringify(card)).not.toContain('polluted')
  })

  test.each([
    ['no JSON', '{oops'],
    ['no object', '[1]'],
    ['no name', '{"description":"x"}'],
    ['too deep', `{"name":"Ada","x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['too many values', `{"name":"Ada","x":[${'[],'.repeat(2 ** 20)}0]}`],
    ['too large', `{"name":"${'x'.repeat(2 ** 24)}"}`],
    ['nothing', ''],
  ])('%s is refused', (_, text) => {
    expect(() => read(new TextEncoder().encode(text), 'ada.json')).toThrow(INVALID)
  })
})

describe('PNG', () => {
  const zText = chunk(
    'zTXt',
    Buffer.concat([Buffer.from('ccv3\0\0', 'latin1'), deflateSync(Buffer.from(base64(V3)))]),
  )
  const iText = (isPacked: boolean) =>
    chunk(
      'iTXt',
      Buffer.concat([
        Buffer.from(`chara\0${isPacked ? '\u0001' : '\0'}\0en\0Karte\0`, 'latin1'),
        isPacked ? deflateSync(Buffer.from(base64(V2))) : Buffer.from(base64(V2)),
      ]),
    )

  test.each([
    ['tEXt before the pixels', { before: [textChunk('chara', V2)] }, 'v2'],
    ['tEXt after the pixels', { after: [textChunk('chara', V2)] }, 'v2'],
    ['both: ccv3 wins', { before: [textChunk('CCv3', V3)], after: [textChunk('chara', V2)] }, 'v3'],
    ['zTXt', { after: [zText] }, 'v3'],
    ['iTXt', { after: [iText(false)] }, 'v2'],
    ['iTXt compressed', { before: [iText(true)] }, 'v2'],
    [
      'a ccv3 that is V2 by another name',
      { after: [textChunk('ccv3', { ...V2, spec: 'chara_card_v3' })] },
      'v3',
    ],
    ['plain JSON as text', { after: [chunk('tEXt', `chara\0${JSON.stringify({ name: 'Ada' })}`)] }, 'v1'],
  ] as const)('%s', (_, chunks, spec) => {
    const file = read(picture(chunks))
    expect(file.spec).toBe(spec)
    expect(readCard(file.card).name).toMatch(/^Ada/)
    expect(file.portrait).toEqual({ bytes: new Uint8Array(picture()), mime: 'image/png' })
  })

  test('what is written reads back, in both chunks before IEND, old ones replaced', () => {
    const { card, original } = read(json(V3), 'ada.json')
    const other = chunk('tEXt', 'Software\0a painter')
    const png = writeCardPng(
      card,
      picture({ before: [other, textChunk('chara', V2)], after: [zText] }),
      original,
    )
    const chunks = readPngChunks(png, 'ada.png')
    expect(chunks.map((entry) => textKeyword(entry) ?? entry.type)).toEqual([
      'IHDR',
      'Software',
      'IDAT',
      'chara',
      'ccv3',
      'IEND',
    ])
    const back = read(png)
    expect(back.card).toEqual(card)
    expect(back.original).toEqual(original)
    const v2 = JSON.parse(Buffer.from(readPngText(chunks[3]!, '').text, 'base64').toString()) as JsonRecord
    expect(v2).toEqual({ spec: 'chara_card_v2', spec_version: '2.0', data: DATA })
  })

  test('assets that an old card embeds', () => {
    const file = read(
      picture({ before: [chunk('tEXt', 'chara-ext-asset_:a/b.bin\0AAEC'), textChunk('chara', V2)] }),
    )
    expect([...file.assets]).toEqual([['a/b.bin', Uint8Array.of(0, 1, 2)]])
  })

  test.each([
    ['no card', picture(), 'format-unsupported'],
    ['a broken sum', Buffer.from(picture()).fill(1, 20, 21), 'format-invalid'],
    ['cut', picture({ after: [textChunk('chara', V2)] }).subarray(0, 200), 'format-invalid'],
    ['too many pixels', picture({ width: 8000, height: 8000 }), 'format-invalid'],
    ['too wide', picture({ width: 8193 }), 'format-invalid'],
    ['no base64', picture({ after: [chunk('tEXt', 'chara\0{{{{')] }), 'format-invalid'],
    ['a cut iTXt', picture({ after: [chunk('iTXt', 'chara\0\0')] }), 'format-invalid'],
    [
      'a bomb',
      picture({
        after: [
          chunk('zTXt', Buffer.concat([Buffer.from('chara\0\0'), deflateSync(Buffer.alloc(2 ** 27, 0x41))])),
        ],
      }),
      'format-invalid',
    ],
  ])('%s is refused', (_, bytes, code) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ name: 'HycoraError', code }))
  })
})

describe('CHARX', () => {
  const { card, original } = read(json(V3), 'ada.json')
  const adapter = new Uint8Array(3000).fill(7)
  const portrait = { bytes: picture(), mime: 'image/png' }
  const assets = new Map([
    ['assets/emotion/images/joy.png', picture({ width: 3 })],
    ['lore.json', json({ spec: 'lorebook_v3', data: BOOK })],
  ])
  const svg = { type: 'icon', uri: 'data:image/svg+xml,%3Csvg/%3E', name: 'main', ext: 'svg' }

  test('card, portrait, adapter and other files travel together', () => {
    const joy = { type: 'emotion', uri: 'embeded://assets/emotion/images/joy.png', name: 'joy', ext: 'png' }
    const lost = { type: 'emotion', uri: 'embeded://assets/emotion/images/sad.png', name: 'sad', ext: 'png' }
    const whole = { ...card, assets: [...V3.data.assets, svg, joy, lost] }
    const bytes = writeCharx({ card: whole, original, portrait, adapter, assets })
    expect(writeCharx({ card: whole, original, portrait, adapter, assets })).toEqual(bytes)
    const file = read(bytes, 'ada.charx')
    expect(file.portrait).toEqual({ ...portrait, bytes: new Uint8Array(portrait.bytes) })
    expect(file.adapter).toEqual(adapter)
    expect(new Map([...file.assets].map(([path, data]) => [path, Buffer.from(data)]))).toEqual(
      new Map([...assets].map(([path, data]) => [path, Buffer.from(data)])),
    )
    expect(file.card['assets']).toEqual([
      { type: 'icon', uri: 'embeded://assets/icon/images/main.png', name: 'main', ext: 'png' },
      ...V3.data.assets,
      { ...svg, name: 'drawn' },
      joy,
      {
        type: 'x_hycora',
        uri: 'embeded://assets/x_hycora/ai/adapter.safetensors',
        name: 'adapter',
        ext: 'safetensors',
      },
    ])
    expect(file.original['data']).toEqual(file.card)
    const again = writeCharx({ ...file, adapter: file.adapter! })
    expect(again).toEqual(bytes)
  })

  test('an archive of another program, behind a picture', () => {
    const zipped = zipSync({
      'card.json': json({ ...V3, data: { ...V3.data, assets: [] } }),
      'assets/x_hycora/ai/other.safetensors': adapter,
    })
    const file = read(Buffer.concat([Buffer.from([0xff, 0xd8, 1, 2, 3]), zipped]), 'ada.jpeg')
    expect(file.card['name']).toBe(DATA.name)
    expect(file.adapter).toEqual(adapter)
    expect(file.portrait).toBeUndefined()
  })

  test.each([
    ['no card', zipSync({ 'other.json': json(V3) })],
    ['a path out of the archive', zipSync({ 'card.json': json(V3), '../../x': json(1) })],
    ['a bomb', zipSync({ 'card.json': json(V3), 'x.bin': new Uint8Array(2 ** 25) })],
    ['a cut archive', zipSync({ 'card.json': json(V3) }).subarray(0, -4)],
    ['a bomb that lies about its size', liar()],
  ])('%s is refused', (_, bytes) => {
    expect(() => read(bytes, 'ada.charx')).toThrow(INVALID)
  })

  test('too many files are refused', () => {
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [`f${index}`, new Uint8Array(0)]),
    )
    expect(() => read(zipSync(many), 'ada.charx')).toThrow(INVALID)
  })
})
