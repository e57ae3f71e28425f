import { describe, expect, test } from 'vitest'

import { createTensor, readTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { aOffset, adapterLayout, bOffset } from '../../../src/model/adapter/adapterLayout.ts'
import type { ProjectionDims } from '../../../src/model/adapter/adapterLayout.ts'
import { PROJECTIONS } from '../../../src/model/decoder/decoder.ts'
import { loadWeights } from '../../../src/model/gpu/gpuWeights.ts'
import type { Batch } from '../../../src/train/data/batches.ts'
import { DecoderTraining } from '../../../src/train/gradients/decoderTraining.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import type { ReferenceAdapters } from '../../reference/decoder.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { CHATGLM, GEMMA, tinyConfig, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'
import { normals } from '../../support/values.ts'

const RANK = 4
const SLOTS = 2
const SCALE = 0.5

/** Three rows of two roles, of different lengths. */
const batch: Batch = {
  rows: 3,
  tokens: 7,
  ids: Uint32Array.of(3, 9, 17, 30, 22, 8, 0, 5, 5, 1, 38, 2, 0, 0, 11, 25, 6, 14, 19, 7, 33),
  isReply: Uint8Array.of(0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1),
  anchors: [5, 4, 6],
  roles: [0, 1, 0],
}
const slots = [0, 1, 0]
const replies = batch.isReply.reduce((sum, flag) => sum + flag, 0)

function lossOf(
  reference: Awaited<ReturnType<typeof loadReference>>,
  adapters: (slot: number) => ReferenceAdapters,
): number {
  const { vocabulary } = reference
  let loss = 0
  for (let row = 0; row < batch.rows; row++) {
    const ids = Array.from(batch.ids.slice(row * batch.tokens, (row + 1) * batch.tokens))
    const { logits } = referenceForward(reference, ids, adapters(slots[row]!))
    for (let t = 1; t < batch.tokens; t++) {
      if (!batch.isReply[row * batch.tokens + t]) continue
      const line = logits.slice((t - 1) * vocabulary, t * vocabulary)
      const peak = Math.max(...line)
      const sum = line.reduce((total, value) => total + Math.exp(value - peak), 0)
      loss += (peak + Math.log(sum) - line[ids[t]!]!) / replies
    }
  }
  return loss
}

describe('gradients of A and B through the whole decoder', () => {
  const variants: readonly TinyOptions[] = [
    { bias: 'last' },
    { linear: 'blocks4', zeros: 'packed', embedding: 'tied' },
    { linear: 'blocks8', qkv: 'separate' },
    { headNorms: 'each', bias: 'last' },
    { headNorms: 'all' },
    { rotated: 'first' },
    { norms: 'behind', headNorms: 'all', bias: 'last' },
    { norms: 'both', multipliers: 'none' },
    { multipliers: 'all', headNorms: 'each' },
    { rotaryDim: 8, isInterleaved: true, headNorms: 'each' },
    { windowed: 'first', hasLocalTheta: true, headNorms: 'each' },
    GEMMA,
    CHATGLM,
  ]
  const runs = variants.flatMap((options) =>
    [true, false].map((isKept) => [JSON.stringify(options), isKept, options] as const),
  )
  test.each(runs)(
    '%s, activations kept: %s, against central differences in f64',
    async (_, isKept, options) => {
      const gpu = await testGpu()
      const { device } = gpu
      const decoder = await recogniseBytes(writeOnnx(tinyDecoder(options)), tinyConfig(options))
      const reference = await loadReference(decoder)
      const { linears } = decoder.blocks[0]!
      const dims = Object.fromEntries(
        PROJECTIONS.map((name) => [name, [linears[name].weight.in, linears[name].weight.out]]),
      ) as unknown as ProjectionDims
      const layout = adapterLayout(RANK, decoder.layers, dims)
      const a = normals(11, SLOTS * layout.aSize, 0.2)
      const b = normals(12, layout.bSize, 0.2)
      const adapter = {
        layout,
        slots: SLOTS,
        binding: {
          paddedRank: RANK,
          a: uploadTensor(device, [SLOTS, layout.aSize], a, 'A'),
          aSlotStride: layout.aSize,
          b: uploadTensor(device, [1, layout.bSize], b, 'B'),
          bSlotStride: 0,
        },
        da: createTensor(device, [SLOTS, layout.aSize], 'dA'),
        db: createTensor(device, [1, layout.bSize], 'dB'),
      }
      const weights = await loadWeights(device, decoder, () => undefined)
      const training = await DecoderTraining.create(gpu, decoder, weights, adapter, {
        limits: { rows: 4, tokens: 8 },
        isDropping: false,
        ...(!isKept && { keptBytes: 0 }),
      })
      training.forward(batch, {
        slots,
        scale: SCALE,
        tokenWeight: 1 / replies,
        dropout: { seed: 0, probability: 0 },
      })
      const loss = await training.readLoss()
      training.backward()
      const [da, db] = await Promise.all([readTensor(device, adapter.da), readTensor(device, adapter.db)])

      const [a64, b64] = [Float64Array.from(a), Float64Array.from(b)]
      const adapters =
        (slot: number): ReferenceAdapters =>
        (layer, projection) => {
          const [inFeatures, outFeatures] = dims[projection]
          const firstA = slot * layout.aSize + aOffset(layout, projection, layer)
          const firstB = bOffset(layout, projection, layer)
          return {
            a: a64.subarray(firstA, firstA + inFeatures * RANK),
            b: b64.subarray(firstB, firstB + RANK * outFeatures),
            scale: SCALE,
          }
        }
      expect(Math.abs(loss - lossOf(reference, adapters))).toBeLessThan(1e-5)

      const differences: number[] = []
      const gradients: number[] = []
      const probe = (values: Float64Array, index: number, gradient: number): void => {
        const kept = values[index]!
        values[index] = kept + 1e-5
        const above = lossOf(reference, adapters)
        values[index] = kept - 1e-5
        const below = lossOf(reference, adapters)
        values[index] = kept
        differences.push((above - below) / 2e-5)
        gradients.push(gradient)
      }
      for (const layer of [0, 1]) {
        for (const projection of PROJECTIONS) {
          for (const slot of [0, 1]) {
            const at = slot * layout.aSize + aOffset(layout, projection, layer) + 5 + slot
            probe(a64, at, da[at]!)
          }
          const at = bOffset(layout, projection, layer) + 9
          probe(b64, at, db[at]!)
        }
      }
      const norm = Math.hypot(...differences)
      const error = Math.hypot(...differences.map((value, index) => value - gradients[index]!))
      expect(norm).toBeGreaterThan(1e-3)
      expect(error / norm).toBeLessThan(1e-4)
      training.destroy()
    },
  )
})
