import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import {
  giveUp,
  replaceFile,
  reserve,
  tryOutput,
  writeCheckpointFile,
  writeSafely,
} from '../../../src/cli/outputFile.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hycora-out-'))
})

afterAll(() => rm(folder, { recursive: true }))

/** What is told on stderr meanwhile. */
async function told(action: () => Promise<unknown>): Promise<string> {
  const words: string[] = []
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => words.push(String(text)) > 0)
  await action().finally(() => spy.mockRestore())
  return words.join('')
}

test('a folder that is missing is made, and nothing is left of the trial', async () => {
  const path = join(folder, 'new', 'deep', 'a.pack')
  await tryOutput(path)
  expect(await readdir(join(folder, 'new', 'deep'))).toEqual([])
})

test('a folder of that name, and a place below a file, are refused before anything is computed', async () => {
  await mkdir(join(folder, 'taken'))
  await expect(tryOutput(join(folder, 'taken'))).rejects.toThrow('is a folder, expected the name of a file')
  await writeFile(join(folder, 'file'), '')
  const refused = expect.objectContaining({
    code: 'usage',
    message: expect.stringContaining('cannot be written'),
  })
  await expect(tryOutput(join(folder, 'file', 'a.pack'))).rejects.toThrow(refused)
  await expect(reserve(join(folder, 'file', 'a.pack'), 9)).rejects.toThrow(refused)
})

test('what is reserved is taken by the file, shorter or longer, or given back', async () => {
  const path = join(folder, 'b.pack')
  await reserve(path, 100)
  expect((await stat(`${path}.part`)).size).toBeGreaterThanOrEqual(100)
  await replaceFile(path, new Uint8Array(7).fill(7))
  expect([...(await readFile(path))]).toEqual([7, 7, 7, 7, 7, 7, 7])
  await reserve(path, 1)
  await giveUp(path)
  expect(await readdir(folder)).toContain('b.pack')
  expect(await readdir(folder)).not.toContain('b.pack.part')
})

test('a pack whose place has gone is not lost', async () => {
  const path = join(folder, 'gone', `pack-${process.pid}.safetensors`)
  let kept = ''
  const words = await told(async () => {
    kept = await writeSafely(path, new Uint8Array([1, 2]))
  })
  expect([...(await readFile(kept))]).toEqual([1, 2])
  expect(words).toContain(`it lies at ${kept}`)
  await rm(kept)
})

test('a checkpoint that finds no place costs only itself', async () => {
  const path = join(folder, 'gone', 'a.checkpoint')
  const words = await told(() => writeCheckpointFile(path, new Uint8Array(3), 4))
  expect(words).toContain('the checkpoint of step 4 cannot be written')
})
