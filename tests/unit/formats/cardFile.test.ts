import { deflateSync } from 'node:zlib'

import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'

import { readCard } from '../../../src/formats/card.ts'
import { readCardFile, writeCardJson } from '../../../src/formats/cardFile.ts'
import { writeCardPng } from '../../../src/formats/cardPng.ts'
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

  test('fields of the wrong type are told of, and go out again as they came', () => {
    const fields = { tags: 'x, y', description: { a: 1 }, alternate_greetings: ['Hi', null], extensions: 'e' }
    const { card, original, warnings } = read(json({ ...V2, data: { ...DATA, ...fields } }), 'ada.json')
    expect(readCard(card)).toMatchObject({ tags: ['x', 'y'], description: '', alternateGreetings: ['Hi'] })
    expect(warnings).toHaveLength(4)
    const written = JSON.parse(new TextDecoder().decode(writeCardJson(card, original))) as typeof V2
    expect(written.data).toEqual({ group_only_greetings: [], ...DATA, ...fields })
  })

  test('a name beside the data, and data within a text, are found', () => {
    const outside = read(json({ ...V2, data: { ...DATA, name: ' ' }, name: 'Ada' }), 'ada.json')
    expect(outside).toMatchObject({ card: { name: 'Ada' }, warnings: [expect.stringContaining('beside')] })
    const nested = read(json({ spec: 'chara_card_v2', data: JSON.stringify(DATA) }), 'ada.json')
    expect(nested).toMatchObject({ card: DATA, warnings: [expect.stringContaining('within a text')] })
    expect(read(json({ ...V2, spec: 'chara_card_v4', spec_version: '4.0' }), 'ada.json')).toMatchObject({
      spec: 'v3',
      warnings: [expect.stringContaining('version 4')],
    })
  })

  test('other encodings are read, the last with a warning', () => {
    const text = '{"name":"Zoë Müller","description":"Café."}'
    const wide = Buffer.from(`\uFEFF${text}`, 'utf16le')
    for (const bytes of [Buffer.from(`\uFEFF${text}`), wide, Buffer.from(wide).swap16()]) {
      expect(read(bytes, 'zoe.json')).toMatchObject({ card: { name: 'Zoë Müller' }, warnings: [] })
    }
    const old = read(Buffer.from(text, 'latin1'), 'zoe.json')
    expect(old).toMatchObject({ card: { name: 'Zoë Müller', description: 'Café.' } })
    expect(old.warnings).toEqual([expect.stringContaining('Windows-1252')])
  })

  test('a drawn icon of pixels is the portrait', () => {
    const uri = `data:image/png;base64,${Buffer.from(picture()).toString('base64')}`
    const assets = [
      { type: 'icon', uri: 'data:image/png;base64,AAAA', name: 'side', ext: 'png' },
      { type: 'icon', uri, name: 'main', ext: 'png' },
    ]
    expect(read(json({ ...V3, data: { ...V3.data, assets } }), 'ada.json').portrait).toEqual({
      bytes: new Uint8Array(picture()),
      mime: 'image/png',
    })
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

  test.each([
    ['a broken ccv3', [chunk('tEXt', 'ccv3\0not base64 {{{'), textChunk('chara', V2)], 'not base64'],
    ['an empty ccv3', [chunk('tEXt', 'ccv3\0'), textChunk('chara', V2)], 'is empty'],
    ['a ccv3 that is no card', [textChunk('ccv3', { data: {} }), textChunk('chara', V2)], 'no name'],
    ['a second chara', [textChunk('chara', V2), textChunk('chara', { name: 'Draft' })], '2 texts chara'],
    ['a broken asset', [chunk('tEXt', 'chara-ext-asset_:0\0{{{'), textChunk('chara', V2)], 'not base64'],
  ])('%s beside a sound text costs itself alone', (_, chunks, warning) => {
    const file = read(picture({ before: chunks }))
    expect(file).toMatchObject({
      card: { name: DATA.name },
      spec: 'v2',
      warnings: [expect.stringContaining(warning)],
    })
    expect(file.portrait?.bytes).toEqual(new Uint8Array(picture()))
  })

  test.each([
    [
      'too many pixels',
      picture({ width: 8000, height: 8000, before: [textChunk('chara', V2)] }),
      '8000 × 8000',
    ],
    ['a broken sum', Buffer.from(picture({ before: [textChunk('chara', V2)] })).fill(1, 20, 21), 'CRC'],
    ['cut pixels', picture({ before: [textChunk('chara', V2)] }).subarray(0, -20), 'ends'],
  ])('a picture with %s is left out, its card is not', (_, bytes, warning) => {
    const file = read(bytes)
    expect(file).toMatchObject({ card: { name: DATA.name }, warnings: [expect.stringContaining(warning)] })
    expect(file.portrait).toBeUndefined()
  })

  test('a text whose sum is wrong is read, and the picture stays', () => {
    const damaged = Buffer.from(textChunk('chara', V2))
    damaged.writeUInt8(damaged.at(-1)! ^ 1, damaged.length - 1)
    const file = read(picture({ before: [damaged] }))
    expect(file).toMatchObject({ card: { name: DATA.name }, warnings: [expect.stringContaining('CRC')] })
    expect(file.portrait?.bytes).toEqual(new Uint8Array(picture()))
  })

  test('text in an old encoding is read, with a warning', () => {
    const old = Buffer.from('{"name":"Zoë Müller"}', 'latin1').toString('base64')
    const file = read(picture({ before: [chunk('tEXt', `chara\0${old}`)] }))
    expect(file).toMatchObject({ card: { name: 'Zoë Müller' }, warnings: [expect.stringContaining('1252')] })
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
    ['too wide, and no card', picture({ width: 8193 }), 'format-invalid'],
    [
      'RisuAI’s own form',
      picture({ after: [chunk('tEXt', 'chara\0rcc||rccv1||AAAA||')] }),
      'format-unsupported',
    ],
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
    ['no card', zipSync({ 'other.json': json({ a: 1 }) })],
    ['a cut archive', zipSync({ 'card.json': json(V3) }).subarray(0, -4)],
    ['a bomb that lies about its size', liar()],
  ])('%s is refused', (_, bytes) => {
    expect(() => read(bytes, 'ada.charx')).toThrow(INVALID)
  })
})
