import { expect, test } from 'vitest'

import type { TunedDevice } from '../../../src/gpu/tuning.ts'
import { KEPT_BYTES, keptActivations } from '../../../src/train/gradients/trainingBuffers.ts'
import { beginTraining } from '../../../src/train/parameters/trainee.ts'
import { roomToKeep } from '../../../src/train/run/keptRoom.ts'
import { trainingBytes, trainingNeeds, trainingSizes } from '../../../src/train/run/memory.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'
import { expectClose } from '../../support/compare.ts'
import { ownGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { tinyRun } from '../../support/tinyRun.ts'

const GIB = 2 ** 30
/** Larger than any device allows. */
const TOO_LARGE = 2 ** 42

/** A card with so much room, as a trial finds it: what is tried is small here, and refused beyond that. */
async function cardWith(
  room: number,
  options: { readonly isSoftware?: boolean; readonly maxBufferSize?: number } = {},
): Promise<{ readonly gpu: TunedDevice; readonly labels: readonly string[] }> {
  const own = await ownGpu()
  const { isSoftware = false, maxBufferSize = 2 * GIB } = options
  const labels: string[] = []
  let tried = 0
  const device = new Proxy(own.device, {
    get(target, name) {
      if (name === 'limits') return { ...limitsOf(target), maxBufferSize }
      if (name === 'createBuffer') {
        return (about: GPUBufferDescriptor) => {
          labels.push(about.label ?? '')
          if (about.label !== 'trial of room') return target.createBuffer(about)
          tried += about.size
          return target.createBuffer({ ...about, size: tried > room ? TOO_LARGE : 16 })
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { gpu: { ...own, device, isSoftware }, labels }
}

function limitsOf({ limits }: GPUDevice): Record<string, number> {
  const names = Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(limits)))
  return Object.fromEntries(names.map((name) => [name, Reflect.get(limits, name) as number]))
}

/** A run of long rows on thirty layers, and what its layers would keep; nothing of it is allocated. */
async function longRun() {
  const tiny = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  const decoder = { ...tiny, layers: 30 }
  const config = readTrainConfig({ sources: { A: 'shared', B: 'shared' }, contrast: { form: 'off' } })
  const needs = trainingNeeds(decoder, beginTraining(config, tiny, ['Ada'], null), config, {
    rows: 12,
    tokens: 2048,
  })
  const kept = keptActivations({ ...trainingSizes(decoder, needs, 0), keptBytes: Infinity })
  return { decoder, needs, all: 4 * kept.layers * kept.floats, beside: trainingBytes(decoder, needs, 0, 0) }
}

test('a card keeps the activations that there is room for beside all else; a processor and a phone no more than 256 MiB', async () => {
  const { decoder, needs, all, beside } = await longRun()
  const roomOn = async (...about: Parameters<typeof cardWith>): Promise<number> => {
    const { gpu } = await cardWith(...about)
    const room = await roomToKeep(gpu, decoder, needs, 0)
    gpu.device.destroy()
    return room
  }
  expect(all).toBeGreaterThan(2 * KEPT_BYTES)
  expect(await roomOn(100 * GIB)).toBe(all)
  expect(await roomOn(100 * GIB, { isSoftware: true })).toBe(KEPT_BYTES)
  expect(await roomOn(100 * GIB, { maxBufferSize: GIB / 4 })).toBe(KEPT_BYTES)
  expect(await roomOn(0)).toBe(0)
  // What is found in steps of 256 MiB leaves as much to others.
  const some = await roomOn(beside + KEPT_BYTES + all / 2)
  expect(some).toBeGreaterThan(all / 2 - KEPT_BYTES)
  expect(some).toBeLessThanOrEqual(all / 2)
})

/** What the steps of a small run give, and which layers kept their activations. */
async function learn(room: number) {
  const { gpu, labels } = await cardWith(room)
  const numbers: number[] = []
  for await (const event of await tinyRun(gpu)) {
    if (event.kind === 'step') numbers.push(event.crossEntropy, event.gradientNorm)
  }
  gpu.device.destroy()
  return { numbers, kept: labels.filter((label) => /^gateUp \d/.test(label)) }
}

test('a run learns the same whether its card keeps activations or computes them again', async () => {
  const [whole, none] = [await learn(100 * GIB), await learn(0)]
  expect(whole.kept).toEqual(['gateUp 0'])
  expect(none.kept).toEqual([])
  expect(whole.numbers).toHaveLength(16)
  expectClose(none.numbers, whole.numbers, 1e-11)
})
