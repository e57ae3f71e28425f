import { readFile } from 'node:fs/promises'

import { describe, expect, test } from 'vitest'

import { floatToHalf } from '../../../src/core/half.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack, type PackContent } from '../../../src/formats/pack.ts'
import type { SourceOfA, SourceOfB } from '../../../src/formats/packConfig.ts'
import { writeSafetensors, type SafetensorsTensor } from '../../../src/formats/safetensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const INVALID = expect.objectContaining({ name: 'HycoraError', code: 'format-invalid' })

function read(bytes: Uint8Array) {
  return readPack(memorySource('test.hycora.safetensors', bytes))
}

/** The bytes of a pack whose metadata or tensors are changed after all was written; the SHA-256 stays true. */
async function altered(
  change: (metadata: Map<string, string>, tensors: Map<string, SafetensorsTensor>) => void,
  content: PackContent = tinyPack(),
): Promise<Uint8Array> {
  const { metadata } = await read(await writePack(content))
  const [texts, tensors] = [new Map(metadata), new Map(content.tensors)]
  change(texts, tensors)
  if (texts.get('sha256') === metadata.get('sha256')) {
    const unsigned = writeSafetensors(tensors, texts)
    const data = unsigned.subarray(8 + Number(new DataView(unsigned.buffer).getBigUint64(0, true)))
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data))
    texts.set('sha256', Buffer.from(digest).toString('hex'))
  }
  return writeSafetensors(tensors, texts)
}

/** Changes one metadata value as JSON. */
function edit(key: string, change: (value: Record<string, unknown>) => unknown) {
  return (metadata: Map<string, string>): void => {
    const value = JSON.parse(metadata.get(key)!) as Record<string, unknown>
    metadata.set(key, JSON.stringify(change(value) ?? value))
  }
}

/** Replaces the roles. */
function roles(...entries: readonly unknown[]) {
  return edit('roles', () => entries)
}

/** Changes the configuration. */
function config(change: (value: Record<string, unknown>) => unknown) {
  return edit('config', change)
}

function without(key: string) {
  return (metadata: Map<string, string>) => void metadata.delete(key)
}

function set(key: string, text: string) {
  return (metadata: Map<string, string>) => void metadata.set(key, text)
}

async function sharedBytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(sharedPath(path)))
}

describe.skipIf(!hasShared)('packs of the reference', () => {
  test.each([
    ['backbone/starter.hycora.safetensors', 6, 'qwen2', 94],
    ['golden/backbone/train-start.hycora.safetensors', 3, 'qwen2', 88],
    ['backbone/smollm2-test.hycora.safetensors', 8, 'llama', 262],
  ] as const)('%s is read and written to the byte', async (path, count, architecture, tensors) => {
    const bytes = await sharedBytes(path)
    const pack = await read(bytes)
    expect(pack.roles.length).toBe(count)
    expect(pack.rows).toBe(count)
    expect(pack.hasHeads).toBe(true)
    expect(pack.backbone.architecture).toBe(architecture)
    expect(pack.tensors.size).toBe(tensors)
    expect(pack.largestMagnitude).toBeGreaterThan(0)
    expect(Buffer.compare(await writePack(pack), bytes)).toBe(0)
  })

  test('a role has its system line, or none', async () => {
    const starter = await read(await sharedBytes('backbone/starter.hycora.safetensors'))
    expect(starter.roles[0]).toEqual({ name: 'Sherlock Holmes', card: null, system: null, blend: null })
    const smollm2 = await read(await sharedBytes('backbone/smollm2-test.hycora.safetensors'))
    expect(smollm2.roles[1]?.system).toBe('You are Shrek. Stay in character.')
    expect(smollm2.config.dims.get('down')).toEqual([1536, 576])
    expect(smollm2.tensors.get('roles_emb.weight')?.dtype).toBe('F16')
    expect(smollm2.tensor('roles_emb.weight').length).toBe(8 * 32)
  })
})

describe('every pair of sources', () => {
  const grid = (['shared', 'table', 'hyper', 'hyper+static'] satisfies SourceOfA[]).flatMap((A) =>
    (['shared', 'table', 'hyper'] satisfies SourceOfB[]).flatMap((B) =>
      [true, false].map((heads) => ({ A, B, heads })),
    ),
  )
  test.each(grid)('A $A, B $B, heads $heads is read and written to the byte', async (options) => {
    const bytes = await writePack(tinyPack(options))
    const pack = await read(bytes)
    expect(pack.config.sources).toEqual({ A: options.A, B: options.B })
    expect(pack.hasHeads).toBe(options.heads)
    expect(Buffer.compare(await writePack(pack), bytes)).toBe(0)
  })

  test('an encoder without outer norms', async () => {
    const pack = await read(await writePack(tinyPack({ bare: true })))
    expect(pack.tensors.has('hypernet_encoder.norm_input.weight')).toBe(false)
  })
})

describe('values', () => {
  test('halves are widened, and stay halves', async () => {
    const content = tinyPack()
    const tensors = new Map(content.tensors)
    const halves = Uint16Array.from({ length: 15 }, (_, index) => floatToHalf(index / 8 - 1))
    tensors.set('roles_emb.weight', { dtype: 'F16', shape: [3, 5], bytes: new Uint8Array(halves.buffer) })
    const pack = await read(await writePack({ ...content, tensors }))
    expect([...pack.tensor('roles_emb.weight')]).toEqual(
      Array.from({ length: 15 }, (_, index) => index / 8 - 1),
    )
    expect(pack.tensors.get('roles_emb.weight')?.dtype).toBe('F16')
    expect(() => pack.tensor('nothing')).toThrow(INVALID)
  })

  test('a file at an odd place in memory is read all the same', async () => {
    const bytes = await writePack(tinyPack())
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    const pack = await read(shifted.subarray(1))
    expect(pack.tensor('layers_emb.weight')).toEqual((await read(bytes)).tensor('layers_emb.weight'))
  })

  test.each([
    ['NaN', 0x7fc00000],
    ['a signalling NaN', 0x7f800001],
    ['+∞', 0x7f800000],
    ['−∞', 0xff800000],
  ])('%s is refused', async (_, bits) => {
    const bytes = await altered((_texts, tensors) => {
      const values = new Uint32Array(15)
      values[7] = bits
      tensors.set('roles_emb.weight', { dtype: 'F32', shape: [3, 5], bytes: new Uint8Array(values.buffer) })
    })
    await expect(read(bytes)).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining('not finite') }),
    )
  })

  test.each([0x7c00, 0xfc00, 0x7e01])('the half %i is refused', async (bits) => {
    const bytes = await altered((_, tensors) => {
      const values = new Uint16Array(15).fill(bits)
      tensors.set('roles_emb.weight', { dtype: 'F16', shape: [3, 5], bytes: new Uint8Array(values.buffer) })
    })
    await expect(read(bytes)).rejects.toThrow(INVALID)
  })

  test('data that differ from their SHA-256 are refused', async () => {
    const bytes = await writePack(tinyPack())
    bytes[bytes.length - 1]! ^= 1
    await expect(read(bytes)).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining('SHA-256') }),
    )
  })
})

describe('roles', () => {
  const three = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]

  test('keep cards, lines and blends', async () => {
    const card = { name: 'a', extensions: { own: [1, { deep: null }] } }
    const blend = [
      { role: 'a', weight: 1.5 },
      { role: 'c', weight: -0.25 },
    ]
    const bytes = await altered(
      roles({ name: 'a', card, system: '' }, { name: 'b' }, { name: 'c' }, { name: 'mix', blend }),
    )
    const pack = await read(bytes)
    expect(pack.rows).toBe(3)
    expect(pack.roles[0]).toEqual({ name: 'a', card, system: '', blend: null })
    expect(pack.roles[3]).toEqual({ name: 'mix', card: null, system: null, blend })
    expect(Buffer.compare(await writePack(pack), bytes)).toBe(0)
  })

  test.each<[string, unknown[]]>([
    ['none', []],
    ['too few', [{ name: 'a' }]],
    ['too many', [...three, { name: 'd' }]],
    ['a text', ['a', 'b', 'c']],
    ['no name', [{}, { name: 'b' }, { name: 'c' }]],
    ['an empty name', [{ name: '' }, { name: 'b' }, { name: 'c' }]],
    ['a control character', [{ name: 'a\u0007' }, { name: 'b' }, { name: 'c' }]],
    ['a name twice', [{ name: 'a' }, { name: 'a' }, { name: 'c' }]],
    ['an unknown key', [{ name: 'a', voice: 'deep' }, { name: 'b' }, { name: 'c' }]],
    ['a card that is text', [{ name: 'a', card: 'x' }, { name: 'b' }, { name: 'c' }]],
    ['a line that is no text', [{ name: 'a', system: null }, { name: 'b' }, { name: 'c' }]],
    [
      'a blend before a role',
      [{ name: 'a', blend: [{ role: 'b', weight: 1 }] }, ...three.slice(1), { name: 'd' }],
    ],
    ['a blend of a stranger', [...three, { name: 'mix', blend: [{ role: 'd', weight: 1 }] }]],
    ['a blend of itself', [...three, { name: 'mix', blend: [{ role: 'mix', weight: 1 }] }]],
    ['an empty blend', [...three, { name: 'mix', blend: [] }]],
    ['a weight that is text', [...three, { name: 'mix', blend: [{ role: 'a', weight: '1' }] }]],
    ['a part with more', [...three, { name: 'mix', blend: [{ role: 'a', weight: 1, x: 0 }] }]],
  ])('%s is refused', async (_, entries) => {
    await expect(read(await altered(roles(...entries)))).rejects.toThrow(INVALID)
  })

  test('a weight beyond all numbers is refused', async () => {
    const bytes = await altered((metadata) => {
      metadata.set(
        'roles',
        '[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"m","blend":[{"role":"a","weight":1e999}]}]',
      )
    })
    await expect(read(bytes)).rejects.toThrow(INVALID)
  })
})

describe('metadata', () => {
  test.each<[string, (metadata: Map<string, string>) => void]>([
    ...['format', 'format_version', 'config', 'backbone', 'roles', 'provenance', 'sha256'].map(
      (key): [string, (metadata: Map<string, string>) => void] => [`no ${key}`, without(key)],
    ),
    ['another format', set('format', 'hycora')],
    ['an unknown key', set('note', 'x')],
    ['a version that is no number', set('format_version', '1.0')],
    ['a long value', set('provenance', `{"note":"${'x'.repeat(2 ** 16)}"}`)],
    ['provenance that is a list', set('provenance', '[]')],
    ['broken JSON', set('config', '{')],
    ['a key twice', set('backbone', '{"name":"a","name":"b","architecture":"llama","fingerprint":""}')],
    ['another SHA-256', set('sha256', '0'.repeat(64))],
    ['a short SHA-256', set('sha256', '00')],
    ['a fingerprint in capitals', edit('backbone', (value) => ({ ...value, fingerprint: 'A'.repeat(64) }))],
    ['a backbone with more', edit('backbone', (value) => ({ ...value, url: 'x' }))],
    ['a config that is a list', config(() => [])],
    ['an unknown config key', config((value) => ({ ...value, dropout: 0 }))],
    ['no alpha', config((value) => void delete value['alpha'])],
    ['no role_embedding', config((value) => void delete value['role_embedding'])],
    ['a negative alpha', config((value) => ({ ...value, alpha: -1 }))],
    ['a rank of 0', config((value) => ({ ...value, rank: 0 }))],
    ['a rank of 257', config((value) => ({ ...value, rank: 257 }))],
    ['another rank', config((value) => ({ ...value, rank: 3 }))],
    ['half a layer', config((value) => ({ ...value, layers: 1.5 }))],
    ['more layers', config((value) => ({ ...value, layers: 3 }))],
    ['a flag that is a number', config((value) => ({ ...value, layernorm_input: 1 }))],
    ['another flag', config((value) => ({ ...value, layernorm_input: false }))],
    ['an unknown source', config((value) => ({ ...value, sources: { A: 'static', B: 'shared' } }))],
    ['a static A', config((value) => ({ ...value, sources: { A: 'hyper+static', B: 'shared' } }))],
    ['sources without B', config((value) => ({ ...value, sources: { A: 'hyper' } }))],
    ['an unknown projection', config((value) => ({ ...value, projections: ['q', 'head'] }))],
    ['a projection twice', config((value) => ({ ...value, projections: ['q', 'q'] }))],
    ['fewer projections', config((value) => ({ ...value, projections: ['q'] }))],
    [
      'dims of three',
      config((value) => ({ ...value, dims: { ...(value['dims'] as object), q: [8, 8, 8] } })),
    ],
    [
      'dims that do not fit',
      config((value) => ({ ...value, dims: { ...(value['dims'] as object), q: [9, 8] } })),
    ],
  ])('%s is refused', async (_, change) => {
    await expect(read(await altered(change))).rejects.toThrow(INVALID)
  })

  test('a later version is unsupported', async () => {
    await expect(read(await altered(set('format_version', '2')))).rejects.toThrow(
      expect.objectContaining({ code: 'format-unsupported' }),
    )
  })
})

describe('tensors', () => {
  const one: SafetensorsTensor = { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }
  test.each<[string, (tensors: Map<string, SafetensorsTensor>) => void]>([
    ['one too many', (tensors) => void tensors.set('payload', one)],
    ['one too few', (tensors) => void tensors.delete('layers.1.q.lora_B')],
    ['one head', (tensors) => void tensors.delete('role_emb_to_role_emb_layer.bias')],
    ['a head alone', (tensors) => void tensors.delete('hidden_to_role_emb_layer.weight')],
    ['another shape', (tensors) => void tensors.set('q_down_linear.down.bias', { ...one, shape: [1, 1] })],
    [
      'another dtype',
      (tensors) =>
        void tensors.set('q_down_linear.down.bias', { dtype: 'I32', shape: [4], bytes: new Uint8Array(16) }),
    ],
  ])('%s is refused', async (_, change) => {
    await expect(read(await altered((_texts, tensors) => change(tensors)))).rejects.toThrow(INVALID)
  })

  test('what cannot be read is not written', async () => {
    const content = tinyPack()
    await expect(writePack({ ...content, tensors: new Map([['payload', one]]) })).rejects.toThrow(INVALID)
  })
})
