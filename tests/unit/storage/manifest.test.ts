import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import type { ServedFile } from '../../../src/storage/downloads.ts'
import { downloadBytes, parseManifest } from '../../../src/storage/manifest.ts'

const publicFolder = resolve(import.meta.dirname, '../../../public')
const served = parseManifest(JSON.parse(readFileSync(resolve(publicFolder, 'models/index.json'), 'utf8')))

const hash = 'a'.repeat(64)
const entry = {
  id: 'one',
  name: 'One',
  licence: 'MIT',
  description: 'A model.',
  folder: 'models/one',
  files: [{ path: 'config.json', bytes: 10, sha256: hash }],
  pack: { path: 'packs/one', bytes: 5, sha256: hash },
}

describe('the served list', () => {
  const files = served.flatMap(({ folder, files: own, pack }) => [
    ...own
      .flatMap((file) => file.pieces ?? [file])
      .map((file): [string, ServedFile] => [`${folder}/${file.path}`, file]),
    ...(pack ? [[pack.path, pack] as [string, ServedFile]] : []),
  ])

  test.each(files)('tells the truth about %s', (path, { bytes, sha256 }) => {
    const content = readFileSync(resolve(publicFolder, path))
    expect(content.length).toBe(bytes)
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256)
  })
})

describe('a list of backbones', () => {
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
  ])('that is wrong is refused by the place: %j', (json, message) => {
    expect(() => parseManifest(json)).toThrow(new HycoraError('format-invalid', message))
  })
})
