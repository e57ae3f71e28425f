import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { listedFor, parsePackIndex } from '../../../src/download/packIndex.ts'
import { chunksOf } from '../../../src/download/servedFile.ts'
import { blobSource } from '../../../src/formats/blobSource.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { parseManifest } from '../../../src/storage/manifest.ts'
import { listPacks } from '../../../tools/manifest.mjs'

const publicFolder = resolve(import.meta.dirname, '../../../public')
const textOf = (path: string): string => readFileSync(resolve(publicFolder, path), 'utf8')
const packs = parsePackIndex(JSON.parse(textOf('packs/index.json')))

test('the list of packs is what tools/manifest.mjs writes', () => {
  expect(`${JSON.stringify(listPacks(publicFolder), null, 2)}\n`).toBe(textOf('packs/index.json'))
})

test('each pack is found by the fingerprint that it states itself', async () => {
  for (const { fingerprint, backbone, file } of packs) {
    const content = readFileSync(resolve(publicFolder, file.path))
    const pack = await readPack(blobSource(file.path, new Blob([content])))
    expect(pack.backbone).toMatchObject({ name: backbone, fingerprint })
    expect(chunksOf(file).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(content.length)
  }
})

test('a served backbone has the pack that is listed for it', () => {
  const backbones = parseManifest(JSON.parse(textOf('models/index.json')))
  expect(backbones.map(({ fingerprint }) => listedFor(packs, fingerprint)?.file)).toEqual(
    backbones.map(({ pack }) => pack),
  )
})

test('nothing is listed for a backbone that is not known, or has no fingerprint', () => {
  const [first] = packs
  expect(listedFor(packs, first!.fingerprint)).toBe(first)
  expect(listedFor(packs, 'a'.repeat(64))).toBeUndefined()
  expect(listedFor([{ ...first!, fingerprint: '' }], '')).toBeUndefined()
})

const file = { path: 'packs/one', bytes: 5, sha256: 'a'.repeat(64) }
const entry = { fingerprint: 'f'.repeat(64), backbone: 'one', file }

test.each([
  [{}, /is not a list of packs/],
  [[1], /\[0\] is not an object/],
  [[{ ...entry, fingerprint: 'F'.repeat(64) }], /\[0\]\.fingerprint is not 64 hexadecimal digits/],
  [[entry, { ...entry, backbone: '' }], /\[1\]\.backbone is not a text/],
  [[{ ...entry, file: { ...file, bytes: -1 } }], /\[0\]\.file\.bytes is not a size/],
])('%j is no list of packs', (json, message) => {
  expect(() => parsePackIndex(json)).toThrow(message)
})
