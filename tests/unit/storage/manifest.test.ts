import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { downloadBytes, pageFiles, parseManifest } from '../../../src/storage/manifest.ts'
import { chunksOf, piecesOf } from '../../../src/download/servedFile.ts'
import { describeFile, measureBackbones } from '../../../tools/manifest.mjs'

const publicFolder = resolve(import.meta.dirname, '../../../public')
const list = readFileSync(resolve(publicFolder, 'models/index.json'), 'utf8')
const served = parseManifest(JSON.parse(list))

const hashOf = (part: Uint8Array): string => createHash('sha256').update(part).digest('hex')

const hash = 'a'.repeat(64)
const entry = {
  id: 'one',
  name: 'One',
  licence: 'MIT',
  description: 'A model.',
  fingerprint: 'f'.repeat(64),
  folder: 'models/one',
  files: [{ path: 'config.json', bytes: 10, sha256: hash }],
  pack: { path: 'packs/one', bytes: 5, sha256: hash },
}

describe('the served list', () => {
  test('is what tools/manifest.mjs writes', () => {
    const measured = measureBackbones(JSON.parse(list), publicFolder)
    expect(`${JSON.stringify(measured, null, 2)}\n`).toBe(list)
  })

  test.each(piecesOf(served.flatMap(pageFiles)))('tells the truth about $path', (file) => {
    const content = readFileSync(resolve(publicFolder, file.path))
    expect(content.length).toBe(file.bytes)
    expect(hashOf(content)).toBe(file.sha256)
    let end = 0
    for (const { offset, bytes, sha256 } of chunksOf(file)) {
      expect(offset).toBe(end)
      end += bytes
      expect(hashOf(content.subarray(offset, end))).toBe(sha256)
    }
    expect(end).toBe(file.bytes)
  })

  test('has no file that git and static hosts would find too large', () => {
    for (const { bytes } of piecesOf(served.flatMap(pageFiles))) expect(bytes).toBeLessThan(30e6)
  })
})

test('a file is divided every 4 MiB', () => {
  expect(describeFile('small', new Uint8Array(4 << 20)).chunks).toBeUndefined()
  const file = describeFile('large', new Uint8Array((8 << 20) + 5))
  expect(chunksOf(file).map(({ offset, bytes }) => [offset, bytes])).toEqual([
    [0, 4 << 20],
    [4 << 20, 4 << 20],
    [8 << 20, 5],
  ])
})

describe('a list of backbones', () => {
  test('gives the files of a backbone by their path from the page, the pack last', () => {
    const pieces = [{ path: 'weights.0', bytes: 6, sha256: hash }]
    const [backbone] = parseManifest([
      { ...entry, files: [{ path: 'weights', bytes: 6, sha256: hash, pieces }] },
    ])
    const [weights, pack] = pageFiles(backbone!)
    expect(weights).toMatchObject({ path: 'models/one/weights', pieces: [{ path: 'models/one/weights.0' }] })
    expect(pack).toEqual(entry.pack)
  })

  test('is read field by field', () => {
    const [backbone] = parseManifest([{ ...entry, surprise: true }])
    expect(backbone).toEqual(entry)
    expect(downloadBytes(backbone!)).toBe(15)
  })

  test('knows files in pieces', () => {
    const pieces = [
      { path: 'weights.0', bytes: 6, sha256: hash },
      { path: 'weights.1', bytes: 4, sha256: hash },
    ]
    const files = [{ path: 'weights', bytes: 10, sha256: hash, pieces }]
    expect(parseManifest([{ ...entry, files }])[0]?.files).toEqual(files)
  })

  test.each([
    [{}, 'models/index.json is not a list of backbones'],
    [[], 'models/index.json is not a list of backbones'],
    [[{ ...entry, id: 7 }], 'models/index.json[0].id is not a text'],
    [
      [{ ...entry, files: [{ path: 'a', bytes: -1, sha256: hash }] }],
      'models/index.json[0].files[0].bytes is not a size',
    ],
    [
      [{ ...entry, files: [{ path: 'a', bytes: 1, sha256: 'A' }] }],
      'models/index.json[0].files[0].sha256 is not 64 hexadecimal digits',
    ],
    [
      [
        {
          ...entry,
          files: [{ path: 'a', bytes: 9, sha256: hash, pieces: [{ path: 'b', bytes: 8, sha256: hash }] }],
        },
      ],
      'models/index.json[0].files[0]: the pieces have 8 bytes, expected 9',
    ],
    [
      [
        {
          ...entry,
          files: [{ path: 'a', bytes: 9, sha256: hash, chunks: { bytes: 4, sha256: [hash, hash] } }],
        },
      ],
      'models/index.json[0].files[0].chunks has 2 hashes, expected 3',
    ],
    [
      [{ ...entry, files: [{ path: 'a', bytes: 9, sha256: hash, chunks: { bytes: 0, sha256: [] } }] }],
      'models/index.json[0].files[0].chunks.bytes is not a size',
    ],
    [
      [{ ...entry, files: [{ path: 'a', bytes: 4, sha256: hash, chunks: { bytes: 4, sha256: ['no'] } }] }],
      'models/index.json[0].files[0].chunks.sha256[0] is not 64 hexadecimal digits',
    ],
  ])('that is wrong is refused by the place: %j', (json, message) => {
    expect(() => parseManifest(json)).toThrow(new HycoraError('format-invalid', message))
  })
})
