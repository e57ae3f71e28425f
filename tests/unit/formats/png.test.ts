import { describe, expect, test } from 'vitest'

import { isPng, readPngChunks, readPngText } from '../../../src/formats/png.ts'
import { chunk, picture } from '../../support/png.ts'

const bytes = picture({ after: [chunk('tEXt', 'Comment\0a word')] })
const reading = (changed: Uint8Array) => (): unknown => readPngChunks(changed, 'a.png')

describe('a picture', () => {
  test('gives its chunks in their order, and the texts in them', () => {
    const chunks = readPngChunks(bytes, 'a.png')
    expect(isPng(bytes)).toBe(true)
    expect(chunks.map(({ type }) => type)).toEqual(['IHDR', 'IDAT', 'tEXt', 'IEND'])
    expect(readPngText(chunks[2]!, 'a.png')).toEqual({ keyword: 'Comment', text: 'a word' })
  })

  test('that was changed on its way is refused, wherever that was', () => {
    for (const text of ['a word', 'Comment', 'tEXt']) {
      const changed = Buffer.from(bytes)
      changed[changed.indexOf(text)]! ^= 1
      const refusal = { code: 'format-invalid', message: expect.stringContaining('does not match its CRC') }
      expect(reading(changed)).toThrow(expect.objectContaining(refusal))
    }
  })

  test('that is cut, or larger than it may be, is refused', () => {
    expect(reading(bytes.subarray(0, bytes.length - 1))).toThrow('ends')
    expect(reading(picture({ width: 8193, height: 1 }))).toThrow('8193 × 1 pixels')
  })
})
