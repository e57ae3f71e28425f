import type { Computing } from '../../src/play/path.ts'
import type { Scene } from '../../src/play/scene.ts'
import type { Path } from '../../src/core/path.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { connectEngine } from '../../src/engine/client.ts'
import type { EngineClient } from '../../src/engine/client.ts'
import type { GenerationSummary, LoadParams } from '../../src/engine/protocol.ts'
import { GREEDY } from '../../src/core/sampling.ts'
import { parseOnnx } from '../../src/formats/onnx.ts'
import type { OnnxNode } from '../../src/formats/onnx.ts'
import { writeOnnx } from '../../src/formats/onnxWriter.ts'

const PATHS = ['webgpu', 'wasm'] as const
const MODEL = 'onnx/model_fp16.onnx'
const engines = new Map<Path, EngineClient>()
const computing = new Map<Path, Computing>()

async function fetched(path: string): Promise<Blob> {
  const response = await fetch(`/${path}`)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.blob()
}

function startWorker(): EngineClient {
  // Vite finds a worker only where it is written in one piece.
  return connectEngine(new Worker(new URL('../../src/engine/worker.ts', import.meta.url), { type: 'module' }))
}

const negation = (input: string, output: string): OnnxNode => ({
  name: output,
  opType: 'Neg',
  domain: '',
  inputs: [input],
  outputs: [output],
  attributes: new Map(),
  metadata: new Map(),
})

/** The same model with a node at its end that no exporter puts there: y = −(−y). */
async function strangeModel(file: Blob): Promise<Blob> {
  const model = parseOnnx(new Uint8Array(await file.arrayBuffer()), MODEL)
  const nodes = model.graph.nodes.map((node) => ({
    ...node,
    outputs: node.outputs.map((output) => (output === 'logits' ? 'logits.once' : output)),
  }))
  const twice = [negation('logits.once', 'logits.twice'), negation('logits.twice', 'logits')]
  return new Blob([writeOnnx({ ...model, graph: { ...model.graph, nodes: [...nodes, ...twice] } })])
}

let files: ReadonlyMap<string, Blob>
let pack: LoadParams['pack']

beforeAll(async () => {
  const paths = ['config.json', 'tokenizer.json', 'tokenizer_config.json', MODEL]
  const entries = paths.map(async (path) => [path, await fetched(`models/starter/${path}`)] as const)
  files = new Map(await Promise.all(entries))
  pack = { name: 'starter', file: await fetched('packs/starter.hycora.safetensors') }
  for (const path of PATHS) {
    const engine = startWorker()
    const info = await engine.request('load', { name: 'starter', files, pack, path, rates: {} })
    computing.set(path, info.computing)
    engines.set(path, engine)
  }
}, 300_000)
afterAll(() => {
  for (const engine of engines.values()) engine.close()
})

const turns: Scene['turns'] = [
  { speaker: 'role', text: 'Good evening.' },
  { speaker: 'user', text: 'Good evening. What do you think of the sea?' },
]
const scene = (changes: Partial<Scene>): Scene => ({
  role: null,
  strength: 1,
  turns,
  continueLast: false,
  ...changes,
})

function answer(path: Path, played: Scene, maxTokens = 24): Promise<GenerationSummary> {
  return engines.get(path)!.request('generate', { scene: played, sampling: GREEDY, maxTokens })
}

const holmes = scene({ role: 'Sherlock Holmes' })
const scenes: readonly (readonly [string, Scene])[] = [
  ['the bare model', scene({})],
  ['a role', holmes],
  ['the same role once more, as another take', holmes],
  ['another role', scene({ role: 'Caesar' })],
  ['a role at half its strength', scene({ role: 'Sherlock Holmes', strength: 0.5 })],
  [
    'a blend of two roles',
    scene({
      blend: [
        { role: 'Sherlock Holmes', weight: 0.6 },
        { role: 'Caesar', weight: 0.4 },
      ],
    }),
  ],
  [
    'a line that is carried on',
    scene({
      role: 'Caesar',
      turns: [...turns, { speaker: 'role', text: 'The sea is' }],
      continueLast: true,
    }),
  ],
]

test('each way is taken because it was chosen, and the processor’s rate is known', () => {
  expect(computing.get('webgpu')).toEqual({ path: 'webgpu', why: 'chosen', reason: '', rates: {} })
  const rates = { wasm: { prefill: expect.any(Number), decode: expect.any(Number) } }
  expect(computing.get('wasm')).toEqual({ path: 'wasm', why: 'chosen', reason: '', rates })
})

describe('the processor answers as the graphics card does', () => {
  test.each(scenes)('%s', async (_, played) => {
    const [card, processor] = [await answer('webgpu', played), await answer('wasm', played)]
    expect(processor.text).toBe(card.text)
    expect(processor.text.length).toBeGreaterThan(3)
    expect({ ...processor, firstTokenMs: 0, tokensPerSecond: 0 }).toEqual({
      ...card,
      firstTokenMs: 0,
      tokensPerSecond: 0,
    })
  })

  test('roles and strengths make a difference', async () => {
    const texts = await Promise.all(scenes.slice(0, 4).map(([, played]) => answer('wasm', played)))
    expect(new Set(texts.map(({ text }) => text)).size).toBe(3)
  })

  test.each(PATHS)('%s stops within a word, and what was said stays', async (path) => {
    const stop = new AbortController()
    const pieces: string[] = []
    const summary = await engines.get(path)!.request(
      'generate',
      { scene: holmes, sampling: { ...GREEDY, temperature: 1, seed: 3 }, maxTokens: 200 },
      {
        signal: stop.signal,
        onYield: ({ text, tokens }) => {
          pieces.push(text)
          if (tokens === 3) stop.abort()
        },
      },
    )
    expect(summary.stop).toBe('cancelled')
    expect(summary.tokens).toBeLessThan(12)
    expect(summary.text).toBe(pieces.join(''))
  })

  test('a model whose graph nobody knows answers there, roles too', async () => {
    const strange = new Map(files).set(MODEL, await strangeModel(files.get(MODEL)!))
    const engine = startWorker()
    const info = await engine.request('load', {
      name: 'strange',
      files: strange,
      pack,
      path: 'auto',
      rates: {},
    })
    expect(info.computing).toMatchObject({ path: 'wasm', why: 'unknown-graph' })
    expect(info.computing.reason).toContain('Neg')
    expect(info.warnings).toHaveLength(1)
    const texts: string[] = []
    for (const [, played] of scenes.slice(0, 2)) {
      const request = { scene: played, sampling: GREEDY, maxTokens: 8 }
      texts.push((await engine.request('generate', request)).text)
      expect(texts.at(-1)).toBe((await answer('wasm', played, 8)).text)
    }
    expect(texts[0]).not.toBe(texts[1])
    engine.close()
  })

  test('training without WebGPU is refused in words', async () => {
    const training = engines.get('wasm')!.request('train', {
      backbone: 'starter',
      dialogues: [],
      config: {},
      start: null,
      checkpoint: null,
      trial: { role: '', prompts: [], everySteps: 1 },
      duty: 1,
    })
    await expect(training).rejects.toMatchObject({ code: 'webgpu-unavailable' })
  })
})
