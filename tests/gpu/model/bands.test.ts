import { expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import type { Decoder, WeightMatrix } from '../../../src/model/decoder/decoder.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { loadTable } from '../../../src/model/gpu/loadMatrix.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { expectClose } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { floatMatrix } from '../../support/floatMatrix.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { tinyRun } from '../../support/tinyRun.ts'

const VOCABULARY = 203
const HIDDEN = TINY_CONFIG.hidden_size
/** Bytes of a binding that holds 64 rows of a table, and no 128. */
const LIMIT = 100 * HIDDEN * 4
const IDS = [3, 139, 63, 64, 202, 128, 8]

function table(
  seed: number,
  layout: 'out-in' | 'in-out' = 'out-in',
  rounded = (value: number) => value,
): WeightMatrix {
  const random = new Random(seed)
  const values = Float32Array.from({ length: VOCABULARY * HIDDEN }, () => rounded(random.nextNormal() / 4))
  return floatMatrix(values, { out: VOCABULARY, in: HIDDEN }, layout)
}

/** A decoder with more tokens than one binding of `LIMIT` bytes has room for, its head tied or one of its own, stored by columns. */
async function decoder(head: 'tied' | 'own'): Promise<Decoder> {
  const tiny = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  const embedding = table(1)
  return {
    ...tiny,
    vocabulary: VOCABULARY,
    embedding,
    head: head === 'tied' ? embedding : table(2, 'in-out'),
  }
}

test.each([
  ['a card', CARD],
  ['a processor that plays one', EMULATED],
])('a vocabulary in bands reads, scores and says the same, as planned for %s', async (_, tuning) => {
  const gpu = await testGpu(tuning)
  const model = await decoder('own')
  const whole = await GpuBackbone.create(gpu, model)
  const banded = await GpuBackbone.create(gpu, model, { bandBytes: LIMIT })
  // Three bands more of the embedding, and of the head.
  expect(banded.dispatchesPerToken() - whole.dispatchesPerToken()).toBe(6)
  const said = async (backbone: GpuBackbone) => {
    const tokens: number[] = []
    const request = { ids: IDS, casting: null, sampling: GREEDY, maxTokens: 8, stopIds: [] }
    for await (const id of backbone.generate(request)) tokens.push(id)
    return tokens
  }
  const isReply = IDS.map((__, at) => at > 0)
  const logits = await whole.logits(IDS, null)
  expect(new Set(Array.from(logits.slice(-VOCABULARY)).map(Math.fround)).size).toBe(VOCABULARY)
  expect(await banded.logits(IDS, null)).toEqual(logits)
  expect(await banded.score(IDS, isReply, null)).toEqual(await whole.score(IDS, isReply, null))
  expect(await said(banded)).toEqual(await said(whole))
  for (const backbone of [whole, banded]) backbone.destroy()
})

test.each(['tied', 'own'] as const)(
  'training with a head in bands that is %s goes as with one',
  async (head) => {
    const model = await decoder(head)
    const gpu = await testGpu()
    const stepsOf = async (bandBytes?: number) => {
      const steps = []
      for await (const event of await tinyRun(gpu, model, bandBytes)) {
        if (event.kind === 'step') steps.push([event.crossEntropy, event.gradientNorm])
      }
      return steps
    }
    const whole = await stepsOf()
    const banded = await stepsOf(LIMIT)
    expect(whole).toHaveLength(8)
    // Sums over bands are taken in another order.
    for (const [at, [loss = 0, norm = 0]] of banded.entries()) {
      expect(loss).toBeCloseTo(whole[at]![0]!, 4)
      expect(norm / whole[at]![1]!).toBeCloseTo(1, 3)
    }
  },
)

test('all bands but the last have whole 64s of rows', async () => {
  const { device } = await testGpu()
  const load = async (mostBytes: number) => {
    const bands = await loadTable(device, table(3), 'table', () => undefined, mostBytes)
    return bands.map(({ out }) => out)
  }
  expect(await load(LIMIT)).toEqual([64, 64, 64, 11])
  expect(await load(4 * HIDDEN * VOCABULARY)).toEqual([VOCABULARY])
})

/** The upper half of a float32, as bfloat16 keeps it. */
function toBfloat(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)
  bits[0] = bits[0]! & 0xffff0000
  return new Float32Array(bits.buffer)[0]!
}

test('a table of float32 that holds bfloat16 takes half the room and gives the same numbers', async () => {
  const tiny = await decoder('tied')
  const gpu = await testGpu()
  const bytesAndLogits = async (embedding: WeightMatrix) => {
    const backbone = await GpuBackbone.create(gpu, { ...tiny, embedding, head: embedding })
    const found = { bytes: backbone.gpuBytes().weights, logits: await backbone.logits(IDS, null) }
    backbone.destroy()
    return found
  }
  const bfloats = table(4, 'out-in', toBfloat)
  const [halved, whole] = [await bytesAndLogits(bfloats), await bytesAndLogits(table(4))]
  expect(whole.bytes - halved.bytes).toBe(2 * VOCABULARY * HIDDEN)
  const { logits } = referenceForward(
    await loadReference({ ...tiny, embedding: bfloats, head: bfloats }),
    IDS,
  )
  expectClose(halved.logits, logits)
})

test('one number that is no bfloat16 keeps a table as it is', async () => {
  const { device } = await testGpu()
  let count = 0
  const last = VOCABULARY * HIDDEN
  const almost = table(5, 'out-in', (value) => (++count < last ? toBfloat(value) : 1 / 3))
  const [band] = await loadTable(device, almost, 'table', () => undefined, 2 ** 20)
  expect(band?.format).toBe('f32')
})
