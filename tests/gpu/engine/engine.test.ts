import { openAsBlob } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'
import { create, globals } from 'webgpu'

import { GREEDY } from '../../../src/core/sampling.ts'
import { Engine } from '../../../src/engine/engine.ts'
import type { DeviceState, GenerateParams, LoadParams } from '../../../src/engine/protocol.ts'
import type { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'

Object.assign(globalThis, globals)
const gpu = create([])

const root = resolve(import.meta.dirname, '../../../public/models/starter')
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_fp16.onnx']

async function starter(name: string): Promise<LoadParams> {
  const files = new Map<string, Blob>()
  for (const path of FILES) files.set(path, await openAsBlob(resolve(root, path)))
  return { name, files, pack: null, path: 'webgpu', rates: {} }
}

async function drain(load: ReturnType<Engine['load']>): Promise<void> {
  while (!(await load.next()).done);
}

async function openEngine(): Promise<Engine> {
  const engine = new Engine(gpu, () => undefined)
  await drain(engine.load(await starter('Starter')))
  return engine
}

/** What an engine keeps to itself. */
interface Inside {
  readonly stage: { readonly device: GPUDevice; readonly name: string } | null
  readonly recovery: Promise<unknown>
}
const inside = (engine: Engine): Inside => engine as unknown as Inside

/** Dawn, whose adapters come only when they are let out, in the order in which they were asked for. */
function gatedGpu() {
  const asked = new EventTarget()
  const waiting: (() => void)[] = []
  const gated = {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      await new Promise<void>((letOut) => {
        waiting.push(letOut)
        asked.dispatchEvent(new Event('asked'))
      })
      return gpu.requestAdapter(options)
    },
  } as GPU
  /** Waits until so many have been asked for. */
  const until = async (count: number): Promise<void> => {
    while (waiting.length < count)
      await new Promise((wake) => asked.addEventListener('asked', wake, { once: true }))
  }
  return { gated, until, letOut: (index: number) => waiting[index]?.() }
}

const question: GenerateParams = {
  scene: {
    role: null,
    strength: 1,
    turns: [{ speaker: 'user', text: 'Tell me of the sea.' }],
    continueLast: false,
  },
  sampling: GREEDY,
  maxTokens: 40,
}

test('a failure that is no loss of the device ends the answer, and the next request has its turn', async () => {
  const engine = await openEngine()
  const answer = engine.generate(question, new AbortController().signal)
  expect((await answer.next()).done).toBe(false)
  const { stage } = engine as unknown as { stage: { backbone: GpuBackbone } }
  stage.backbone.destroy()
  await expect(
    (async () => {
      while (!(await answer.next()).done);
    })(),
  ).rejects.toMatchObject({ name: 'HycoraError' })
  expect((await engine.preview(question.scene)).tokens).toBeGreaterThan(0)
})

/** Loses the first model's device when the second one asks for its own. */
async function loseMeanwhile() {
  const { gated, until, letOut } = gatedGpu()
  const states: (readonly [DeviceState, string | null])[] = []
  const engine = new Engine(gated, (state, info) => states.push([state, info?.name ?? null]))
  const first = drain(engine.load(await starter('First')))
  await until(1)
  letOut(0)
  await first
  const second = drain(engine.load(await starter('Second')))
  await until(2)
  const { device } = inside(engine).stage!
  device.destroy()
  await device.lost
  await until(3)
  const { recovery } = inside(engine)
  return {
    engine,
    states,
    finishLoad: () => (letOut(1), second),
    finishRecovery: () => (letOut(2), recovery),
  }
}

describe('a device that is lost while another model is loading', () => {
  test('is not put back over it', async () => {
    const { engine, states, finishLoad, finishRecovery } = await loseMeanwhile()
    await finishLoad()
    const { stage } = inside(engine)
    expect(await finishRecovery()).toBe(stage)
    expect(inside(engine).stage).toBe(stage)
    expect(stage?.name).toBe('Second')
    expect(states).toEqual([
      ['ready', null],
      ['recovering', null],
      ['ready', null],
    ])
    expect((await engine.preview(question.scene)).tokens).toBeGreaterThan(0)
  })

  test('gives way to it when it is put back first', async () => {
    const { engine, states, finishLoad, finishRecovery } = await loseMeanwhile()
    await finishRecovery()
    expect(inside(engine).stage?.name).toBe('First')
    await finishLoad()
    expect(inside(engine).stage?.name).toBe('Second')
    expect(states.slice(-2)).toEqual([
      ['ready', 'First'],
      ['ready', null],
    ])
  })
})

test('the roles of a pack are measured, and without one nobody is', async () => {
  const engine = await openEngine()
  await expect(engine.map({})).rejects.toMatchObject({ code: 'usage' })
  const file = await openAsBlob(resolve(root, '../../packs/starter.hycora.safetensors'))
  const { names, points, isShared } = await engine.map({ pack: { id: 'p', name: 'the company', file } })
  expect([names.length, points.length, isShared]).toEqual([12, 24, false])
  expect(points.every(Number.isFinite)).toBe(true)
})

test('a text that is no data set is refused, not thrown past the one who asked', async () => {
  const params = {
    files: [{ name: 'a.csv', text: '' }],
    roleName: null,
    columns: null,
    maxTokens: 64,
    seed: 1,
    system: null,
  }
  const reading = new Engine(undefined, () => undefined).dataset(params)
  await expect(reading).rejects.toMatchObject({ code: 'format-invalid' })
})
