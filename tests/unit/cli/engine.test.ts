import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'

import { openPackFor, openSpeaker } from '../../../src/cli/engine.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const root = resolve(import.meta.dirname, '../../..')

// What ships lies four folders above the command line that is built, and two above its sources.
vi.mock(import('../../../src/cli/files.ts'), async (original) => ({
  ...(await original()),
  shippedPath: (...path) => resolve(import.meta.dirname, '../../..', ...path),
}))

const FINGERPRINT = '0'.repeat(64)
const modelWith = (fingerprint: string) =>
  ({ name: 'tiny', model: { fingerprint } }) as Parameters<typeof openPackFor>[1]

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hycora-'))
  await writeFile(join(scratch, 'pack'), await writePack(tinyPack()))
})
afterAll(() => rm(scratch, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

test.each([
  ['the same fingerprint', FINGERPRINT, 0],
  ['none to compare', '', 1],
])('a pack and a backbone with %s: the lines on stderr', async (_, fingerprint, lines) => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const pack = await openPackFor(join(scratch, 'pack'), modelWith(fingerprint))
  expect(pack.roles).toHaveLength(3)
  expect(written.mock.calls.map(([line]) => line)).toEqual(
    Array.from({ length: lines }, () => expect.stringMatching(/^warning: pack and tiny cannot be compared/)),
  )
})

test('a pack of another backbone does not go with it', async () => {
  const opened = openPackFor(join(scratch, 'pack'), modelWith('1'.repeat(64)))
  await expect(opened).rejects.toMatchObject({ code: 'model-incompatible' })
})

test('no command compares a pack by itself, where the warning could be lost', async () => {
  const folder = resolve(import.meta.dirname, '../../../src/cli')
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.ts'))
  const texts = await Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')))
  expect(paths.filter((_, index) => /\bcomparePack\(/.test(texts[index] ?? ''))).toEqual(['engine.ts'])
})

/** The starter under another name, its tokenizer changed or not. */
async function renamed(name: string, change: (tokenizer: string) => string): Promise<string> {
  const path = join(scratch, name)
  await cp(join(root, 'public/models/starter'), path, { recursive: true })
  const tokenizer = join(path, 'tokenizer.json')
  await writeFile(tokenizer, change(await readFile(tokenizer, 'utf8')))
  return path
}

test('a role without a pack is of the shipped pack that was trained on the backbone, whatever that is called', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const backbone = await renamed('brought', (tokenizer) => tokenizer)
  const options = new Map([
    ['backbone', backbone],
    ['role', 'Alice'],
    ['engine', 'ort'],
  ])
  const { pack, casting } = await openSpeaker(options)
  const index = pack!.roles.findIndex(({ name }) => name === 'Alice')
  expect(casting).toMatchObject({ parts: [{ role: index }] })
  expect(written.mock.calls).toEqual([['starter.hycora.safetensors was trained on brought, and is taken\n']])
})

test('a role without a pack is refused where none that ships was trained on the backbone', async () => {
  const backbone = await renamed('strange', (tokenizer) => tokenizer.replace('"Ġthe"', '"Ġthf"'))
  const opened = openSpeaker(
    new Map([
      ['backbone', backbone],
      ['role', 'Alice'],
      ['engine', 'ort'],
    ]),
  )
  await expect(opened).rejects.toMatchObject({
    code: 'usage',
    message: '--pack is missing, and no pack that ships was trained on strange',
  })
})
