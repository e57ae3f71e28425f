import { deflateSync } from 'node:zlib'

import { zipSync } from 'fflate'
import { expect, test } from 'vitest'

import { check } from '../../../src/core/errors.ts'
import { Random } from '../../../src/core/random.ts'
import { readCard } from '../../../src/formats/card.ts'
import { readCardFile } from '../../../src/formats/cardFile.ts'
import { readDataset } from '../../../src/formats/dataset.ts'
import { fileKind } from '../../../src/exchange/fileKind.ts'
import { readGroupFile } from '../../../src/formats/groupFile.ts'
import { exportGroup, groupFromFile } from '../../../src/storage/groupFiles.ts'
import { importChats } from '../../../src/storage/sillyTavern.ts'
import { groupChats } from '../../support/groupChats.ts'
import {
  fuzz,
  isFullFuzz,
  MOST_MILLISECONDS,
  mutateBytes,
  mutateJson,
  rounds,
  type FuzzResult,
} from '../../support/fuzz.ts'
import { chunk, picture } from '../../support/png.ts'

const FILES = 50_000
const SHARE = 0.02
const TIMEOUT = { timeout: isFullFuzz ? 7_200_000 : 120_000 }
/** Beyond what the files themselves take: a bomb that got through would take gigabytes. */
const MOST_MEMORY = 512 * 2 ** 20

const CARD = {
  spec: 'chara_card_v3',
  spec_version: '3.0',
  data: {
    name: 'Ada',
    description: 'A {{char}}.',
    first_mes: 'Hello.',
    mes_example: '<START>\n{{user}}: Hi\n{{char}}: Hello',
    tags: ['a', 'b'],
    alternate_greetings: ['Hi'],
    group_only_greetings: [],
    extensions: { talkativeness: '0.5', depth_prompt: { depth: 4 } },
    character_book: { entries: [{ keys: ['x'], content: 'y', insertion_order: 1, enabled: true }] },
    assets: [
      { type: 'icon', uri: 'embeded://assets/icon/images/main.png', name: 'main', ext: 'png' },
      {
        type: 'x_hycora',
        uri: 'embeded://assets/x_hycora/ai/adapter.safetensors',
        name: 'adapter',
        ext: 'safetensors',
      },
    ],
  },
}
const TEXT = JSON.stringify(CARD)
/** 32 MiB of zeros. */
const BOMB = deflateSync(Buffer.alloc(2 ** 25))

const BOMB_ARCHIVE = zipSync({ 'card.json': Buffer.from(TEXT), bomb: Buffer.alloc(2 ** 25) })

/** Reads as the app does: what kind it is, the whole of it, and the fields that are shown. */
function readAny(file: Uint8Array | string): void {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file
  fileKind(bytes, 'file')
  const { card } = readCardFile(bytes, 'file')
  readCard(card)
}

/** Runs all rounds and fails where memory grows beyond the bound; gives the counts. */
async function watched(
  name: string,
  make: (round: number) => Uint8Array | string,
  read: (file: Uint8Array | string) => unknown = readAny,
): Promise<FuzzResult> {
  const before = process.memoryUsage().rss
  const result = await fuzz(rounds(FILES, SHARE), make, read)
  const grown = process.memoryUsage().rss - before
  if (isFullFuzz) process.stderr.write(`${name}: ${JSON.stringify({ ...result, grown })}\n`)
  if (isFullFuzz && result.slowest > MOST_MILLISECONDS) {
    throw new Error(`${name}: a file took ${result.slowest} ms`)
  }
  if (grown > MOST_MEMORY) throw new Error(`${name}: memory has grown by ${grown} bytes`)
  return result
}

/** Each way of ending is met often enough to mean something. */
function isVaried({ accepted, refused }: FuzzResult): boolean {
  return Math.min(accepted, refused) > (accepted + refused) / 200
}

function pngChunk(random: Random): Uint8Array {
  const kinds = ['tEXt', 'zTXt', 'iTXt'] as const
  const keyword = ['chara', 'ccv3', 'chara-ext-asset_:a', 'Title', '', 'x'.repeat(90)][random.nextBelow(6)]!
  const json = random.nextBelow(2) ? mutateJson(TEXT, random) : TEXT
  const text = random.nextBelow(8) ? Buffer.from(json).toString('base64') : json
  const packed = random.nextBelow(50) ? deflateSync(Buffer.from(text)) : BOMB
  const bodies = [
    Buffer.from(`${keyword}\0${text}`, 'latin1'),
    Buffer.concat([Buffer.from(`${keyword}\0\0`), packed]),
    Buffer.concat([Buffer.from(`${keyword}\0\u0001\0\0\0`), packed]),
  ]
  const kind = random.nextBelow(3)
  const body = random.nextBelow(3) ? bodies[kind]! : mutateBytes(bodies[kind]!, random)
  return chunk(random.nextBelow(30) ? kinds[kind]! : 'tIME', body)
}

test('PNG', TIMEOUT, async () => {
  const random = new Random(1)
  const make = (): Uint8Array => {
    const chunks = Array.from({ length: 1 + random.nextBelow(3) }, () => pngChunk(random))
    const size = random.nextBelow(20) ? 2 : 2 ** random.nextBelow(31)
    const whole = picture(
      random.nextBelow(2) ? { before: chunks, width: size } : { after: chunks, height: size },
    )
    return random.nextBelow(3) ? whole : mutateBytes(whole, random)
  }
  expect(isVaried(await watched('PNG', make))).toBe(true)
})

test('JSON', TIMEOUT, async () => {
  const random = new Random(2)
  const make = (): string => {
    let text = random.nextBelow(2) ? TEXT : JSON.stringify(CARD.data)
    for (let step = random.nextBelow(4); step >= 0; step--) text = mutateJson(text, random)
    return random.nextBelow(500) ? text : `{"name":"x","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  }
  expect(isVaried(await watched('JSON', make))).toBe(true)
})

test('CHARX', TIMEOUT, async () => {
  const random = new Random(3)
  const make = (): Uint8Array => {
    const json = random.nextBelow(2) ? mutateJson(TEXT, random) : TEXT
    const paths = [
      'card.json',
      'assets/icon/images/main.png',
      'assets/x_hycora/ai/adapter.safetensors',
      '../x',
      'a\\b',
    ]
    const zipped = zipSync(
      {
        'card.json': Buffer.from(json),
        [paths[random.nextBelow(paths.length)]!]: random.nextBelow(2)
          ? Buffer.from(json)
          : Buffer.alloc(900, 7),
      },
      { level: random.nextBelow(2) ? 0 : 6 },
    )
    if (random.nextBelow(100) === 0) return BOMB_ARCHIVE
    const directory = zipped.length - Math.min(zipped.length, 300)
    if (random.nextBelow(3) === 0) return zipped
    if (random.nextBelow(2)) return mutateBytes(zipped, random)
    return Buffer.concat([zipped.subarray(0, directory), mutateBytes(zipped.subarray(directory), random)])
  }
  expect(isVaried(await watched('CHARX', make))).toBe(true)
})

const ROWS = [
  {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ],
    role: 'Ada',
  },
  {
    conversations: [
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello' },
    ],
  },
  { instruction: 'Say hi', input: '', output: 'Hello' },
  { role: 'Ada', question: 'Hi?', generated: ['Hello', 'Hey'] },
  {
    role: 'Ada',
    turns: [
      { speaker: 'user', text: 'Hi' },
      { speaker: 'Ada', text: 'Hello' },
    ],
    split: 'test',
  },
]
const CHAT = [
  {
    user_name: 'You',
    character_name: 'Ada',
    create_date: '2024-9-28 @12h 00m 00s',
    chat_metadata: { integrity: 'x' },
  },
  {
    name: 'Ada',
    is_user: false,
    send_date: 'February 8, 2026 3:57pm',
    mes: 'Hi',
    swipe_id: 1,
    swipes: ['a', 'Hi'],
  },
  { name: 'You', is_user: true, send_date: 1_700_000_000_000, mes: 'Hello', extra: { token_count: 3 } },
]

/** A chat, or a data set. */
function readLines(file: Uint8Array | string): void {
  const text = String(file)
  if (text.includes('character_name')) importChats(text, () => 'id')
  readDataset(text, 'rows.jsonl')
}

test('JSONL: data sets and chats', TIMEOUT, async () => {
  const random = new Random(4)
  const make = (round: number): string => {
    const rows =
      round % 2 ? CHAT : [ROWS[random.nextBelow(ROWS.length)]!, ROWS[random.nextBelow(ROWS.length)]!]
    const lines = rows.map((row) => {
      const text = JSON.stringify(row)
      return random.nextBelow(2) ? mutateJson(text, random) : text
    })
    return lines.join(random.nextBelow(20) ? '\n' : '\r\n')
  }
  expect(isVaried(await watched('JSONL', make, readLines))).toBe(true)
})

/** A group's file as it comes in, and what a chat makes of it. */
function readGroup(file: Uint8Array | string): void {
  const text = String(file)
  const bytes = Buffer.from(text)
  check(fileKind(bytes, 'group.json') === 'group', 'format-invalid', () => 'no group')
  const group = readGroupFile(JSON.parse(text))!
  const found = groupFromFile(group, { text, names: new Map(), told: '' })
  if (found) exportGroup(found, { name: 'x', chat: 'y', createdAt: 1 })
}

test('groups and their chats', TIMEOUT, async () => {
  const random = new Random(9)
  const groups = groupChats.flatMap(({ group }) => (group ? [JSON.stringify(group)] : []))
  const make = (): string => {
    let text = groups[random.nextBelow(groups.length)]!
    for (let step = random.nextBelow(4); step >= 0; step--) text = mutateJson(text, random)
    return text
  }
  expect(isVaried(await watched('groups', make, readGroup))).toBe(true)
  const lines = groupChats.map((example) => example.lines.map((line) => JSON.stringify(line)))
  const talk = (): string => {
    const chosen = lines[random.nextBelow(lines.length)]!
    return chosen.map((line) => (random.nextBelow(3) ? line : mutateJson(line, random))).join('\n')
  }
  const { accepted } = await watched('group chats', talk, (file) => importChats(String(file), () => 'id'))
  expect(accepted).toBeGreaterThan(0)
})
