import { zipSync } from 'fflate'
import { expect, test } from 'vitest'

import { readCardFile } from '../../../src/formats/cardFile.ts'
import { writeCardPng } from '../../../src/formats/cardPng.ts'
import { writeCharx } from '../../../src/formats/charx.ts'
import { chunk, picture } from '../../support/png.ts'

const DATA = { name: 'Ada', description: 'A {{char}}.', first_mes: 'Hello.' }
const V2 = { spec: 'chara_card_v2', spec_version: '2.0', data: DATA }
const V3 = { spec: 'chara_card_v3', spec_version: '3.0', data: DATA }

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function textChunk(keyword: string, value: unknown): Uint8Array {
  return chunk('tEXt', `${keyword}\0${Buffer.from(JSON.stringify(value)).toString('base64')}`)
}

function read(bytes: Uint8Array, name = 'card.png') {
  return readCardFile(bytes, name)
}

test.each([
  ['a path out of the archive', { '../../x': json(1) }, 'leads out of'],
  ['a bomb', { 'x.bin': new Uint8Array(2 ** 25) }, 'zip bomb'],
])('%s costs itself alone', (_, files, reason) => {
  const file = read(zipSync({ 'a.txt': json(1), ...files, 'card.json': json(V3) }), 'ada.charx')
  expect(file.card['name']).toBe(DATA.name)
  expect([...file.assets.keys()]).toEqual(['a.txt'])
  expect(file.warnings).toEqual([expect.stringContaining(reason)])
})

test('a broken file costs itself alone', () => {
  const zipped = Buffer.from(
    zipSync({ 'card.json': json(V3), 'a.txt': [json('12345678'), { level: 0 }], 'b.txt': json(1) }),
  )
  zipped[zipped.indexOf('12345678')] = 0x39
  const file = read(zipped, 'ada.charx')
  expect([...file.assets.keys()]).toEqual(['b.txt'])
  expect(file.warnings).toEqual([expect.stringContaining('does not match')])
})

test('thousands of files are no reason to refuse the text', () => {
  const many = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`f${index}`, new Uint8Array(0)]),
  )
  const file = read(zipSync({ ...many, 'card.json': json(V3) }), 'ada.charx')
  expect([file.assets.size, file.warnings]).toEqual([3000, []])
  expect(() => read(zipSync(many), 'ada.charx')).toThrow(expect.objectContaining({ code: 'format-invalid' }))
})

test('in a folder of its own, and with its address spelt right', () => {
  const icon = { type: 'icon', uri: 'embedded://assets/icon/images/main.png', name: 'main', ext: 'png' }
  const zipped = zipSync({
    'Ada/card.json': json({ ...V3, data: { ...V3.data, assets: [icon] } }),
    'Ada/assets/icon/images/main.png': picture(),
    '__MACOSX/Ada/._card.json': json(1),
  })
  expect(read(zipped, 'ada.charx').portrait?.bytes).toEqual(new Uint8Array(picture()))
})

test('the only card of an archive is its card; of several none', () => {
  const carded = picture({ after: [textChunk('chara', V2)] })
  const file = read(zipSync({ 'Ada.png': carded, 'gallery/1.png': picture() }), 'ada.zip')
  expect(file).toMatchObject({ card: { name: DATA.name }, spec: 'v2' })
  expect(file.warnings).toEqual([expect.stringContaining('Ada.png')])
  expect([...file.assets.keys()]).toEqual(['gallery/1.png'])
  expect(() => read(zipSync({ 'Ada.png': carded, 'Eve.png': carded }), 'both.zip')).toThrow(
    '2 character cards',
  )
})

test('a card.json that is broken leaves the card of a picture beside it', () => {
  const files = { 'card.json': Buffer.from('{oops'), 'Ada.png': picture({ after: [textChunk('chara', V2)] }) }
  const file = read(zipSync(files), 'ada.charx')
  expect(file).toMatchObject({ card: { name: DATA.name } })
  expect(file.warnings.join(' ')).toMatch(/card\.json is not valid JSON.+Ada\.png/)
  expect(() => read(zipSync({ 'card.json': Buffer.from('{oops') }), 'ada.charx')).toThrow('not valid JSON')
})

test('files that came in a PNG go out in a CHARX under paths, and there and back', () => {
  const asset = { type: 'emotion', uri: '__asset:0', name: 'joy', ext: 'png' }
  const whole = { ...V3, data: { ...V3.data, assets: [asset] } }
  const came = read(
    picture({
      after: [
        textChunk('ccv3', whole),
        chunk('tEXt', `chara-ext-asset_:0\0${Buffer.from('joy').toString('base64')}`),
      ],
    }),
  )
  expect([...came.assets.keys()]).toEqual(['0'])
  const again = read(writeCardPng(came.card, picture(), came.original, came.assets))
  expect(again).toMatchObject({ card: came.card, assets: came.assets })
  const charx = read(writeCharx(came), 'ada.charx')
  const [path] = charx.assets.keys()
  expect(path).toMatch(/^assets\/emotion\/images\/.+\.png$/)
  expect(charx.card['assets']).toContainEqual({ ...asset, uri: `embeded://${path}` })
  const back = read(writeCardPng(charx.card, picture(), charx.original, charx.assets))
  expect(back.card['assets']).toContainEqual(asset)
  expect(new TextDecoder().decode(back.assets.get('0'))).toBe('joy')
})
