import { expect, test } from 'vitest'

import { loadOrt } from '../../../src/cli/ort.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { compareWithRuntime, isSameModel } from '../../../src/play/compareWithRuntime.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { memoryFolder, recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8]
const options = { promptOf: () => IDS, tokens: 5 }

const bytesOf = (form: TinyOptions): Uint8Array => writeOnnx(tinyDecoder(form))
const exportedOf = (bytes: Uint8Array) => ({
  model: parseOnnx(bytes, 'tiny.onnx'),
  bytes,
  folder: memoryFolder({}),
  config: TINY_CONFIG,
})

/** A decoder that multiplies as our kernels do, by weights in floats. */
async function floatsOf(bytes: Uint8Array): Promise<OrtBackbone> {
  return OrtBackbone.create(await loadOrt(), await recogniseBytes(bytes, TINY_CONFIG))
}

test('a model is compared with what its graph gives, and one that rounds with its weights', async () => {
  const [plain, rounded] = [bytesOf({}), bytesOf({ linear: 'rounded', zeros: 'packed' })]
  const exact = await compareWithRuntime(await loadOrt(), exportedOf(plain), await floatsOf(plain), options)
  expect(exact).toMatchObject({ isSame: true, nmseUnrounded: null, firstDifferentToken: null })
  expect(exact.nmse).toBeLessThan(1e-9)
  expect(exact.kernels).toHaveLength(5)
  expect(exact.kernels).toEqual(exact.onnxruntime)
  expect(exact.tokensPerSecond.kernels).toBeGreaterThan(0)

  const coarse = await compareWithRuntime(
    await loadOrt(),
    exportedOf(rounded),
    await floatsOf(rounded),
    options,
  )
  expect(coarse.isSame).toBe(true)
  expect(coarse.nmseUnrounded).toBeLessThan(1e-9)
  expect(coarse.nmse).toBeGreaterThan(1e-7)
})

test('another model is none the same, and what no kernel computes is answered by onnxruntime alone', async () => {
  const [plain, other] = [bytesOf({}), bytesOf({ bias: 'last' })]
  const apart = await compareWithRuntime(await loadOrt(), exportedOf(plain), await floatsOf(other), options)
  expect(apart.isSame).toBe(false)
  expect(apart.firstDifferentToken).not.toBeNull()
  const alone = await compareWithRuntime(await loadOrt(), exportedOf(plain), null, options)
  expect(alone).toMatchObject({ nmse: null, kernels: null, firstDifferentToken: null })
  expect(alone.onnxruntime).toHaveLength(5)
  const stopped = compareWithRuntime(await loadOrt(), exportedOf(plain), null, {
    ...options,
    signal: AbortSignal.abort(new Error('enough')),
  })
  await expect(stopped).rejects.toThrow('enough')
})

test('a model is held to what its weights say, and not to what its graph rounds on the way', () => {
  expect(isSameModel({ nmse: 2e-4, nmseUnrounded: null })).toBe(true)
  expect(isSameModel({ nmse: 2e-3, nmseUnrounded: null })).toBe(false)
  expect(isSameModel({ nmse: 3e-2, nmseUnrounded: 1.6e-11 })).toBe(true)
  expect(isSameModel({ nmse: 1e-9, nmseUnrounded: 2e-3 })).toBe(false)
})
