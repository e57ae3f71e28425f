import { describe, expect, test } from 'vitest'

import { memorySource } from '../../../src/formats/memorySource.ts'
import { readSafetensorsHeader, writeSafetensors } from '../../../src/formats/safetensors.ts'

/** A file with this header text (padded to 8 bytes unless told) and so many bytes of data. */
function file(header: string | Uint8Array, dataBytes: number, { padding = ' ' } = {}): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const length = Math.ceil(text.length / 8) * 8
  const bytes = new Uint8Array(8 + length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.fill(padding.charCodeAt(0), 8, 8 + length)
  bytes.set(text, 8)
  return bytes
}

function read(bytes: Uint8Array) {
  return readSafetensorsHeader(memorySource('hostile.safetensors', bytes))
}

const A = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'

/** A header of one tensor with these fields. */
function tensor(fields: string): string {
  return `{"a":{${fields}}}`
}

describe('the reader takes', () => {
  test.each<[string, string, number]>([
    ['one tensor', `{${A}}`, 8],
    ['spaces of other writers', `{ "a" : {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} }`, 8],
    ['fields in any order', '{"a":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}}', 8],
    ['metadata', `{"__metadata__":{"k":"v"},${A}}`, 8],
    ['entries in any order', `{"b":{"dtype":"F16","shape":[2,1],"data_offsets":[8,12]},${A}}`, 12],
    [
      'every width',
      '{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]}}',
      11,
    ],
    ['half bytes that fill bytes', '{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}', 2],
  ])('%s', async (_, header, dataBytes) => {
    const { tensors } = await read(file(header, dataBytes))
    expect(tensors.get('a')?.offset).toBe(8 + Math.ceil(header.length / 8) * 8)
  })
})

describe('the reader refuses', () => {
  test.each<[string, string, number]>([
    ['a tensor twice', `{${A},${A}}`, 8],
    [
      'a tensor twice, spelt differently',
      `{${A},"\\u0061":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}`,
      8,
    ],
    ['dtype twice', tensor('"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]'), 8],
    ['metadata twice', `{"__metadata__":{},"__metadata__":{},${A}}`, 8],
    ['a metadata key twice', `{"__metadata__":{"k":"v","k":"w"},${A}}`, 8],
    ['metadata that is null', `{"__metadata__":null,${A}}`, 8],
    ['metadata that is not text', `{"__metadata__":{"k":1},${A}}`, 8],
    ['metadata named __proto__', `{"__metadata__":{"__proto__":"x"},${A}}`, 8],
    ['no tensors', '{}', 0],
    ['a list', '[]', 0],
    ['a begin mark', `\ufeff{${A}}`, 8],
    ['leading white space', ` {${A}}`, 8],
    ['a line break at the end', `{${A}}\n`, 8],
    ['something after the object', `{${A}}{}`, 8],
    ['half a surrogate pair in a name', '{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8],
    ['deep nesting', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`, 8],
    ['1.0', tensor('"dtype":"F32","shape":[2.0],"data_offsets":[0,8]'), 8],
    ['1e0', tensor('"dtype":"F32","shape":[2e0],"data_offsets":[0,8]'), 8],
    ['-0', tensor('"dtype":"F32","shape":[2],"data_offsets":[-0,8]'), 8],
    ['a negative size', tensor('"dtype":"F32","shape":[-2],"data_offsets":[0,8]'), 8],
    ['a size as text', tensor('"dtype":"F32","shape":["2"],"data_offsets":[0,8]'), 8],
    ['a shape that is no list', tensor('"dtype":"F32","shape":2,"data_offsets":[0,8]'), 8],
    ['three offsets', tensor('"dtype":"F32","shape":[2],"data_offsets":[0,8,8]'), 8],
    ['reversed offsets', tensor('"dtype":"F32","shape":[2],"data_offsets":[8,0]'), 8],
    ['a zero dimension', tensor('"dtype":"F32","shape":[2,0],"data_offsets":[0,0]'), 0],
    ['no dimension', tensor('"dtype":"F32","shape":[],"data_offsets":[0,4]'), 4],
    ['five dimensions', tensor('"dtype":"F32","shape":[2,1,1,1,1],"data_offsets":[0,8]'), 8],
    [
      'an overflow',
      tensor('"dtype":"F32","shape":[16777216,16777216,16777216,16777216],"data_offsets":[0,8]'),
      8,
    ],
    ['a dimension too large', tensor('"dtype":"U8","shape":[16777217],"data_offsets":[0,16777217]'), 8],
    ['an unknown dtype', tensor('"dtype":"F128","shape":[2],"data_offsets":[0,32]'), 32],
    ['a dtype in small letters', tensor('"dtype":"f32","shape":[2],"data_offsets":[0,8]'), 8],
    ['an inherited dtype', tensor('"dtype":"toString","shape":[2],"data_offsets":[0,8]'), 8],
    ['half a byte', tensor('"dtype":"F4","shape":[3],"data_offsets":[0,2]'), 2],
    ['a field too many', tensor('"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":0'), 8],
    ['a field too few', tensor('"dtype":"F32","shape":[2]'), 8],
    ['a tensor that is null', '{"a":null}', 8],
    ['bytes that do not fill the shape', tensor('"dtype":"F32","shape":[2],"data_offsets":[0,4]'), 4],
    ['a gap at the start', tensor('"dtype":"F32","shape":[2],"data_offsets":[8,16]'), 16],
    ['a gap within', `{${A},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, 16],
    ['an overlap', `{${A},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8],
    ['bytes after the last tensor', `{${A}}`, 12],
    ['missing bytes', `{${A}}`, 4],
    [
      'a tensor off its alignment',
      '{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}',
      5,
    ],
  ])('%s', async (_, header, dataBytes) => {
    await expect(read(file(header, dataBytes))).rejects.toThrow(
      expect.objectContaining({
        name: 'HycoraError',
        code: 'format-invalid',
        message: expect.stringContaining('hostile.safetensors'),
      }),
    )
  })

  test.each([
    '__proto__',
    'constructor',
    'prototype',
    '',
    '../../x',
    'a..b',
    'a/b',
    'a b',
    'a\\u0000',
    '123',
    'é',
    'x'.repeat(129),
  ])('the name %j', async (name) => {
    const header = `{"${name}":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
    await expect(read(file(header, 8))).rejects.toThrow(expect.objectContaining({ code: 'format-invalid' }))
  })

  test('what is not a file', async () => {
    const invalid = expect.objectContaining({ code: 'format-invalid' })
    const good = file(`{${A}}`, 8)
    const withLength = (length: bigint) => {
      const bytes = good.slice()
      new DataView(bytes.buffer).setBigUint64(0, length, true)
      return bytes
    }
    await expect(read(new Uint8Array(0))).rejects.toThrow(invalid)
    await expect(read(good.subarray(0, 12))).rejects.toThrow(invalid)
    await expect(read(withLength(2n ** 64n - 1n))).rejects.toThrow(invalid)
    await expect(read(withLength(2n ** 53n))).rejects.toThrow(invalid)
    await expect(read(withLength(0n))).rejects.toThrow(invalid)
    await expect(read(withLength(BigInt(good.length)))).rejects.toThrow(invalid)
    await expect(read(withLength(55n))).rejects.toThrow(invalid)
    await expect(read(file(`{${A}}`, 8, { padding: '\0' }))).rejects.toThrow(invalid)
    await expect(read(file(Uint8Array.of(0x7b, 0xff, 0x7d), 0))).rejects.toThrow(invalid)
    const huge = { name: 'huge', sizeBytes: 2 ** 30, read: () => Promise.resolve(new Uint8Array(8)) }
    await expect(readSafetensorsHeader(huge)).rejects.toThrow(invalid)
  })
})

describe('the writer', () => {
  test('sorts by dtype and name and pads with spaces', async () => {
    const tensors = new Map([
      ['half', { dtype: 'F16' as const, shape: [3], bytes: new Uint8Array(6).fill(1) }],
      ['b', { dtype: 'F32' as const, shape: [1, 2], bytes: new Uint8Array(8).fill(2) }],
      ['a', { dtype: 'F32' as const, shape: [1], bytes: new Uint8Array(4).fill(3) }],
    ])
    const metadata = new Map([['note', 'two\nlines, "quoted", 你']])
    const bytes = writeSafetensors(tensors, metadata)
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + length))
    expect(length % 8).toBe(0)
    expect(header.trimEnd()).toBe(
      '{"__metadata__":{"note":"two\\nlines, \\"quoted\\", 你"},' +
        '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
        '"b":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]},' +
        '"half":{"dtype":"F16","shape":[3],"data_offsets":[12,18]}}',
    )
    const again = await read(bytes)
    expect([...again.metadata]).toEqual([...metadata])
    expect([...again.tensors.keys()]).toEqual(['a', 'b', 'half'])
    const { offset, sizeBytes } = again.tensors.get('half')!
    expect(bytes.subarray(offset, offset + sizeBytes)).toEqual(new Uint8Array(6).fill(1))
  })

  test('refuses bytes that do not fill the shape', () => {
    const tensors = new Map([['a', { dtype: 'F32' as const, shape: [2], bytes: new Uint8Array(4) }]])
    expect(() => writeSafetensors(tensors, new Map())).toThrow(
      expect.objectContaining({ code: 'shape-mismatch' }),
    )
  })
})

describe('with other programs’ files the reader takes', () => {
  test.each<[string, string, number, readonly number[]]>([
    ['a scalar', tensor('"dtype":"F32","shape":[],"data_offsets":[0,4]'), 4, []],
    ['an empty tensor', `{"b":{"dtype":"F32","shape":[0,2],"data_offsets":[0,0]},${A}}`, 8, [2]],
    [
      'elements that are not aligned',
      `{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`,
      5,
      [1],
    ],
    [
      'six dimensions',
      tensor('"dtype":"F32","shape":[1,1,1,1,1,1],"data_offsets":[0,4]'),
      4,
      [1, 1, 1, 1, 1, 1],
    ],
  ])('%s', async (_, header, dataBytes, shape) => {
    const bytes = file(header, dataBytes)
    await expect(read(bytes)).rejects.toThrow(expect.objectContaining({ code: 'format-invalid' }))
    const foreign = await readSafetensorsHeader(memorySource('x', bytes), { isForeign: true })
    expect(foreign.tensors.get('a')?.shape).toEqual(shape)
  })

  test('a header that is not padded', async () => {
    const text = new TextEncoder().encode(`{${A}}`)
    const bytes = new Uint8Array(8 + text.length + 8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
    bytes.set(text, 8)
    expect(text.length % 8).not.toBe(0)
    await expect(read(bytes)).rejects.toThrow(/multiple of 8/)
    const foreign = await readSafetensorsHeader(memorySource('x', bytes), { isForeign: true })
    expect(foreign.tensors.get('a')?.offset).toBe(8 + text.length)
  })
})
