import { expect, test } from 'vitest'

import type { Casting } from '../../../src/model/decoder/backbone.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { castBlend } from '../../../src/model/adapter/roles.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { expectClose } from '../../support/compare.ts'
import { decoderPack, referenceAdapters } from '../../support/decoderPack.ts'
import type { DecoderPackOptions } from '../../support/decoderPack.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8]
const played = (role: number, weight: number, strength: number): Casting => ({
  parts: [{ role, weight }],
  strength,
})

test.each<DecoderPackOptions>([
  { A: 'hyper+static' },
  { A: 'table', B: 'table' },
  { B: 'hyper' },
  { A: 'shared', B: 'table' },
])('a role of a pack with %o at any weight and strength', async (options) => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder({ bias: 'last' })), TINY_CONFIG)
  const pack = await decoderPack(decoder, options)
  const backbone = await GpuBackbone.create(await testGpu(), decoder)
  await backbone.attach(pack)
  const reference = await loadReference(decoder)
  for (const casting of [played(1, 1, 1), played(1, 0.4, 1), played(2, -1.5, 0.5), played(0, 1, 1)]) {
    const { logits } = referenceForward(reference, IDS, referenceAdapters(pack, casting))
    expectClose(await backbone.logits(IDS, casting), logits, 1e-8)
  }
  backbone.destroy()
})

test('roles with their own B are not blended, by whatever way it is asked', async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  const pack = await decoderPack(decoder, { B: 'hyper' })
  const backbone = await GpuBackbone.create(await testGpu(), decoder)
  await backbone.attach(pack)
  const parts = [
    { role: 0, weight: 0.5 },
    { role: 1, weight: 0.5 },
  ]
  const refusal = { code: 'format-unsupported', message: expect.stringContaining('their own B') }
  await expect(backbone.logits(IDS, { parts, strength: 1 })).rejects.toMatchObject(refusal)
  const shares = parts.map(({ role, weight }) => ({ role: pack.roles[role]!.name, weight }))
  expect(() => castBlend(pack, shares, 1)).toThrow(expect.objectContaining(refusal))
  expect(castBlend(pack, shares.slice(1), 1).parts).toEqual(parts.slice(1))
  backbone.destroy()
})

test('a blend of more roles than a blend may have is refused before it is played', async () => {
  const pack = await decoderPack(await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG))
  const { name } = pack.roles[0]!
  const shares = Array.from({ length: 65 }, () => ({ role: name, weight: 1 }))
  expect(castBlend(pack, shares.slice(1), 1).parts).toHaveLength(64)
  expect(() => castBlend(pack, shares, 1)).toThrow('65 roles cannot be blended, expected 1 to 64')
  expect(() => castBlend(pack, [], 1)).toThrow(expect.objectContaining({ code: 'usage' }))
})
