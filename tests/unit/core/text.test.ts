import { describe, expect, test } from 'vitest'

import { decodeText, withoutFilling } from '../../../src/core/text.ts'

const latin = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function utf16(text: string, isBig = false): Uint8Array {
  const bytes = new Uint8Array(2 * text.length)
  const view = new DataView(bytes.buffer)
  Array.from({ length: text.length }, (_, index) => view.setUint16(2 * index, text.charCodeAt(index), !isBig))
  return bytes
}

test('what a disk has filled up goes, and nothing else', () => {
  const rest = '\0'.repeat(600)
  expect(withoutFilling(utf8(`${rest}Zoë${rest}: Non${rest}`))).toEqual(utf8('Zoë: Non'))
  for (const bytes of [utf8('a\0\0b'), utf16('Zoë'), utf8('')]) expect(withoutFilling(bytes)).toBe(bytes)
  expect(withoutFilling(new Uint8Array(64))).toHaveLength(0)
})

describe('a text file', () => {
  test.each([
    ['UTF-8', utf8('Zoë: “Non” 🦊\n')],
    ['UTF-8 behind its mark', utf8('\uFEFFZoë: “Non” 🦊\n')],
    ['UTF-16, little end first', utf16('\uFEFFZoë: “Non” 🦊\n')],
    ['UTF-16, big end first', utf16('\uFEFFZoë: “Non” 🦊\n', true)],
  ])('in %s is read without a word', (_, bytes) => {
    expect(decodeText(bytes, 'a.txt')).toEqual({ text: 'Zoë: “Non” 🦊\n', warning: null })
  })

  test('of another encoding is read with a warning', () => {
    const old = latin('Zo\u00eb;\u0093Non\u0094, it\u0092s \u00805.\r\n')
    expect(decodeText(old, 'a.csv')).toEqual({
      text: 'Zoë;“Non”, it’s €5.\r\n',
      warning: 'a.csv is not UTF-8 and was read as Windows-1252; where letters look wrong, save it as UTF-8',
    })
    for (const isBig of [false, true]) {
      const { text, warning } = decodeText(utf16('role\tuser\nZoë\tQui?\n', isBig), 'a.tsv')
      expect(text).toBe('role\tuser\nZoë\tQui?\n')
      expect(warning).toContain('UTF-16')
    }
  })

  test('with one broken character keeps the others', () => {
    const bytes = utf8('ëëëëëëëë x ë')
    bytes[bytes.length - 3] = 0xff
    const { text, warning } = decodeText(bytes, 'a.txt')
    expect(text.startsWith('ëëëëëëëë x')).toBe(true)
    expect(warning).toContain('no UTF-8')
  })

  test('may hold a replacement character of its own', () => {
    expect(decodeText(utf8('what is \uFFFD?'), 'a.txt')).toEqual({ text: 'what is \uFFFD?', warning: null })
  })

  test.each([
    ['PAR1\u0015\u0004Mora: Aye.\nMora: No.', 'a Parquet file'],
    ['PK\u0003\u0004xl/', 'a zip archive'],
    ['\u001f\u008b\u0008', 'a gzip archive'],
    ['SQLite format 3\0', 'an SQLite database'],
    ['{\\rtf1 Mora: Aye.}', 'an RTF document'],
    ['Mora: Aye.\0\0\0', 'binary'],
    [`${'\u0001\u0002\u0015'.repeat(20)}Mora: Aye.`, 'binary'],
    ['\u00ff\u00fe\0\0M\0\0\0', 'UTF-32'],
  ])('is told from a binary file: %j', (start, kind) => {
    expect(() => decodeText(latin(start), 'a.txt')).toThrow(
      expect.objectContaining({ code: 'format-unsupported', message: expect.stringContaining(kind) }),
    )
  })
})
