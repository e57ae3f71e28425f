import { test } from 'vitest'

import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { expectClose } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8]

const decoder = (options: TinyOptions): Promise<Decoder> =>
  recogniseBytes(writeOnnx(tinyDecoder({ qkv: 'separate', ...options })), TINY_CONFIG)

/** A decoder whose value and up projections are stored in other ways than those beside them. */
async function mixed(value: TinyOptions, up: TinyOptions): Promise<Decoder> {
  const [base, others, more] = [await decoder({ linear: 'blocks4' }), await decoder(value), await decoder(up)]
  const blocks = base.blocks.map((block, layer) => ({
    ...block,
    linears: {
      ...block.linears,
      v: others.blocks[layer]!.linears.v,
      up: more.blocks[layer]!.linears.up,
    },
  }))
  return { ...base, blocks }
}

test.each([
  ['4 and 8 bits', { linear: 'blocks8' }, { linear: 'blocks8', zeros: 'packed' }],
  ['blocks and floats', { linear: 'matMul' }, { linear: 'gemm' }],
  ['float zero points', { linear: 'blocks4', zeros: 'floats' }, { linear: 'blocks8', zeros: 'floats' }],
] as const)('weights of %s beside each other give what each of them says', async (_, value, up) => {
  const model = await mixed(value, up)
  const backbone = await GpuBackbone.create(await testGpu(), model)
  const { logits } = referenceForward(await loadReference(model), IDS)
  expectClose(await backbone.logits(IDS, null), logits)
  backbone.destroy()
})

test.each([
  { linear: 'dequantised', codes: 'int4', scales: 'blocks', zeros: 'packed', embedding: 'gatheredCodes' },
  { linear: 'normalLevels', blockSize: 64, embedding: 'int4' },
  { linear: 'rounded', codes: 'int8', embedding: 'dequantised' },
] as const)('weights as in %o give what they say', async (options) => {
  const model = await decoder(options)
  const backbone = await GpuBackbone.create(await testGpu(), model)
  const { logits } = referenceForward(await loadReference(model), IDS)
  expectClose(await backbone.logits(IDS, null), logits)
  backbone.destroy()
})
