import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { floatToHalf } from '../../../src/core/half.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack, type PackContent } from '../../../src/formats/pack.ts'
import type { SourceOfA, SourceOfB } from '../../../src/formats/packConfig.ts'
import {
  addBlend,
  addRole,
  changeRole,
  convertPack,
  extractRole,
  joinPacks,
  packStem,
  roleVector,
} from '../../../src/formats/packParts.ts'
import { openAdapterMatrices } from '../../../src/model/adapter/cpuAdapter.ts'
import { castRole } from '../../../src/model/adapter/roles.ts'
import { tinyPack } from '../../support/tinyPack.ts'

async function reread(content: PackContent) {
  return readPack(memorySource('test.hycora.safetensors', await writePack(content)))
}

const USAGE = expect.objectContaining({ code: 'usage' })
const UNSUPPORTED = expect.objectContaining({ code: 'format-unsupported' })

const GRID = (['shared', 'table', 'hyper', 'hyper+static'] satisfies SourceOfA[]).flatMap((A) =>
  (['shared', 'table', 'hyper'] satisfies SourceOfB[]).map((B) => ({ A, B })),
)

/** All matrices of a role on the CPU. */
async function matricesOf(content: PackContent, name: string): Promise<Float32Array[]> {
  const pack = await reread(content)
  const matrices = openAdapterMatrices(pack)
  const casting = castRole(pack, name, 1)
  return pack.config.projections.flatMap((projection) => [
    matrices.mixA(casting, 1, projection),
    matrices.b(casting, 1, projection),
  ])
}

const ROLE = { name: 'New', card: { name: 'New', extensions: { x: 1 } }, system: 'You are New.' }

describe('one role out of a pack', () => {
  test.each(GRID)('A $A, B $B: its matrices are the same to the bit', async (options) => {
    const pack = await reread(tinyPack(options))
    const one = await reread(extractRole(pack, 'Role 1'))
    expect(one.roles).toEqual([pack.roles[1]])
    expect(one.provenance['parents']).toEqual([pack.sha256])
    expect(await matricesOf(one, 'Role 1')).toEqual(await matricesOf(pack, 'Role 1'))
    expect(await packStem(one)).toBe(await packStem(pack))
  })

  test('a blend takes its parents along', async () => {
    const parts = [
      { role: 'Role 2', weight: 1.5 },
      { role: 'Role 0', weight: -0.5 },
    ]
    const pack = addBlend(tinyPack({ roles: 4 }), ROLE, parts)
    const one = await reread(extractRole(pack, 'New'))
    expect(one.roles.map(({ name }) => name)).toEqual(['Role 0', 'Role 2', 'New'])
    expect(one.roles[2]?.blend).toEqual(parts)
    expect(await matricesOf(one, 'New')).toEqual(await matricesOf(pack, 'New'))
  })

  test('a role that is not there', () => {
    expect(() => extractRole(tinyPack(), 'Nobody')).toThrow(USAGE)
  })
})

describe('joining', () => {
  test.each(GRID.filter(({ A }) => A !== 'shared'))('A $A, B $B: parts make the whole', async (options) => {
    const pack = await reread(tinyPack({ ...options, roles: 4 }))
    const [second, third] = [extractRole(pack, 'Role 1'), extractRole(pack, 'Role 2')]
    const joined = await reread(await joinPacks(second, third))
    expect(joined.roles).toEqual([pack.roles[1], pack.roles[2]])
    for (const name of ['Role 1', 'Role 2']) {
      expect(await matricesOf(joined, name)).toEqual(await matricesOf(pack, name))
    }
    const again = await joinPacks(joined, second)
    expect(again.roles).toEqual(joined.roles)
  })

  test('blends stay last; halves and floats meet as floats', async () => {
    const pack = tinyPack({ A: 'hyper' })
    const blended = addBlend(extractRole(pack, 'Role 0'), ROLE, [{ role: 'Role 0', weight: 2 }])
    const half = convertPack(extractRole(pack, 'Role 1'), 'F16').tensors.get('roles_emb.weight')!
    const other = extractRole(pack, 'Role 1')
    const tensors = new Map([...other.tensors, ['roles_emb.weight', half]])
    const joined = await reread(await joinPacks(blended, { ...other, tensors }))
    expect(joined.roles.map(({ name }) => name)).toEqual(['Role 0', 'Role 1', 'New'])
    expect(joined.tensors.get('roles_emb.weight')?.dtype).toBe('F32')
  })

  test('packs that were not trained together are refused', async () => {
    await expect(joinPacks(tinyPack({ seed: 1 }), tinyPack({ seed: 2 }))).rejects.toThrow(
      expect.objectContaining({ code: 'model-incompatible' }),
    )
  })

  test('two roles of one name are refused', async () => {
    const pack = tinyPack()
    const renamed = changeRole(extractRole(pack, 'Role 1'), 'Role 1', { name: 'Role 0' })
    await expect(joinPacks(pack, renamed)).rejects.toThrow(USAGE)
  })
})

describe('adding and changing', () => {
  test('a role by its vector, the vector kept exactly', async () => {
    const vector = Float32Array.from([0.1, -2, 3, 1e-8, 5])
    const added = await reread(
      addRole(addBlend(tinyPack(), { ...ROLE, name: 'Mix' }, [{ role: 'Role 1', weight: 1 }]), ROLE, vector),
    )
    expect(added.roles.map(({ name }) => name)).toEqual(['Role 0', 'Role 1', 'Role 2', 'New', 'Mix'])
    expect(roleVector(added, 'New')).toEqual(vector)
    expect(added.roles[3]).toEqual({ ...ROLE, blend: null })
  })

  test('a pack in halves stays in halves where the vector is', async () => {
    const pack = convertPack(tinyPack(), 'F16')
    const exact = addRole(pack, ROLE, Float32Array.of(1, 2, 3, 0.5, -1))
    expect(exact.tensors.get('roles_emb.weight')?.dtype).toBe('F16')
    const inexact = addRole(pack, ROLE, Float32Array.of(0.1, 2, 3, 0.5, 1e6))
    expect(inexact.tensors.get('roles_emb.weight')?.dtype).toBe('F32')
    expect(roleVector(inexact, 'New')[4]).toBe(1e6)
  })

  test('a blend of a blend is one of its parents', () => {
    const first = addBlend(tinyPack(), ROLE, [
      { role: 'Role 0', weight: 0.5 },
      { role: 'Role 1', weight: 0.5 },
    ])
    const second = addBlend(first, { ...ROLE, name: 'Second' }, [
      { role: 'New', weight: 2 },
      { role: 'Role 1', weight: -1 },
    ])
    expect(second.roles.at(-1)?.blend).toEqual([
      { role: 'Role 0', weight: 1 },
      { role: 'Role 1', weight: 0 },
    ])
  })

  test('a new name is followed by blends', () => {
    const pack = addBlend(tinyPack(), ROLE, [{ role: 'Role 1', weight: 1 }])
    const renamed = changeRole(pack, 'Role 1', { name: 'Ada', system: null })
    expect(renamed.roles[1]).toMatchObject({ name: 'Ada', system: null })
    expect(renamed.roles[3]?.blend).toEqual([{ role: 'Ada', weight: 1 }])
    expect(() => changeRole(pack, 'Role 1', { name: 'Role 2' })).toThrow(USAGE)
  })

  test('what a pack cannot do is said', () => {
    const parts = [{ role: 'Role 0', weight: 1 }]
    const both = [...parts, { role: 'Role 1', weight: 1 }]
    expect(() => addBlend(tinyPack({ B: 'hyper' }), ROLE, both)).toThrow(UNSUPPORTED)
    const many = tinyPack({ roles: 65 })
    const all = many.roles.map((role) => ({ role: role.name, weight: 1 }))
    expect(() => addBlend(many, ROLE, all)).toThrow(USAGE)
    expect(addBlend(many, ROLE, all.slice(1)).roles.at(-1)?.blend).toHaveLength(64)
    expect(() => addRole(tinyPack({ A: 'table' }), ROLE, new Float32Array(5))).toThrow(UNSUPPORTED)
    expect(() => addRole(tinyPack(), ROLE, new Float32Array(4))).toThrow(
      expect.objectContaining({ code: 'shape-mismatch' }),
    )
    expect(() => addRole(tinyPack(), { ...ROLE, name: 'Role 1' }, new Float32Array(5))).toThrow(USAGE)
    expect(() => roleVector(addBlend(tinyPack(), ROLE, parts), 'New')).toThrow(USAGE)
  })
})

describe('dtypes', () => {
  test('halves are the nearest, floats are exact', async () => {
    const pack = tinyPack()
    const half = await reread(convertPack(pack, 'F16'))
    const values = (await reread(pack)).tensor('layers_emb.weight')
    const bits = new Uint16Array(half.tensors.get('layers_emb.weight')!.bytes.slice().buffer)
    expect(bits).toEqual(Uint16Array.from(values, floatToHalf))
    const wide = await reread(convertPack(half, 'F32'))
    expect(wide.tensor('layers_emb.weight')).toEqual(half.tensor('layers_emb.weight'))
    expect(convertPack(half, 'F16').tensors).toEqual(half.tensors)
  })

  test('what halves cannot hold is refused', () => {
    const pack = tinyPack()
    const tensor = {
      dtype: 'F32',
      shape: [3, 5],
      bytes: new Uint8Array(Float32Array.from({ length: 15 }, () => 7e4).buffer),
    } as const
    expect(() =>
      convertPack({ ...pack, tensors: new Map([...pack.tensors, ['roles_emb.weight', tensor]]) }, 'F16'),
    ).toThrow(USAGE)
  })
})

test('1,000 packs of every kind come out of a file as they went in, to the byte', async () => {
  const options = fc.record({
    A: fc.constantFrom<SourceOfA>('shared', 'table', 'hyper', 'hyper+static'),
    B: fc.constantFrom<SourceOfB>('shared', 'table', 'hyper'),
    heads: fc.boolean(),
    bare: fc.boolean(),
    seed: fc.nat(),
    roles: fc.integer({ min: 1, max: 4 }),
    layers: fc.integer({ min: 1, max: 2 }),
  })
  const texts = fc.record({
    name: fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((name) => !/\p{Cc}|^Role \d$/u.test(name)),
    system: fc.option(fc.string({ unit: 'binary', maxLength: 40 })),
    card: fc.option(
      fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        fc.jsonValue({ maxDepth: 3 }),
      ),
    ),
    weights: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(options, texts, fc.boolean(), async (kind, { name, system, card, weights }, isHalf) => {
      // JSON knows no −0, so that a card as read never holds one.
      const role = { name, system, card: card && (JSON.parse(JSON.stringify(card)) as typeof card) }
      const pack = changeRole(tinyPack(kind), 'Role 0', role)
      const parts = weights.map((weight) => ({ role: name, weight: weight + 0 }))
      const whole =
        kind.B === 'shared' && parts.length > 0 ? addBlend(pack, { ...role, name: 'Role 9' }, parts) : pack
      const content = isHalf ? convertPack(whole, 'F16') : whole
      const bytes = await writePack(content)
      const back = await readPack(memorySource('random.hycora.safetensors', bytes))
      expect(back.roles).toEqual(content.roles)
      for (const [key, tensor] of content.tensors) {
        expect(Buffer.compare(back.tensors.get(key)!.bytes, tensor.bytes)).toBe(0)
      }
      expect(Buffer.compare(await writePack(back), bytes)).toBe(0)
    }),
    { numRuns: 1000, seed: 20_261_123 },
  )
}, 120_000)
