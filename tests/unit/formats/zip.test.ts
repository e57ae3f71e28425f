import { describe, expect, test } from 'vitest'

import { isZip, readZip, writeZip, zipPaths } from '../../../src/formats/zip.ts'
import type { ZipFile } from '../../../src/formats/zip.ts'

const LIMITS = { files: 4, inflatedBytes: 1e6, totalBytes: 2e6 }
const utf8 = new TextEncoder()
const stored: ZipFile = { path: 'picture.png', bytes: utf8.encode('pixels, as they are'), store: true }
const deflated: ZipFile = { path: 'folder/text.txt', bytes: utf8.encode('again and '.repeat(200)) }
const archive = writeZip([stored, deflated])

/** The archive with the byte changed at which a text begins. */
function changedAt(text: string, by = 1): Uint8Array {
  const changed = Buffer.from(archive)
  const at = changed.indexOf(text)
  expect(at).toBeGreaterThan(0)
  changed[at]! ^= by
  return changed
}

const reading = (bytes: Uint8Array) => (): unknown => readZip(bytes, 'a.zip', LIMITS)

describe('an archive', () => {
  test('comes back as it was written, behind other bytes too', () => {
    for (const bytes of [archive, Buffer.concat([utf8.encode('a picture'), archive])]) {
      expect(isZip(bytes)).toBe(true)
      expect(zipPaths(bytes, 'a.zip', LIMITS)).toEqual([stored.path, deflated.path])
      const files = readZip(bytes, 'a.zip', LIMITS)
      for (const { path, bytes: content } of [stored, deflated]) {
        expect(Buffer.from(files.get(path)!).equals(content)).toBe(true)
      }
    }
  })

  test('whose content was changed on its way is refused', () => {
    const refusal = { code: 'format-invalid', message: expect.stringContaining('does not match') }
    expect(reading(changedAt('pixels'))).toThrow(expect.objectContaining(refusal))
  })

  test('is refused with a path that leads out of it, and with one path twice', () => {
    for (const path of ['../a.txt', 'folder/../../a.txt', '/a.txt', '..\\a.txt']) {
      expect(reading(writeZip([{ path, bytes: stored.bytes }]))).toThrow('leads out of the archive')
    }
    expect(reading(writeZip([stored, stored]))).toThrow('twice')
  })

  test('is refused beyond its limits, and where it is a bomb', () => {
    const five = Array.from({ length: 5 }, (_, index) => ({ ...stored, path: `${index}` }))
    expect(reading(writeZip(five))).toThrow('holds 5 files, at most 4 are read')
    const large = { path: 'large', bytes: utf8.encode('abcdefgh'.repeat(2 ** 17)) }
    expect(reading(writeZip([large]))).toThrow('at most 1000000 are read')
  })

  test('that is cut is none', () => {
    for (const length of [0, 21, archive.length - 1]) {
      expect(isZip(archive.subarray(0, length))).toBe(false)
      expect(reading(archive.subarray(0, length))).toThrow('no zip archive')
    }
  })
})
