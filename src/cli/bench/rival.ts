import { createRequire } from 'node:module'

import type * as Ort from 'onnxruntime-node'

import type { Rival } from '../../bench/rival.ts'
import { HycoraError } from '../../core/errors.ts'
import { halvesToFloats } from '../../core/half.ts'

type Runtime = typeof Ort
type Cache = Readonly<Record<string, Ort.Tensor>>

/** Where the rival computes: `webgpu` on the same driver as we, or the processor. */
export type Provider = 'webgpu' | 'cpu'

/** The model file, and what of its shape is not in the inputs' own metadata. */
export interface RivalModel {
  readonly path: string
  readonly layers: number
  readonly headDim: number
}

/** A half's bits as an integer that sorts like its value. */
function orderOfHalf(bits: number): number {
  return bits & 0x8000 ? 0xffff - bits : bits + 0x8000
}

function lastRowMaximum(data: Ort.Tensor['data'], vocabulary: number): number {
  if (!(data instanceof Float32Array || data instanceof Uint16Array)) throw notFloats()
  const order = data instanceof Uint16Array ? orderOfHalf : (value: number): number => value
  const start = data.length - vocabulary
  let best = 0
  let highest = -Infinity
  for (let i = 0; i < vocabulary; i++) {
    const value = order(data[start + i] ?? 0)
    if (value > highest) [best, highest] = [i, value]
  }
  return best
}

function notFloats(): HycoraError {
  return new HycoraError('format-unsupported', 'the rival gave logits that are neither float32 nor float16')
}

function integers(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt)
}

function pastName(present: string): string {
  return present.replace(/^present/, 'past_key_values')
}

function dispose(cache: Cache): void {
  for (const tensor of Object.values(cache)) tensor.dispose()
}

/** What a session brings back to the host: the logits, or only a piece of the cache. */
type ReadBack = 'logits' | 'cache'

/**
 * A session at its best settings in the Node package: what is not read stays on the GPU, nothing is validated. The
 * package offers no graph capture, gives wrong tokens with a preallocated cache, and cannot bring back a tensor later
 * that was left on the GPU.
 */
function openSession(
  ort: Runtime,
  { path, layers }: RivalModel,
  provider: Provider,
  readBack: ReadBack,
): Promise<Ort.InferenceSession> {
  const logSeverityLevel = 3
  if (provider === 'cpu') {
    return ort.InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel })
  }
  const presents = Array.from({ length: layers }, (_, layer) => [
    `present.${layer}.key`,
    `present.${layer}.value`,
  ]).flat()
  const read = readBack === 'logits' ? 'logits' : presents.at(-1)
  const locations = ['logits', ...presents].map(
    (name) => [name, name === read ? 'cpu' : 'gpu-buffer'] as const,
  )
  return ort.InferenceSession.create(path, {
    executionProviders: [{ name: 'webgpu', validationMode: 'disabled' }],
    preferredOutputLocation: Object.fromEntries(locations),
    logSeverityLevel,
  })
}

type Inputs = readonly Ort.InferenceSession.TensorValueMetadata[]

/** Keys and values of no token. */
function emptyCacheOf(ort: Runtime, inputs: Inputs, headDim: number): Cache {
  const past = inputs.filter(({ name }) => name.startsWith('past_key_values.'))
  return Object.fromEntries(
    past.map(({ name, type, shape }) => {
      const dims = shape.map((size, axis) =>
        typeof size === 'number' ? size : ([1, 0, 0, headDim][axis] ?? 0),
      )
      const nothing = type === 'float16' ? new Uint16Array(0) : new Float32Array(0)
      return [name, new ort.Tensor(type, nothing, dims)]
    }),
  )
}

/** Tokens behind so many that are in the cache. */
interface Fed {
  readonly ids: readonly number[]
  readonly past: number
  readonly cache: Cache
  readonly logitsToKeep: number
}

interface Step {
  readonly logits: Ort.Tensor
  readonly cache: Cache
}

async function runSession(
  ort: Runtime,
  session: Ort.InferenceSession,
  inputs: Inputs,
  { ids, past, cache, logitsToKeep }: Fed,
): Promise<Step> {
  const total = past + ids.length
  const own: Record<string, () => Ort.Tensor> = {
    input_ids: () => new ort.Tensor('int64', integers(ids), [1, ids.length]),
    attention_mask: () => new ort.Tensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
    position_ids: () => new ort.Tensor('int64', integers(ids.map((_, i) => past + i)), [1, ids.length]),
    num_logits_to_keep: () => new ort.Tensor('int64', integers([logitsToKeep]), []),
  }
  const feeds = inputs.flatMap(({ name }) => {
    const tensor = cache[name] ?? own[name]?.()
    return tensor ? [[name, tensor] as const] : []
  })
  const { logits, ...present } = await session.run(Object.fromEntries(feeds))
  dispose(cache)
  if (!logits) throw notFloats()
  const next = Object.entries(present).map(([name, tensor]) => [pastName(name), tensor] as const)
  return { logits, cache: Object.fromEntries(next) }
}

/**
 * Opens a model file in onnxruntime.
 *
 * @throws whatever onnxruntime throws where it is not installed or the provider does not run here.
 */
export async function openRival(model: RivalModel, provider: Provider): Promise<Rival> {
  const ort = createRequire(import.meta.url)('onnxruntime-node') as Runtime
  const session = await openSession(ort, model, provider, 'logits')
  let reader: Promise<Ort.InferenceSession> | null = null
  const inputs = session.inputMetadata.filter((input) => input.isTensor)
  const emptyCache = (): Cache => emptyCacheOf(ort, inputs, model.headDim)
  const run = (by: Ort.InferenceSession, fed: Fed): Promise<Step> => runSession(ort, by, inputs, fed)
  return {
    name: `onnxruntime-node ${ort.env.versions.node ?? ''}, ${provider === 'webgpu' ? 'WebGPU' : 'CPU'} provider`,
    async logits(ids) {
      const { logits, cache } = await run(session, { ids, past: 0, cache: emptyCache(), logitsToKeep: 0 })
      dispose(cache)
      const { data } = logits
      if (data instanceof Float32Array) return data
      if (data instanceof Uint16Array) return halvesToFloats(data)
      throw notFloats()
    },
    async prefill(ids) {
      // Whole logits would come back with the session that decodes: here one piece of the cache says that all is done.
      reader ??= openSession(ort, model, provider, 'cache')
      const { logits, cache } = await run(await reader, {
        ids,
        past: 0,
        cache: emptyCache(),
        logitsToKeep: 1,
      })
      dispose(cache)
      logits.dispose()
    },
    async *generate(ids, count) {
      let cache = emptyCache()
      let length = 0
      let next = ids
      try {
        for (let i = 0; i < count; i++) {
          const step = await run(session, { ids: next, past: length, cache, logitsToKeep: 1 })
          cache = step.cache
          length += next.length
          const vocabulary = step.logits.dims.at(-1) ?? 0
          const id = lastRowMaximum(step.logits.data, vocabulary)
          yield id
          next = [id]
        }
      } finally {
        dispose(cache)
      }
    },
    async release() {
      await session.release()
      await (await reader)?.release()
    },
  }
}
