import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'

import { openExportedGraph } from '../../../src/fallback/exportedGraph.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { nmse } from '../../support/compare.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { memoryFolder, recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8]

// Left to itself, onnxruntime rounds what meets such weights to 8 bits, which is 1e-4 of these squared logits.
test('weights that are dequantised in blocks meet unrounded rows', async () => {
  const options = { linear: 'dequantised', codes: 'int4', scales: 'blocks', blockSize: 32 } as const
  const bytes = writeOnnx(tinyDecoder(options))
  const { logits } = referenceForward(await loadReference(await recogniseBytes(bytes, TINY_CONFIG)), IDS)
  const model = parseOnnx(bytes, 'tiny.onnx')
  const exported = { model, bytes, folder: memoryFolder({}), config: TINY_CONFIG }
  const backbone = new OrtBackbone(ort, await openExportedGraph(ort, exported))
  expect(nmse(await backbone.logits(IDS, null), logits)).toBeLessThan(1e-9)
  backbone.destroy()
})
