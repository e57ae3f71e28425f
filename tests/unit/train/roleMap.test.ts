import type { RoleMap } from '../../../src/core/training.ts'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { mapRoles } from '../../../src/train/run/roleMap.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { expectedTensors } from '../../../src/formats/packConfig.ts'
import type { SafetensorsTensor } from '../../../src/formats/safetensors.ts'
import { tinyPack } from '../../support/tinyPack.ts'
import type { TinyPackOptions } from '../../support/tinyPack.ts'

type Edit = (name: string, values: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>

const ROLES = 12

/** What a generator adds for every role; drawn like the rest it would outweigh the roles. */
const isCommon = (name: string): boolean => name.endsWith('.bias') || name === 'layers_emb.weight'

/** The map of a tiny pack of twelve roles, wide enough for so many, its tensors edited. */
async function mapOf(options: TinyPackOptions, edit: Edit = (_, values) => values): Promise<RoleMap> {
  const { config: tiny, ...content } = tinyPack({ ...options, roles: ROLES, heads: false })
  const { hypernetwork } = tiny
  const config = {
    ...tiny,
    roleEmbedding: tiny.roleEmbedding && 24,
    hypernetwork: hypernetwork && { ...hypernetwork, hidden: 48, generatorRank: 24 },
  }
  const random = new Random(7)
  const tensors = new Map<string, SafetensorsTensor>()
  for (const [name, shape] of expectedTensors(config, ROLES, { hasHeads: false })) {
    const count = shape.reduce((product, size) => product * size, 1)
    const drawn = Float32Array.from({ length: count }, () => (isCommon(name) ? 0 : random.nextNormal()))
    tensors.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(edit(name, drawn).buffer) })
  }
  const bytes = await writePack({ ...content, config, tensors })
  return mapRoles(await readPack(memorySource('tiny', bytes)))
}

/** Gives one role what another has, a little off. */
const alike =
  (table: RegExp, one: number, other: number): Edit =>
  (name, values) => {
    if (!table.test(name)) return values
    const width = values.length / ROLES
    const random = new Random(5)
    const row = values.subarray(one * width, (one + 1) * width).map((x) => x + 0.01 * random.nextNormal())
    const changed = values.slice()
    changed.set(row, other * width)
    return changed
  }

const cosine = ({ cosines }: RoleMap, i: number, j: number) => cosines[i * ROLES + j]

describe('the two roles that can hardly be told apart', () => {
  test.each([
    { A: 'table', B: 'shared' },
    { A: 'hyper', B: 'shared' },
    { A: 'shared', B: 'table' },
    { A: 'shared', B: 'hyper' },
    { A: 'hyper+static', B: 'shared' },
    { A: 'table', B: 'table' },
  ] as const)('are named among twelve, with A $A and B $B', async (sources) => {
    expect(await mapOf(sources)).toMatchObject({ alike: null, isShared: false })
    const map = await mapOf(sources, alike(/_table$|roles_emb/, 3, 8))
    expect(map.alike).toEqual(['Role 3', 'Role 8'])
    expect(cosine(map, 3, 8)).toBeGreaterThan(0.98)
    expect(cosine(map, 0, 0)).toBeCloseTo(1)
    const [x = 0, y = 0] = map.points.subarray(6)
    expect(map.points[16]).toBeCloseTo(x, 1)
    expect(map.points[17]).toBeCloseTo(y, 1)
  })

  test('are none where A is alike and B is not', async () => {
    expect((await mapOf({ A: 'table', B: 'table' }, alike(/A_table$/, 3, 8))).alike).toBeNull()
  })

  test('are none for what all roles have in common', async () => {
    const map = await mapOf({ A: 'hyper+static' }, (name, values) =>
      name.endsWith('lora_A0') ? values.map((value) => 1000 * value) : values,
    )
    expect(map.alike).toBeNull()
  })

  test('are none as long as B, which begins at 0, is 0', async () => {
    const map = await mapOf({ A: 'shared', B: 'table' }, (name, values) =>
      name.endsWith('lora_B_table') ? values.fill(0) : values,
    )
    expect(map).toMatchObject({ alike: null, isShared: false })
    expect([cosine(map, 0, 0), cosine(map, 0, 1)]).toEqual([1, 0])
    expect([...map.points].every((value) => value === 0)).toBe(true)
  })

  test.each(['starter', 'smollm2-135m-instruct'])(
    'are none in the company of %s',
    async (name) => {
      const path = resolve(import.meta.dirname, `../../../public/packs/${name}.hycora.safetensors`)
      const map = mapRoles(await readPack(memorySource(name, new Uint8Array(readFileSync(path)))))
      expect(map).toMatchObject({ alike: null, isShared: false })
      expect(map.names).toHaveLength(12)
    },
    60_000,
  )
})

test('roles that share A and B are one, which is no warning', async () => {
  const map = await mapOf({ A: 'shared', B: 'shared' })
  expect(map).toMatchObject({ alike: null, isShared: true })
  expect([...map.cosines].every((value) => value === 1)).toBe(true)
})
