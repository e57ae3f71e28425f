import * as ort from 'onnxruntime-web'
import { beforeAll, describe, expect, test } from 'vitest'
import { create } from 'webgpu'

import { HycoraError } from '../../../src/core/errors.ts'
import type { PathChoice } from '../../../src/core/path.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { closePath, openPath } from '../../../src/play/openPath.ts'
import type { OpenedPath, PathRequest } from '../../../src/play/openPath.ts'
import { miscompile } from '../../support/miscompiled.ts'
import type { Miscompiled } from '../../support/miscompiled.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const gpu = create([])
let decoder: Decoder

beforeAll(async () => {
  ort.env.wasm.numThreads = 1
  decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
})

/** The decoder, whose last norm cannot be read the first time. */
function failingOnce(error: Error): Decoder {
  const { values } = decoder.finalNorm
  let isFirst = true
  const read = (offset: number, length: number): Promise<Uint8Array> => {
    if (!isFirst) return values.source.read(offset, length)
    isFirst = false
    return Promise.reject(error)
  }
  const source = { name: values.source.name, sizeBytes: values.source.sizeBytes, read }
  return { ...decoder, finalNorm: { ...decoder.finalNorm, values: { ...values, source } } }
}

function open(
  model: Decoder,
  choice: PathChoice,
  changes: Partial<Pick<PathRequest, 'gpu' | 'isSound' | 'rates'>> = {},
): Promise<OpenedPath> {
  const request = { gpu, pack: null, choice, rates: {}, isLost: false, emit: () => undefined, ...changes }
  return openPath({ ...request, decoder: model, loadOrt: () => Promise.resolve(ort) })
}

describe('a model whose weights our kernels do not know', () => {
  test('goes to the processor when that shows while they load, whatever was chosen', async () => {
    const error = new HycoraError('format-unsupported', 'these weights are of a kind that is not known')
    const opened = await open(failingOnce(error), 'webgpu')
    expect(opened.computing).toMatchObject({ path: 'wasm', why: 'failed', reason: error.message })
    expect((await opened.backbone.logits([1, 2], null)).every(Number.isFinite)).toBe(true)
    closePath(opened)
  })

  test('is told of where it is damaged', async () => {
    const error = new HycoraError('format-invalid', 'the file ends early')
    await expect(open(failingOnce(error), 'webgpu')).rejects.toMatchObject({ code: 'format-invalid' })
  })
})

test('a model that computes no numbers is opened on neither path', async () => {
  const { values } = decoder.finalNorm
  const bytes = new Uint8Array(new Float32Array(decoder.hidden).fill(Infinity).buffer)
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    Promise.resolve(bytes.subarray(offset, offset + length))
  const source = { name: 'gains', sizeBytes: bytes.length, read }
  const broken = {
    ...decoder,
    finalNorm: { ...decoder.finalNorm, values: { ...values, source, offset: 0, dataType: 'f32' as const } },
  }
  for (const choice of ['auto', 'webgpu', 'wasm'] as const) {
    await expect(open(broken, choice)).rejects.toMatchObject({ code: 'not-a-number' })
  }
})

/** A graphics card by its name, whose driver compiles one kernel wrongly. */
const miscompilingCard = (fault: Miscompiled): GPU =>
  ({
    async requestAdapter() {
      const adapter = (await gpu.requestAdapter())!
      const request = adapter.requestDevice.bind(adapter)
      const info = {
        vendor: 'acme',
        architecture: 'one',
        device: '',
        description: '',
        isFallbackAdapter: false,
      }
      const requestDevice = async (descriptor: GPUDeviceDescriptor): Promise<GPUDevice> => {
        const device = await request(descriptor)
        const compile = device.createShaderModule.bind(device)
        const own = { createShaderModule: compile } as GPUDevice
        device.createShaderModule = (module) => miscompile(own, module, fault)
        return device
      }
      return Object.defineProperties(adapter, {
        info: { value: info },
        requestDevice: { value: requestDevice },
      })
    },
  }) as unknown as GPU

test('a card that computes wrongly is left for the processor, and not asked where it was sound before', async () => {
  const fault = { kernel: 'gated', find: '= result[i];', replace: '= 1.001 * result[i];' }
  const card = miscompilingCard(fault)
  // The tiny model is too small to be measured.
  const rates = { wasm: { prefill: 1, decode: 1 } }
  const opened = await open(decoder, 'auto', { gpu: card, rates })
  const reason = expect.stringMatching(/computes wrongly: silu gate, gelu gate of \d+ known answers/)
  expect(opened.computing).toMatchObject({ path: 'wasm', why: 'wrong', reason })
  closePath(opened)
  await expect(open(decoder, 'webgpu', { gpu: card })).rejects.toMatchObject({ code: 'wrong-answers' })
  const trusted = await open(decoder, 'auto', { gpu: card, isSound: true })
  expect(trusted.computing).toMatchObject({ path: 'webgpu', why: 'graphics-card' })
  closePath(trusted)
})
