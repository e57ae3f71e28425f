import { describe, expect, test } from 'vitest'

import { decodeBase64, encodeBase64 } from '../../../src/core/base64.ts'
import { Random } from '../../../src/core/random.ts'
import { addRole, packStem, roleVector } from '../../../src/formats/packParts.ts'
import { matchRoleLink, readRoleLink, writeRoleLink, type RoleLink } from '../../../src/formats/roleLink.ts'
import { tinyPack } from '../../support/tinyPack.ts'
import { normals } from '../../support/values.ts'

const LINK: RoleLink = {
  name: 'Sun Wukong 孙悟空',
  vector: Float32Array.of(1, -0.5, 0, -0, 65504),
  system: 'You are Sun Wukong.\nNever bow.',
  stem: '0123456789abcdef',
  backbone: 'fedcba9876543210',
}

describe('base64', () => {
  test.each([0, 1, 2, 3, 100])('%i bytes agree with Node', (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37) & 255)
    expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
    expect(encodeBase64(bytes, { urlSafe: true })).toBe(Buffer.from(bytes).toString('base64url'))
    expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes)
    expect(decodeBase64(encodeBase64(bytes, { urlSafe: true }))).toEqual(bytes)
  })

  test('line breaks are skipped, other characters are not', () => {
    expect(decodeBase64('AA\nEC\r\n ')).toEqual(Uint8Array.of(0, 1, 2))
    for (const wrong of ['A', 'AA=A', 'AAAA====', 'A*AA', 'AAA\u00e9']) expect(decodeBase64(wrong)).toBeNull()
  })
})

describe('role links', () => {
  test.each([
    ['halves', LINK, 4],
    ['floats', { ...LINK, vector: normals(1, 128) }, 128],
    ['no line, no fingerprint', { ...LINK, system: null, backbone: '' }, 5],
    ['an empty line', { ...LINK, system: '' }, 5],
  ])('%s come back exactly', (_, link) => {
    const text = writeRoleLink(link)
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(readRoleLink(text)).toEqual(link)
    expect(Object.is(readRoleLink(writeRoleLink(LINK)).vector[3], -0)).toBe(true)
  })

  test('128 numbers in halves fit a QR code', () => {
    const vector = Float32Array.from({ length: 128 }, (_, index) => index / 64)
    expect(writeRoleLink({ ...LINK, vector, system: null }).length).toBeLessThan(450)
  })

  test('a full hash stands for its first digits', () => {
    expect(writeRoleLink({ ...LINK, stem: LINK.stem.padEnd(64, '0') })).toBe(writeRoleLink(LINK))
  })

  test('every changed or lost character is noticed', () => {
    const text = writeRoleLink(LINK)
    const random = new Random(7)
    const same = (other: string): boolean => Buffer.compare(decodeBase64(other)!, decodeBase64(text)!) === 0
    const damaged = Array.from(text, (letter, at) => {
      const changed = text.slice(0, at) + ('ABab09-_'[random.nextBelow(8)] ?? letter) + text.slice(at + 1)
      return [changed, text.slice(0, at)]
    }).flat()
    // The last character's spare bits are no data.
    for (const link of damaged.filter((other) => decodeBase64(other) === null || !same(other))) {
      expect(() => readRoleLink(link)).toThrow(expect.objectContaining({ name: 'HycoraError' }))
    }
  })

  test.each([
    ['a name too long', { ...LINK, name: 'x'.repeat(300) }],
    ['a line too long', { ...LINK, system: 'x'.repeat(5000) }],
    ['a vector too long', { ...LINK, vector: new Float32Array(3000) }],
    ['infinity', { ...LINK, vector: Float32Array.of(Infinity) }],
  ])('%s is refused', (_, link) => {
    expect(() => writeRoleLink(link)).toThrow(expect.objectContaining({ code: 'usage' }))
  })

  test('the role joins a pack of the same stem, else what is missing is told', async () => {
    const mine = tinyPack({ roles: 2 })
    const theirs = addRole(mine, { name: 'New', card: null, system: 'You are New.' }, normals(2, 5))
    const stem = await packStem(theirs)
    const fingerprint = theirs.backbone.fingerprint
    const link = readRoleLink(
      writeRoleLink({
        name: 'New',
        vector: roleVector(theirs, 'New'),
        system: null,
        stem,
        backbone: fingerprint,
      }),
    )
    const other = { stem: await packStem(tinyPack({ seed: 9 })), fingerprint }
    const same = { stem: await packStem(mine), fingerprint }
    expect(matchRoleLink(link, [other, same])).toEqual({ missing: null, index: 1 })
    expect(matchRoleLink(link, [other])).toEqual({ missing: 'pack' })
    expect(matchRoleLink(link, [{ ...other, fingerprint: 'f'.repeat(64) }])).toEqual({ missing: 'backbone' })
    expect(roleVector(addRole(mine, { ...link, card: null }, link.vector), 'New')).toEqual(normals(2, 5))
  })
})
