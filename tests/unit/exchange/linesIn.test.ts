import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { readData } from '../../../src/cli/trainingData.ts'
import { dataIn } from '../../../src/core/dataFolder.ts'
import { linesIn, soundLines } from '../../../src/exchange/linesIn.ts'
import { writeCardPng } from '../../../src/formats/cardPng.ts'
import { writeCharx } from '../../../src/formats/charx.ts'
import { readDatasets } from '../../../src/formats/datasets.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { changeRole } from '../../../src/formats/packParts.ts'
import { picture } from '../../support/png.ts'
import { tinyPack } from '../../support/tinyPack.ts'

/*
 * What the page learns from a file, through its worker, and what `hycora train --data` learns from it, side by side.
 */

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const EXAMPLE = '<START>\n{{user}}: Who is there?\n{{char}}: The keeper.\n'
const CARD = { name: 'Orla', description: 'A keeper.', mes_example: EXAMPLE }
const SAID = ['Who is there?', 'The keeper.']
const ROW = JSON.stringify({
  role: 'Orla',
  messages: [
    { role: 'user', content: SAID[0] },
    { role: 'assistant', content: SAID[1] },
  ],
})

let folder = ''
let files: ReadonlyMap<string, Uint8Array>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hycora-lines-'))
  const pack = await writePack(changeRole(tinyPack(), 'Role 1', { card: CARD }))
  files = new Map([
    ['orla.json', utf8(JSON.stringify({ spec: 'chara_card_v2', spec_version: '2.0', data: CARD }))],
    ['orla.png', writeCardPng(CARD, picture())],
    ['orla.charx', writeCharx({ card: CARD })],
    ['trained.charx', writeCharx({ card: { ...CARD, name: 'Role 1' }, adapter: pack })],
    ['company.hycora.safetensors', pack],
    [
      'pygmalion.json',
      utf8(
        JSON.stringify({
          char_name: 'Orla',
          char_persona: 'A keeper.',
          char_greeting: 'Hm.',
          example_dialogue: 'You: Who is there?\nOrla: The keeper.',
        }),
      ),
    ],
    ['orla.yaml', utf8('name: Orla\ncontext: |\n  A keeper.\n\n  You: Who is there?\n  Orla: The keeper.\n')],
    ['rows.jsonl', utf8(`${ROW}\n`)],
    // As a disk leaves a file behind a crash.
    ['filled.jsonl', new Uint8Array([...utf8(`${ROW}\n`), ...new Uint8Array(64)])],
    ['play.txt', utf8('Visitor: Who is there?\nOrla: The keeper.\n')],
    ['silent.json', utf8(JSON.stringify({ ...CARD, mes_example: '' }))],
    ['noise.bin', new Uint8Array(64)],
    ['preset.json', utf8('{"temperature": 1, "top_p": 0.9, "rep_pen": 1.1}')],
  ])
  for (const [path, content] of files) await writeFile(join(folder, path), content)
})
afterAll(() => rm(folder, { recursive: true }))

/** What is said in a reading, or why there is none. */
async function saidIn(read: () => Promise<ReturnType<typeof readDatasets>>): Promise<unknown> {
  try {
    return (await read()).dialogues.map(({ turns }) => turns.map(({ text }) => text))
  } catch (error) {
    return (error as Error).message
  }
}

describe('a file teaches the same in the page and on the command line', () => {
  test.each([
    ['orla.json', [SAID]],
    ['orla.png', [SAID]],
    ['orla.charx', [SAID]],
    ['trained.charx', [SAID]],
    ['company.hycora.safetensors', [SAID]],
    ['pygmalion.json', [SAID]],
    ['orla.yaml', [SAID]],
    ['rows.jsonl', [SAID]],
    ['filled.jsonl', [SAID]],
    ['play.txt', [SAID]],
    ['silent.json', expect.stringMatching(/silent\.json holds a character, but no example dialogue/)],
    ['noise.bin', expect.stringMatching(/noise\.bin is no text: it is binary/)],
    ['preset.json', expect.stringMatching(/preset\.json is /)],
  ])('%s', async (name, expected) => {
    const given = { path: name, file: new Blob([new Uint8Array(files.get(name)!)]) }
    const onPage = await saidIn(async () => readDatasets([{ name, text: (await soundLines(given)).text }]))
    expect(onPage).toEqual(expected)
    expect(await saidIn(() => readData(join(folder, name)))).toEqual(onPage)
  })

  test('where nothing can be learnt, the page takes none of it', async () => {
    const given = { path: 'odd.jsonl', file: new Blob(['{"odd": 1}\n{"odd": 2}\n']) }
    await expect(soundLines(given)).rejects.toThrow(/odd\.jsonl holds neither a character nor a chat/)
    expect((await linesIn(given)).text).toBe('{"odd": 1}\n{"odd": 2}\n')
  })
})

describe('of a folder', () => {
  test('lines and tables are read in the order of their paths, not what is hidden or drawn of them', () => {
    const paths = [
      'b/c.csv',
      'a.JSONL',
      'a.split.jsonl',
      '.cache/x.jsonl',
      'b/notes.md',
      'b/more.json',
      'B.tsv',
    ]
    expect(dataIn(paths)).toEqual({ taken: ['B.tsv', 'a.JSONL', 'b/c.csv'], left: ['b/more.json'] })
  })

  test('the command line reads just that', async () => {
    for (const path of ['set/b.jsonl', 'set/a.jsonl', 'set/a.split.jsonl', 'set/.old/c.jsonl']) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), `${ROW}\n`)
    }
    const { dialogues } = await readData(join(folder, 'set'))
    expect(dialogues.map(({ file }) => file)).toEqual(['a.jsonl', 'b.jsonl'])
  })
})

test('what is read and written at most stands in one table', async () => {
  const own = resolve(import.meta.dirname, '../../../src/exchange')
  const limited = /^(?:export )?const (?:(?:MOST|MAX|MAXIMUM|LONGEST|LARGEST)_?\w*|\w*LIMITS?)\b/m
  const paths = await readdir(own)
  const texts = await Promise.all(paths.map((path) => readFile(join(own, path), 'utf8')))
  expect(paths.filter((_, index) => limited.test(texts[index] ?? ''))).toEqual(['limits.ts'])
})
