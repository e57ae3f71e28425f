import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { openMemory } from '../../../src/cli/memoryFile.ts'
import { readSheets, ownNames } from '../../../src/cli/sheets.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const folder = await mkdtemp(join(tmpdir(), 'hycora-memory-'))
afterAll(() => rm(folder, { recursive: true }))

async function packOf(seed: number): Promise<Pack> {
  return readPack(memorySource('tiny.hycora.safetensors', await writePack(tinyPack({ seed }))))
}

const bare = { kind: 'scores', casting: null, asked: { question: 'Who?' } } as const
const played = { ...bare, casting: { parts: [{ role: 0, weight: 1 }], strength: 1 } }

test('what one run kept another recalls, a role’s results for the same pack alone', async () => {
  const path = join(folder, 'memory.jsonl')
  const [one, other] = [await packOf(1), await packOf(2)]
  const first = await openMemory(path, { backbone: 'toy', pack: one })
  expect(first.recall(bare)).toBeUndefined()
  first.keep(bare, [-1, -2])
  first.keep(played, 'A parrot.')
  expect(first.recall(played)).toBe('A parrot.')
  const same = await openMemory(path, { backbone: 'toy', pack: await packOf(1) })
  expect([same.recall(bare), same.recall(played)]).toEqual([[-1, -2], 'A parrot.'])
  const changed = await openMemory(path, { backbone: 'toy', pack: other })
  expect([changed.recall(bare), changed.recall(played)]).toEqual([[-1, -2], undefined])
  const book = { entries: [{ keys: ['who'], content: 'Dinah.' }], extensions: { hycora: { learnt: true } } }
  const card = { name: 'Alice', character_book: book }
  const reminded = { ...one, roles: one.roles.map((role) => ({ ...role, card })) }
  const told = await openMemory(path, { backbone: 'toy', pack: reminded })
  expect([told.recall(bare), told.recall(played)]).toEqual([[-1, -2], undefined])
  const elsewhere = await openMemory(path, { backbone: 'another', pack: one })
  expect(elsewhere.recall(bare)).toBeUndefined()
})

test('a line that a crash cut off is computed again, and nothing is written behind it', async () => {
  const path = join(folder, 'cut.jsonl')
  const pack = await packOf(1)
  const first = await openMemory(path, { backbone: 'toy', pack })
  first.keep(bare, [1])
  await appendFile(path, '{"id":"ab')
  const second = await openMemory(path, { backbone: 'toy', pack })
  expect(second.recall(bare)).toEqual([1])
  second.keep(played, 'Yes.')
  const third = await openMemory(path, { backbone: 'toy', pack })
  expect(third.recall(played)).toBe('Yes.')
  expect(await readFile(path, 'utf8')).not.toContain('"ab')
})

test('a file of something else is refused and left as it is', async () => {
  const path = join(folder, 'letter.txt')
  await writeFile(path, 'Dear Watson,\nYours\n')
  await expect(openMemory(path, { backbone: 'toy', pack: await packOf(1) })).rejects.toThrow(/letter\.txt:1/)
  expect(await readFile(path, 'utf8')).toBe('Dear Watson,\nYours\n')
  const nowhere = openMemory(join(folder, 'none', 'memory'), { backbone: 'toy', pack: await packOf(1) })
  await expect(nowhere).rejects.toMatchObject({ code: 'usage' })
})

test('sheets name the facts of every character and the names that are its own', async () => {
  const sheets = await readSheets(join(import.meta.dirname, '../../../data/cast'))
  expect(sheets.size).toBe(12)
  for (const { facts, names } of sheets.values()) {
    expect(facts.length).toBeGreaterThanOrEqual(40)
    expect(names.length).toBeGreaterThan(0)
  }
  expect(ownNames('Long John Silver', ['Silver', 'John', 'Long John', 'Flint'])).toEqual([
    'Silver',
    'Long John',
  ])
  expect(ownNames('D_Artagnan', ['Artagnan', 'Athos'])).toEqual(['Artagnan'])
  await expect(readSheets(folder)).rejects.toMatchObject({ code: 'usage' })
})
