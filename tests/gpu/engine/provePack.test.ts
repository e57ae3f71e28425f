import type { PackRef } from '../../../src/formats/packFacts.ts'
import { resolve } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { openPackShelf } from '../../../src/play/packShelf.ts'
import type { PackShelf } from '../../../src/play/packShelf.ts'
import { provePack } from '../../../src/engine/provePack.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { Pack, PackContent } from '../../../src/formats/pack.ts'
import type { SafetensorsTensor } from '../../../src/formats/safetensors.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { ChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { castBlend, castRole } from '../../../src/model/adapter/roles.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import type { ReferenceAdapters } from '../../reference/decoder.ts'
import { expectClose, expectSameBits } from '../../support/compare.ts'
import { referenceAdapters } from '../../support/decoderPack.ts'
import { testGpu } from '../../support/device.ts'

const root = resolve(import.meta.dirname, '../../../public')
const IDS = [1, 388, 266, 201, 42, 77, 1023]

let model: ChatModel
let first: Pack
let backbone: GpuBackbone
let shelf: PackShelf

beforeAll(async () => {
  model = await openChatModel(folder(resolve(root, 'models/starter')), { model: 'onnx/model_fp16.onnx' })
  first = await readPack(await fileSource(resolve(root, 'packs/starter.hycora.safetensors')))
  backbone = await GpuBackbone.create(await testGpu(), model.decoder)
  await backbone.attach(first)
  shelf = openPackShelf({ backbone, model, name: 'Starter', pack: first })
})

let made = 0

/** The first pack, changed, as a file. */
const changed = async (change: (content: PackContent) => Partial<PackContent>): Promise<PackRef> => {
  const { metadata: _, ...content } = first
  const file = new Blob([await writePack({ ...content, ...change(content) })])
  return { id: `pack-${++made}`, name: 'visitor.hycora.safetensors', file }
}

/** Tensors whose names match, filled with one value. */
const filled = (
  content: PackContent,
  pattern: RegExp,
  value: number,
): ReadonlyMap<string, SafetensorsTensor> =>
  new Map(
    [...content.tensors].map(([name, tensor]) => {
      if (!pattern.test(name)) return [name, tensor] as const
      const count = tensor.shape.reduce((product, size) => product * size, 1)
      const bytes = new Uint8Array(new Float32Array(count).fill(value).buffer)
      return [name, { dtype: 'F32' as const, shape: tensor.shape, bytes }] as const
    }),
  )

const prove = async (pack: PackRef, roles: readonly string[], signal = new AbortController().signal) => {
  const proof = provePack({ backbone, model, shelf }, { pack, roles }, signal)
  const yields: unknown[] = []
  for (;;) {
    const { done, value } = await proof.next()
    if (done) return { ...value, yields }
    yields.push(value)
  }
}

const shares = () => [
  { role: first.roles[1]!.name, weight: 1.6 },
  { role: first.roles[4]!.name, weight: -0.7 },
  { role: first.roles[0]!.name, weight: 0.35 },
]

describe('the proof of a pack', () => {
  test('finds each role alive, and says how far it has come', async () => {
    const pack = await changed(() => ({ provenance: { note: 'another file' } }))
    const names = first.roles.slice(0, 3).map(({ name }) => name)
    const { changes, warnings, yields } = await prove(pack, names)
    expect(changes.map(({ role }) => role)).toEqual(names)
    for (const { change } of changes) expect(change).toBeGreaterThan(0.01)
    expect(warnings).toEqual([])
    expect(yields.at(-1)).toEqual({ done: 3, total: 3 })
  })

  test('refuses an adapter that does nothing', async () => {
    const pack = await changed((content) => ({ tensors: filled(content, /lora_B$/, 0) }))
    await expect(prove(pack, [first.roles[0]!.name])).rejects.toMatchObject({
      code: 'model-incompatible',
      message: expect.stringContaining('changes nothing'),
    })
  })

  test('refuses one that makes the model compute what is not a number', async () => {
    const pack = await changed((content) => ({ tensors: filled(content, /lora_B$/, 3e38) }))
    await expect(prove(pack, [first.roles[0]!.name])).rejects.toMatchObject({ code: 'format-invalid' })
  })

  test('refuses another backbone’s by both names, and leaves what plays as it was', async () => {
    const casting = castRole(first, first.roles[1]!.name, 1)
    await shelf.attach(undefined)
    const before = await backbone.logits(IDS, casting)
    const stranger = { name: 'SmolLM2', architecture: 'llama', fingerprint: 'ab'.repeat(32) }
    const pack = await changed(() => ({ backbone: stranger }))
    await expect(prove(pack, [first.roles[0]!.name])).rejects.toMatchObject({
      code: 'model-incompatible',
      message: expect.stringMatching(/SmolLM2.*Starter/),
    })
    expectSameBits(await backbone.logits(IDS, casting), before)
  })

  test('warns of a pack without a fingerprint', async () => {
    const pack = await changed(({ backbone: own }) => ({ backbone: { ...own, fingerprint: '' } }))
    const { warnings } = await prove(pack, [first.roles[0]!.name])
    expect(warnings).toHaveLength(1)
  })

  test('stops when it is told to', async () => {
    const pack = await changed(() => ({ provenance: { note: 'stopped' } }))
    const stopped = AbortSignal.abort()
    await expect(prove(pack, [first.roles[0]!.name], stopped)).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('lets roles of several packs play in turn', async () => {
    const name = first.roles[2]!.name
    const renamed = await changed((content) => ({
      roles: content.roles.map((role, index) => (index === 2 ? { ...role, name: 'Somebody else' } : role)),
    }))
    const expected = await backbone.logits(IDS, castRole((await shelf.attach(undefined))!, name, 1))
    const other = await shelf.attach(renamed)
    expectSameBits(await backbone.logits(IDS, castRole(other!, 'Somebody else', 1)), expected)
    const again = await shelf.attach(undefined)
    expectSameBits(await backbone.logits(IDS, castRole(again!, name, 1)), expected)
  })
})

describe('a blend', () => {
  test('has the logits of the mixed ΔW', async () => {
    await shelf.attach(undefined)
    const casting = castBlend(first, shares(), 1)
    const mixed = referenceAdapters(first, casting)
    // W + Σ_i w_i·ΔW_i, summed as whole matrices, not as a mix of A.
    const parts = casting.parts.map((part) => ({
      weight: part.weight,
      adapters: referenceAdapters(first, { parts: [{ ...part, weight: 1 }], strength: 1 }),
    }))
    const reference = await loadReference(model.decoder)
    const { logits } = referenceForward(reference, IDS, (layer, projection) => {
      const size = mixed(layer, projection)
      if (!size) return undefined
      const matrices = parts.map(({ weight, adapters }) => ({ weight, ...adapters(layer, projection)! }))
      return wholeMatrix(matrices, first.config.rank)
    })
    expectClose(await backbone.logits(IDS, casting), logits, 1e-10)
  })

  test('that is saved plays like the one that is mixed', async () => {
    const saved = await changed(({ roles }) => ({
      roles: [...roles, { name: 'Both', card: null, system: null, blend: shares() }],
    }))
    const pack = await shelf.attach(saved)
    const played = await backbone.logits(IDS, castRole(pack!, 'Both', 1))
    expectSameBits(await backbone.logits(IDS, castBlend(pack!, shares(), 1)), played)
  })

  test('of a blend is refused', async () => {
    const saved = await changed(({ roles }) => ({
      roles: [...roles, { name: 'Both', card: null, system: null, blend: shares() }],
    }))
    const pack = await shelf.attach(saved)
    expect(() => castBlend(pack!, [{ role: 'Both', weight: 1 }], 1)).toThrow(/is a blend itself/)
  })
})

type Adapter = NonNullable<ReturnType<ReferenceAdapters>>

/** Σ_i w_i·scale_i·A_i·B_i as an adapter of full rank: A the sum [in, out], B the unit matrix [out, out]. */
function wholeMatrix(parts: readonly (Adapter & { weight: number })[], rank: number): Adapter {
  const rows = parts[0]!.a.length / rank
  const columns = parts[0]!.b.length / rank
  const a = new Float64Array(rows * columns)
  for (const part of parts) {
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < rank; k++) {
        const factor = part.weight * part.scale * part.a[row * rank + k]!
        for (let column = 0; column < columns; column++) {
          a[row * columns + column]! += factor * part.b[k * columns + column]!
        }
      }
    }
  }
  const b = new Float64Array(columns * columns)
  for (let column = 0; column < columns; column++) b[column * columns + column] = 1
  return { a, b, scale: 1 }
}
