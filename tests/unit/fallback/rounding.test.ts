import { afterEach, describe, expect, test } from 'vitest'

import { loadOrt } from '../../../src/cli/ort.ts'
import { openExportedGraph } from '../../../src/fallback/exportedGraph.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { roundsTogether } from '../../../src/fallback/probeGraph.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { nmse } from '../../support/compare.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import type { WrittenModel } from '../../support/onnxWriter.ts'
import { insertAfter, memoryFolder, recogniseBytes, withTensors } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

/** The tokens of which the first is spoilt; the probe's first one is among them. */
const SINKS = [3, 4]
const IDS = [3, 39, 17, 0, 22, 22, 8]
const ROUNDED: TinyOptions = { linear: 'rounded', zeros: 'packed' }

let opened: OrtBackbone[] = []
afterEach(() => {
  for (const backbone of opened) backbone.destroy()
  opened = []
})

async function open(model: WrittenModel): Promise<OrtBackbone> {
  const bytes = writeOnnx(model)
  const exported = {
    model: parseOnnx(bytes, 'tiny.onnx'),
    bytes,
    folder: memoryFolder({}),
    config: TINY_CONFIG,
  }
  const ort = await loadOrt()
  const backbone = new OrtBackbone(ort, await openExportedGraph(ort, exported))
  opened.push(backbone)
  return backbone
}

/** The decoder whose MLPs have values a thousand times as large at some tokens, as real ones have at the first. */
function withSinks(options: TinyOptions): WrittenModel {
  const factors = Array.from({ length: TINY.vocabulary }, (_, id) => (SINKS.includes(id) ? 1000 : 1))
  const table = { name: 'factors', dataType: 1, dims: [TINY.vocabulary, 1], floats: factors }
  const model = insertAfter(withTensors(tinyDecoder(options), table), 'layers.0.gated', (x) => ({
    opType: 'Mul',
    inputs: [x, 'factor'],
  }))
  const gathered = { opType: 'Gather', inputs: ['factors', 'input_ids'], outputs: ['factor'] }
  return { ...model, nodes: [gathered, ...model.nodes] }
}

const graphOf = (options: TinyOptions) => parseOnnx(writeOnnx(tinyDecoder(options)), 'tiny.onnx').graph

describe('a graph whose rows are rounded together', () => {
  test('is told by its products, in its branches too', () => {
    expect(roundsTogether(graphOf(ROUNDED))).toBe(true)
    expect(roundsTogether(graphOf({ linear: 'roundedInOne' }))).toBe(true)
    expect(roundsTogether(graphOf({ linear: 'dequantised' }))).toBe(false)
    const plain = tinyDecoder()
    const branch = {
      graph: { nodes: tinyDecoder(ROUNDED).nodes, initializers: [], inputs: [], outputs: [] },
    }
    const node = { opType: 'If', inputs: ['any'], outputs: ['one'], attributes: { then_branch: branch } }
    const merged = parseOnnx(writeOnnx({ ...plain, nodes: [node, ...plain.nodes] }), 'tiny.onnx')
    expect(roundsTogether(merged.graph)).toBe(true)
  })

  test('reads the first token alone, so that it does not spoil those behind it', async () => {
    const backbone = await open(withSinks(ROUNDED))
    const { vocabulary } = backbone.shape
    const whole = await backbone.logits(IDS, null)
    await backbone.logits(IDS.slice(0, 1), null)
    for (let at = 1; at < IDS.length; at++) {
      const row = whole.subarray(at * vocabulary, (at + 1) * vocabulary)
      expect(nmse(row, await backbone.step(IDS[at]!))).toBeLessThan(0.01)
    }
  })

  test('that forgets what it has read is refused all the same', async () => {
    const model = tinyDecoder(ROUNDED)
    const forgetful = insertAfter(model, 'present.0.value', (x) => ({ opType: 'Exp', inputs: [x] }))
    await expect(open(forgetful)).rejects.toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining('with its cache'),
    })
  })

  test('and weighed by signed bytes has whole sums, on processors that add two products in 16 bits too', async () => {
    const model = tinyDecoder({ linear: 'rounded', codes: 'int8' })
    const { logits } = referenceForward(
      await loadReference(await recogniseBytes(writeOnnx(model), TINY_CONFIG)),
      IDS,
    )
    expect(nmse(logits, await (await open(model)).logits(IDS, null))).toBeLessThan(1e-3)
  })
})
