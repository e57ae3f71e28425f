import { createHash } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { Random } from '../../../src/core/random.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { addBlend, convertPack } from '../../../src/formats/packParts.ts'
import {
  isFullFuzz,
  millisecondsSince,
  MOST_MILLISECONDS,
  mutateBytes,
  mutateJson,
  rounds,
} from '../../support/fuzz.ts'
import { expectStrictPack } from '../../support/strictPack.ts'
import { tinyPack, type TinyPackOptions } from '../../support/tinyPack.ts'

const KINDS: readonly TinyPackOptions[] = [
  { A: 'hyper', B: 'shared' },
  { A: 'hyper+static', B: 'hyper', heads: false },
  { A: 'table', B: 'table', heads: false },
  { A: 'shared', B: 'shared' },
  { A: 'hyper', B: 'table', bare: true },
]
const PARTS = [{ role: 'Role 1', weight: -0.5 }]
const ROLE = { name: 'Blend', card: { name: 'x', tags: ['a'] }, system: 'You are a blend.' }

/** Sound packs of several kinds, with a blend and a card where there can be one. */
async function seeds(): Promise<readonly Uint8Array[]> {
  const packs = KINDS.map((kind) => tinyPack({ ...kind, layers: 1, roles: 2 }))
  const blended = packs.map((pack) =>
    pack.config.sources.B === 'shared' ? addBlend(pack, ROLE, PARTS) : pack,
  )
  return Promise.all([...blended, convertPack(blended[0]!, 'F16')].map(writePack))
}

interface Parts {
  readonly header: string
  readonly data: Uint8Array
}

function split(file: Uint8Array): Parts {
  const end = 8 + Number(Buffer.from(file.buffer, file.byteOffset).readBigUInt64LE(0))
  return { header: Buffer.from(file.subarray(8, end)).toString().trimEnd(), data: file.subarray(end) }
}

function joined({ header, data }: Parts): Uint8Array {
  const text = Buffer.from(header)
  const padding = (8 - (text.length % 8)) % 8
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length + padding))
  return Buffer.concat([length, text, Buffer.alloc(padding, ' '), data])
}

/** The SHA-256 of the data in its place again, so that what lies behind that check is reached. */
function signed({ header, data }: Parts): Parts {
  const sum = createHash('sha256').update(data).digest('hex')
  return { header: header.replace(/(\\?"sha256\\?":\\?")[0-9a-f]{64}/, `$1${sum}`), data }
}

/** One of the metadata texts changed as JSON of its own. */
function mutateMetadata(header: string, random: Random): string {
  const keys = ['config', 'roles', 'backbone', 'provenance'] as const
  const key = keys[random.nextBelow(keys.length)]!
  return header.replace(
    new RegExp(String.raw`("${key}":)("(?:[^"\\]|\\.)*")`),
    (_, name: string, text: string) => {
      return name + JSON.stringify(mutateJson(JSON.parse(text) as string, random))
    },
  )
}

/** A sound pack with something changed: its bytes, its header, its metadata, its values. */
function mutant(original: Uint8Array, random: Random): Uint8Array {
  const parts = split(original)
  switch (random.nextBelow(8)) {
    case 0:
      return mutateBytes(original, random, original.length - parts.data.length)
    case 1:
    case 2:
      return joined({ ...parts, header: mutateJson(parts.header, random) })
    case 3:
      return joined(signed({ ...parts, data: mutateBytes(parts.data, random) }))
    case 4: {
      const header = Buffer.from(mutateBytes(Buffer.from(parts.header), random)).toString('latin1')
      return joined(signed({ ...parts, header }))
    }
    default:
      return joined({ ...parts, header: mutateMetadata(parts.header, random) })
  }
}

function strictlyAccepts(bytes: Uint8Array): boolean {
  try {
    expectStrictPack(bytes)
    return true
  } catch {
    return false
  }
}

async function accepts(bytes: Uint8Array): Promise<boolean> {
  try {
    await readPack(memorySource('mutant', bytes))
    return true
  } catch (error) {
    if (error instanceof HycoraError) return false
    throw error
  }
}

describe('a second reader that shares no code', () => {
  test('takes every sound pack', async () => {
    for (const pack of await seeds()) expect(() => expectStrictPack(pack)).not.toThrow()
  })

  test(
    'judges mutated packs: nothing is accepted that it refuses, nothing ends but in one clear error',
    { timeout: isFullFuzz ? 7_200_000 : 120_000 },
    async () => {
      const random = new Random(2611)
      const originals = await seeds()
      const count = rounds(300_000, 0.01)
      const counts = { accepted: 0, refused: 0, onlyStrict: 0, slowest: 0 }
      const wrong: string[] = []
      for (let round = 0; round < count; round++) {
        const bytes = mutant(originals[round % originals.length]!, random)
        const start = process.cpuUsage()
        const isAccepted = await accepts(bytes)
        counts.slowest = Math.max(counts.slowest, millisecondsSince(start))
        const isStrict = strictlyAccepts(bytes)
        if (isAccepted && !isStrict) wrong.push(`round ${round}`)
        if (!isAccepted && isStrict) counts.onlyStrict++
        counts[isAccepted ? 'accepted' : 'refused']++
      }
      if (isFullFuzz) process.stderr.write(`packs: ${JSON.stringify(counts)}\n`)
      expect(wrong).toEqual([])
      expect(isFullFuzz && counts.slowest > MOST_MILLISECONDS).toBe(false)
      expect(counts.accepted).toBeGreaterThan(count / 100)
      expect(counts.refused).toBeGreaterThan(count / 2)
    },
  )
})
