import type { Computing } from '../../src/play/path.ts'
import type { Scene } from '../../src/play/scene.ts'
import { composeScript } from '../../src/play/composeScript.ts'
import type { TextCounter } from '../../src/model/prompt.ts'
import { HycoraError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import type { DeviceListener, EngineClient } from '../../src/engine/client.ts'
import type {
  BackboneInfo,
  DeviceReport,
  DeviceState,
  EngineRequests,
  GenerateParams,
  LoadParams,
  RequestKind,
  TrainParams,
} from '../../src/engine/protocol.ts'
import { fakeDataset, fakeTrain, mapOf } from './fakeTraining.ts'
import type { TrainingScript } from './fakeTraining.ts'

/** What a scripted engine does. */
export interface Script {
  readonly device?: DeviceReport['status']
  /** The roles of the pack, of each backbone and of each pack its own where they differ. */
  readonly roles?: readonly string[] | ((backbone: string, pack?: string) => readonly string[])
  /** Answers, one after the other, round and round. */
  readonly answers?: readonly string[]
  /** Pauses before each word and each step of loading; by default none, so that tests need no clock. */
  readonly pause?: () => Promise<void>
  readonly context?: number
  readonly loadFails?: ErrorCode
  readonly generateFails?: ErrorCode
  /** Refuses every pack that is to be proved. */
  readonly proofFails?: ErrorCode
  readonly training?: TrainingScript
}

/** An engine that speaks from a script: the page can be seen and tested without a graphics card. */
export interface FakeEngine extends EngineClient {
  /** Everything it was asked to generate. */
  readonly asked: readonly GenerateParams[]
  /** Every run that it was asked for. */
  readonly trained: readonly TrainParams[]
  /** Every change of a run's share of time. */
  readonly tuned: readonly number[]
  /** Tells the page of a change of the device. */
  tellDevice(state: DeviceState, info?: BackboneInfo): void
  /** Every load that it was asked for. */
  readonly loaded: readonly LoadParams[]
}

/** A tokenizer of a token for each letter. */
const letters: TextCounter = {
  encode: (text) => Array.from(text, (letter) => letter.codePointAt(0) ?? 0),
  decode: (ids) => String.fromCodePoint(...ids),
  quote: (text) => text,
}

/** A scripted engine. */
export function createFakeEngine(script: Script = {}): FakeEngine {
  const asked: GenerateParams[] = []
  const trained: TrainParams[] = []
  const tuned: number[] = []
  const listeners = new Set<DeviceListener>()
  const loaded: LoadParams[] = []
  const pause = script.pause ?? (() => Promise.resolve())
  const context = script.context ?? 1024
  let answered = 0

  const handlers: {
    readonly [K in RequestKind]: (
      params: EngineRequests[K]['params'],
      onYield: (value: EngineRequests[K]['yields']) => void,
      signal: AbortSignal | undefined,
    ) => Promise<EngineRequests[K]['returns']>
  } = {
    room: ({ wanted }) => Promise.resolve(wanted),
    compare: () =>
      Promise.resolve({
        isSame: true,
        nmse: 0.031,
        nmseUnrounded: 1.6e-11,
        firstDifferentToken: 2,
        kernels: [7, 8, 9],
        onnxruntime: [7, 8, 4],
        tokensPerSecond: { kernels: 41.6, onnxruntime: 9.2 },
      }),
    diagnose: () => Promise.resolve(reportOf(script.device ?? 'ready')),
    async load(params, onYield) {
      loaded.push(params)
      const totalBytes = 11_124_175
      for (const stage of ['read', 'upload', 'compile', 'warm-up'] as const) {
        for (let part = 0; part <= 4; part++) {
          await pause()
          onYield({ stage, doneBytes: (totalBytes * part) / 4, totalBytes })
        }
      }
      if (script.loadFails) throw new HycoraError(script.loadFails, 'the script says so')
      const { roles = [] } = script
      const names = typeof roles === 'function' ? roles(params.name, params.pack?.name) : roles
      return infoOf(names, context, computingOf(script.device ?? 'ready', params))
    },
    async prove({ roles }, onYield) {
      if (script.proofFails) throw new HycoraError(script.proofFails, 'the script says so')
      for (const done of roles.keys()) {
        await pause()
        onYield({ done: done + 1, total: roles.length })
      }
      return { changes: roles.map((role) => ({ role, change: 0.12 })), warnings: [] }
    },
    async generate(params, onYield, signal) {
      asked.push(params)
      const answers = script.answers ?? ['Indeed.']
      const answer = answers[answered++ % answers.length] ?? ''
      const words = answer.match(/\s*\S+/g) ?? []
      let text = ''
      let tokens = 0
      for (const word of words) {
        await pause()
        if (signal?.aborted) break
        if (script.generateFails && tokens === 3)
          throw new HycoraError(script.generateFails, 'the script says so')
        text += word
        tokens += 1
        onYield({ text: word, tokens })
      }
      const { promptTokens, firstTurn } = measure(params.scene, context)
      const stop = signal?.aborted ? 'cancelled' : 'end'
      return { text, promptTokens, tokens, firstTurn, stop, firstTokenMs: 120, tokensPerSecond: 41.6 }
    },
    preview(scene) {
      const { promptTokens, firstTurn } = measure(scene, context)
      const { turns, continueLast, script: told, system = null } = scene
      const composed =
        told && composeScript(told, { tokenizer: letters, context, system, turns, continueLast })
      const before = composed ? composed.system : system
      const lines = [
        ...(before === null ? [] : [`<|im_start|>system\n${before}<|im_end|>\n`]),
        ...turns
          .slice(firstTurn)
          .map(
            ({ speaker, text }) =>
              `<|im_start|>${speaker === 'user' ? 'user' : 'assistant'}\n${text}<|im_end|>\n`,
          ),
      ]
      return Promise.resolve({
        text: `${lines.join('')}<|im_start|>assistant\n`,
        beside: `${lines.slice(0, -1).join('')}<|im_start|>user\nGo on.<|im_end|>\n<|im_start|>assistant\n`,
        tokens: promptTokens,
        firstTurn,
        context,
        script: composed?.report ?? { fired: [], passed: [], notes: [] },
      })
    },
    async together({ answers }, onYield, signal) {
      const said = answers.map(({ scene }) => `${scene.role ?? 'Nobody'} says so.`)
      for (const place of [0, 1, 2]) {
        await pause()
        if (signal?.aborted) break
        for (const [index, text] of said.entries())
          onYield({ index, text: text.match(/\s*\S+/g)?.[place] ?? '' })
      }
      return said.map((text) => ({ text, tokens: 3, stop: signal?.aborted ? 'cancelled' : 'end' }))
    },
    async weigh({ scenes, text }, onYield) {
      const words = text.match(/\s*\S+/g) ?? []
      for (const [index, { role }] of scenes.entries()) {
        await pause()
        // Whoever has a letter in common with a word would rather have said it.
        const likes = (word: string): boolean => role !== null && word.includes(role.charAt(0).toLowerCase())
        const pieces = words.map((word) => ({ text: word, logProbability: likes(word) ? -1 : -3 }))
        onYield({ index, pieces })
      }
      return null
    },
    alternatives: ({ scenes }) =>
      Promise.resolve(
        scenes.map(({ role }) => [
          { text: ` ${role ?? 'nobody'}`, probability: 0.5 },
          { text: ' but', probability: 0.004 },
        ]),
      ),
    map({ pack }) {
      const { roles = [] } = script
      const names = pack ? [pack.name] : typeof roles === 'function' ? roles('') : roles
      return Promise.resolve(script.training?.map ?? mapOf(names))
    },
    // An error in reading is a rejection, as across the worker's boundary.
    dataset: async (params) => fakeDataset(params),
    estimate() {
      const secondsPerStep = script.training?.secondsPerStep ?? 0.31
      return Promise.resolve({ secondsPerStep, tokensPerStep: 212, gpuBytes: 187_400_000 })
    },
    train(params, onYield, signal) {
      trained.push(params)
      return fakeTrain(params, onYield, signal, script.training ?? {}, pause)
    },
    tune({ duty }) {
      tuned.push(duty)
      return Promise.resolve(null)
    },
  }

  return {
    asked,
    trained,
    tuned,
    loaded,
    tellDevice(state, info) {
      for (const listener of listeners) listener(state, info ?? null)
    },
    request(kind, params, { onYield = () => undefined, signal } = {}) {
      return handlers[kind](params, onYield, signal)
    },
    onDeviceState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => undefined,
  }
}

/** Four characters a token, the first turns cut until the rest fits. */
function measure(scene: Scene, context: number): { promptTokens: number; firstTurn: number } {
  const sizes = scene.turns.map(({ text }) => Math.ceil(text.length / 4) + 5)
  let firstTurn = 0
  let promptTokens = sizes.reduce((sum, size) => sum + size, 3)
  while (promptTokens > context && firstTurn < sizes.length - 1) promptTokens -= sizes[firstTurn++] ?? 0
  return { promptTokens, firstTurn }
}

function reportOf(status: DeviceReport['status']): DeviceReport {
  const isThere = status === 'ready' || status === 'software'
  return {
    status,
    vendor: isThere ? 'script' : '',
    architecture: isThere ? 'paper' : '',
    description: '',
    features: [],
    limits: isThere ? { maxBufferSize: 268_435_456 } : {},
    reason: isThere ? '' : 'requestAdapter() gave null',
  }
}

/** As the engine chooses: a software adapter and the processor were compared, and the processor is faster. */
function computingOf(device: DeviceReport['status'], { path, rates }: LoadParams): Computing {
  if (path !== 'auto') return { path, why: 'chosen', reason: '', rates }
  if (device === 'ready') return { path: 'webgpu', why: 'graphics-card', reason: '', rates }
  const wasm = { prefill: 320, decode: 47.6 }
  if (device !== 'software') return { path: 'wasm', why: device, reason: '', rates: { wasm } }
  return { path: 'wasm', why: 'faster', reason: '', rates: { webgpu: { prefill: 40, decode: 9.1 }, wasm } }
}

function infoOf(roles: readonly string[], context: number, computing: Computing): BackboneInfo {
  return {
    name: 'hycora-starter-5m',
    architecture: 'qwen2',
    fingerprint: '56dd2f0b8833632a12fd17642d7e30b743557c371871d70a797c9e6df9efc30d',
    layers: 6,
    hidden: 256,
    headDim: 32,
    vocabulary: 4096,
    parameters: 5_500_000,
    context,
    affordsGuidance: true,
    gpuBytes: { weights: 11_000_000, cache: 3_100_000, adapter: 3_000_000, workspace: 900_000 },
    weightFormat: 'float16',
    computing,
    roles: roles.map((name, index) => ({
      name,
      system: null,
      card: null,
      blend: null,
      vector: Float32Array.from({ length: 32 }, (_, at) => Math.sin((index + 1) * (at + 1) * 1.7)),
    })),
    warnings: [],
  }
}
