import { describe, expect, test } from 'vitest'

import { readCardFile } from '../../../src/formats/cardFile.ts'
import { pictureKind, userComment } from '../../../src/formats/exif.ts'
import { Random } from '../../../src/core/random.ts'
import { mutateBytes } from '../../support/fuzz.ts'

const CARD = JSON.stringify({ spec: 'chara_card_v2', data: { name: 'Zoë', description: 'A keeper.' } })

/** A TIFF block whose user comment holds these bytes. */
function tiff(comment: Uint8Array, isLittle = false): Buffer {
  const block = Buffer.alloc(44)
  block.write(isLittle ? 'II*\0' : 'MM\0*', 'latin1')
  const [write16, write32] = isLittle
    ? [block.writeUInt16LE.bind(block), block.writeUInt32LE.bind(block)]
    : [block.writeUInt16BE.bind(block), block.writeUInt32BE.bind(block)]
  write32(8, 4)
  // One entry that leads to the Exif directory, at 26, and one there that holds the comment, at 44.
  for (const [at, tag, kind, count, value] of [
    [8, 0x8769, 4, 1, 26],
    [26, 0x9286, 7, comment.length, 44],
  ] as const) {
    write16(1, at)
    write16(tag, at + 2)
    write16(kind, at + 4)
    write32(count, at + 6)
    write32(value, at + 10)
  }
  return Buffer.concat([block, comment])
}

function part(type: string, data: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length & 1)])
}

function webp(exif: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), part('VP8 ', Buffer.alloc(5)), part('EXIF', exif)])
  return part('RIFF', body)
}

function segment(marker: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255]), data])
}

function jpeg(exif: Uint8Array): Buffer {
  const app1 = Buffer.concat([Buffer.from('Exif\0\0'), exif])
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.from('JFIF\0')),
    segment(0xe1, app1),
    segment(0xda, Buffer.alloc(4)),
  ])
}

const coded = (code: string, text: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(code.padEnd(8, '\0'), 'latin1'), text])
const plain = coded('ASCII', Buffer.from(CARD))

describe('a card in the comment of a picture', () => {
  test.each([
    ['WebP', webp(tiff(plain))],
    ['WebP, little end first', webp(tiff(plain, true))],
    ['WebP with the head of a JPEG', webp(Buffer.concat([Buffer.from('Exif\0\0'), tiff(plain)]))],
    ['JPEG', jpeg(tiff(plain))],
    ['without a code', webp(tiff(coded('', Buffer.from(CARD))))],
    ['with no place for a code', webp(tiff(Buffer.from(CARD)))],
    ['in UTF-16', webp(tiff(coded('UNICODE', Buffer.from(CARD, 'utf16le')), true))],
    ['in base64', webp(tiff(coded('ASCII', Buffer.from(Buffer.from(CARD).toString('base64')))))],
    ['as a list of bytes', webp(tiff(coded('ASCII', Buffer.from(Buffer.from(CARD).join(',')))))],
  ])('%s', (_, bytes) => {
    const { card, portrait } = readCardFile(bytes, 'zoe.webp')
    expect(card).toMatchObject({ name: 'Zoë', description: 'A keeper.' })
    expect(portrait).toEqual({ bytes, mime: `image/${pictureKind(bytes)?.toLowerCase()}` })
  })

  test('is read or not, but never breaks the reader, whatever became of the picture', () => {
    const random = new Random(7)
    for (let round = 0; round < 2000; round++) {
      const bytes = mutateBytes(round % 2 ? webp(tiff(plain)) : jpeg(tiff(plain, true)), random)
      const comment = userComment(bytes)
      expect(comment === null || typeof comment === 'string').toBe(true)
    }
  })
})

test.each([
  ['an AVIF picture', '\0\0\0\u0020ftypavif'],
  ['a GIF picture', 'GIF89a'],
  ['a JPEG picture', '\u00ff\u00d8\u00ff\u00e0'],
  ['a HEIC picture', '\0\0\0\u0020ftypheic'],
  ['a TIFF picture', 'II*\0'],
  ['a SVG picture', '<svg xmlns="x">'],
])('%s without a card is told by its kind', (kind, start) => {
  const bytes = Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(64)])
  expect(() => readCardFile(bytes, 'a.png')).toThrow(
    expect.objectContaining({
      code: 'format-unsupported',
      message: expect.stringContaining(`a.png is ${kind}`),
    }),
  )
})
