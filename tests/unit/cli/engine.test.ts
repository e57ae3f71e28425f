import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'

import { openPackFor } from '../../../src/cli/engine.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { tinyPack } from '../../support/tinyPack.ts'

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
