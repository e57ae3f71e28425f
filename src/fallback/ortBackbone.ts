import { HycoraError, asHycoraError, check } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import { expectFits } from '../model/adapter.ts'
import type { Backbone, Casting, GenerateRequest, GpuBytes, StopReason } from '../model/backbone.ts'
import { isAdapted, openAdapterMatrices } from '../model/cpuAdapter.ts'
import type { AdapterMatrices } from '../model/cpuAdapter.ts'
import type { Decoder } from '../model/decoder.ts'
import { PROJECTIONS } from '../model/decoder.ts'
import { askedTokens, logProbability } from '../model/score.ts'
import { breathe } from './breathe.ts'
import { chooseForms } from './chooseForms.ts'
import { KeyValueCache } from './keyValueCache.ts'
import { adapterInput } from './linearLayers.ts'
import type { OrtRuntime, OrtSession, OrtTensor } from './ortRuntime.ts'
import { pastInput, rewriteDecoder } from './rewriteDecoder.ts'
import type { GraphForms } from './rewriteDecoder.ts'
import { createSampler } from './sampler.ts'

export interface OrtBackboneOptions {
  /** The weight forms; by default `chooseForms` decides. */
  readonly forms?: GraphForms
  /** False leaves the adapters out, so that no pack can be attached: what they cost is measured against this. */
  readonly adapters?: boolean
  /** Bytes that the cache of keys and values may take; the context is cut to what fits. */
  readonly cacheBytes?: number
  /** Told after each converted layer how many of all are done. */
  readonly onLayer?: (done: number, all: number) => void
}

/** Every run copies the whole cache into onnxruntime's memory, so it stays smaller than on a GPU. */
const DEFAULT_CACHE_BYTES = 96 * 2 ** 20

/** Tokens of a prompt that one run reads; between runs the signal is heard. */
const CHUNK_ROWS = 64

/** Castings whose matrices are kept; the least recently played makes room. */
const MAX_CASTINGS = 4

/** Of onnxruntime's levels; a command's stderr is for its own errors. */
const ERRORS_ONLY = 3

const PARTS = ['key', 'value'] as const

/** A and B of every linear layer by the names of the graph's inputs. */
type AdapterFeeds = Readonly<Record<string, OrtTensor>>

interface Attached {
  readonly pack: Pack
  readonly matrices: AdapterMatrices
}

/** A decoder computed by onnxruntime on the CPU, on a graph written for it. */
export class OrtBackbone implements Backbone {
  readonly shape: Decoder
  readonly context: number
  readonly forms: GraphForms
  private readonly ort: OrtRuntime
  private readonly session: OrtSession
  private readonly cache: KeyValueCache
  private readonly bare: AdapterFeeds
  private readonly hasAdapters: boolean
  private attached: Attached | null = null
  private readonly feedsOf = new Map<string, AdapterFeeds>()
  /** What the cache holds: token ids by position, computed for this casting. */
  private cachedIds: number[] = []
  private cachedFor = ''
  private adapter: AdapterFeeds

  private constructor(
    ort: OrtRuntime,
    session: OrtSession,
    decoder: Decoder,
    { context, forms, adapters }: { context: number; forms: GraphForms; adapters: boolean },
  ) {
    this.ort = ort
    this.session = session
    this.shape = decoder
    this.context = context
    this.forms = forms
    this.cache = new KeyValueCache(decoder)
    this.bare = adapters ? adapterFeeds(ort, decoder, null, null) : {}
    this.hasAdapters = adapters
    this.adapter = this.bare
  }

  /**
   * Converts a recognised decoder's weights, one after the other, and opens the graph written for them.
   *
   * @param ort onnxruntime-web or onnxruntime-node, ready to use.
   * @throws HycoraError `out-of-memory` when it does not fit, `format-invalid` when a file is damaged.
   */
  static async create(
    ort: OrtRuntime,
    decoder: Decoder,
    options: OrtBackboneOptions = {},
  ): Promise<OrtBackbone> {
    const { layers, kvHeads, headDim, maxPositions } = decoder
    const positionBytes = layers * 2 * kvHeads * headDim * 4
    const fitting = Math.floor((options.cacheBytes ?? DEFAULT_CACHE_BYTES) / positionBytes)
    const context = Math.min(maxPositions, fitting)
    const forms = options.forms ?? chooseForms(decoder)
    const { adapters = true, onLayer } = options
    const { model, externalData } = await rewriteDecoder(decoder, {
      forms,
      context,
      adapters,
      ...(onLayer && { onLayer }),
    })
    const session = await ort.InferenceSession.create(model, {
      externalData,
      executionProviders: ['cpu'],
      logSeverityLevel: ERRORS_ONLY,
    }).catch((error: unknown) => {
      throw runtimeError(error, 'onnxruntime could not open the backbone')
    })
    return new OrtBackbone(ort, session, decoder, { context, forms, adapters })
  }

  /** Nothing of it is on a GPU. */
  gpuBytes(): GpuBytes {
    return { weights: 0, cache: 0, adapter: 0, workspace: 0 }
  }

  async attach(pack: Pack | null): Promise<void> {
    check(!pack || this.hasAdapters, 'usage', () => 'this backbone was opened without adapters')
    if (pack) expectFits(pack, this.shape)
    this.attached = pack && { pack, matrices: openAdapterMatrices(pack) }
    this.feedsOf.clear()
    this.cachedIds = []
    this.cachedFor = ''
    this.adapter = this.bare
  }

  async logits(ids: readonly number[], casting: Casting | null): Promise<Float32Array> {
    const { vocabulary } = this.shape
    this.startAt(0, casting)
    const result = new Float32Array(ids.length * vocabulary)
    for (let first = 0; first < ids.length; first += CHUNK_ROWS) {
      const chunk = ids.slice(first, first + CHUNK_ROWS)
      const rows = chunk.map((_, row) => row)
      result.set(await this.feed(chunk, rows), first * vocabulary)
    }
    return result
  }

  async score(
    ids: readonly number[],
    isReply: readonly boolean[],
    casting: Casting | null,
  ): Promise<Float32Array> {
    const { vocabulary } = this.shape
    const asked = askedTokens(ids, isReply)
    const last = asked.at(-1)?.index ?? 0
    const start = Math.min(this.commonPrefix(ids, casting), (asked[0]?.index ?? 1) - 1)
    this.startAt(start, casting)
    const scores: number[] = []
    for (let first = start; first < last; first += CHUNK_ROWS) {
      const end = Math.min(first + CHUNK_ROWS, last)
      const inChunk = asked.filter(({ index }) => index > first && index <= end)
      const rows = inChunk.map(({ index }) => index - 1 - first)
      const logits = await this.feed(ids.slice(first, end), rows)
      for (const [row, { target }] of inChunk.entries())
        scores.push(logProbability(logits.subarray(row * vocabulary, (row + 1) * vocabulary), target))
    }
    return Float32Array.from(scores)
  }

  step(id: number): Promise<Float32Array> {
    return this.feed([id], [0])
  }

  async *generate(request: GenerateRequest): AsyncGenerator<number, StopReason> {
    const { ids, sampling, stopIds, signal, maxTokens } = request
    check(ids.length > 0, 'usage', () => 'the prompt is empty')
    check(ids.length < this.context, 'usage', () => {
      return `the prompt has ${ids.length} tokens, this backbone holds ${this.context} here`
    })
    const sampler = createSampler(sampling, ids)
    let logits = await this.readPrompt(ids, request.casting, signal)
    const limit = Math.min(maxTokens, this.context - ids.length)
    for (let count = 0; count < limit; count++) {
      if (!logits || signal?.aborted) return 'cancelled'
      const id = sampler.next(logits, ids.length + count - 1)
      if (stopIds.includes(id)) return 'end'
      yield id
      if (signal?.aborted) return 'cancelled'
      await breathe()
      if (count + 1 < limit) logits = await this.feed([id], [0])
    }
    return limit < maxTokens ? 'context' : 'length'
  }

  destroy(): void {
    this.session.release().catch(() => undefined)
  }

  /** Feeds what of the prompt is not in the cache yet; its last token's logits, or null where the signal came first. */
  private async readPrompt(
    ids: readonly number[],
    casting: Casting | null,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array | null> {
    const common = Math.min(this.commonPrefix(ids, casting), ids.length - 1)
    this.startAt(common, casting)
    let logits: Float32Array | null = null
    for (let first = common; first < ids.length; first += CHUNK_ROWS) {
      await breathe()
      if (signal?.aborted) return null
      const chunk = ids.slice(first, first + CHUNK_ROWS)
      logits = await this.feed(chunk, first + chunk.length === ids.length ? [chunk.length - 1] : [])
    }
    return logits
  }

  /** How many tokens of a text the cache holds for this casting. */
  private commonPrefix(ids: readonly number[], casting: Casting | null): number {
    if (this.cachedFor !== JSON.stringify(casting)) return 0
    const differing = ids.findIndex((id, index) => this.cachedIds[index] !== id)
    return differing < 0 ? ids.length : differing
  }

  /** Forgets the cache from a position on and takes up a casting. */
  private startAt(position: number, casting: Casting | null): void {
    this.adapter = casting ? this.feedsFor(casting) : this.bare
    this.cachedIds.length = position
    this.cachedFor = JSON.stringify(casting)
  }

  private feedsFor(casting: Casting): AdapterFeeds {
    if (!this.attached) return this.bare
    const key = JSON.stringify(casting)
    const feeds = this.feedsOf.get(key) ?? adapterFeeds(this.ort, this.shape, this.attached, casting)
    // A Map keeps insertion order: the first key is the one played least recently.
    this.feedsOf.delete(key)
    const oldest = this.feedsOf.size >= MAX_CASTINGS ? this.feedsOf.keys().next().value : undefined
    if (oldest !== undefined) this.feedsOf.delete(oldest)
    this.feedsOf.set(key, feeds)
    return feeds
  }

  /** Runs tokens through the decoder, after what is in the cache; logits [rows, vocabulary] of the rows asked for. */
  private async feed(ids: readonly number[], rows: readonly number[]): Promise<Float32Array> {
    const first = this.cachedIds.length
    const end = first + ids.length
    check(end <= this.context, 'usage', () => {
      return `${end} tokens were to be read, this backbone holds ${this.context} here`
    })
    const { vocabulary } = this.shape
    const outside = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary)
    check(outside === undefined, 'usage', () => {
      return `token id ${outside} is outside the vocabulary of ${vocabulary}`
    })
    this.cache.reserve(end)
    const outputs = await this.session.run(this.runFeeds(ids, rows)).catch((error: unknown) => {
      throw runtimeError(error, 'onnxruntime could not compute the next token')
    })
    this.cache.write(first, floatsOf(outputs['new']))
    this.cachedIds.push(...ids)
    return floatsOf(outputs['logits'])
  }

  private runFeeds(ids: readonly number[], rows: readonly number[]): Record<string, OrtTensor> {
    const { Tensor } = this.ort
    const first = this.cachedIds.length
    const end = first + ids.length
    const longs = (values: readonly number[]): OrtTensor =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length])
    const feeds: Record<string, OrtTensor> = {
      ...this.adapter,
      ids: longs(ids),
      first: longs([first]),
      end: longs([end]),
      last: new Tensor('int32', Int32Array.of(end - 1), [1]),
      total: new Tensor('int32', Int32Array.of(end), []),
      // onnxruntime's product of bytes fails on no rows at all: one is computed and not read.
      logit_rows: longs(rows.length > 0 ? rows : [0]),
    }
    for (let layer = 0; layer < this.shape.layers; layer++) {
      for (const part of PARTS) {
        const { values, dims } = this.cache.read(part, layer)
        feeds[pastInput(part, layer)] = new Tensor('float32', values, dims)
      }
    }
    return feeds
  }
}

/** A and B of a casting as tensors; of rank 0 where nobody plays or the pack leaves a projection as it is. */
function adapterFeeds(
  ort: OrtRuntime,
  decoder: Decoder,
  attached: Attached | null,
  casting: Casting | null,
): AdapterFeeds {
  const feeds: Record<string, OrtTensor> = {}
  const { layers } = decoder
  for (const projection of PROJECTIONS) {
    const isPlayed = attached && casting && isAdapted(attached.pack, projection)
    const rank = isPlayed ? attached.pack.config.rank : 0
    const stack = (
      of: (matrices: AdapterMatrices, casting: Casting, layer: number) => Float32Array,
    ): Float32Array =>
      isPlayed
        ? joined(Array.from({ length: layers }, (_, layer) => of(attached.matrices, casting, layer)))
        : new Float32Array(0)
    const a = stack((matrices, played, layer) => matrices.mixA(played, layer, projection))
    const b = stack((matrices, played, layer) => matrices.b(played, layer, projection))
    const weight = decoder.blocks[0]?.linears[projection].weight
    feeds[adapterInput('A', projection)] = new ort.Tensor('float32', a, [layers, weight?.in ?? 0, rank])
    feeds[adapterInput('B', projection)] = new ort.Tensor('float32', b, [layers, rank, weight?.out ?? 0])
  }
  return feeds
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const array of arrays) {
    all.set(array, offset)
    offset += array.length
  }
  return all
}

function floatsOf(tensor: OrtTensor | undefined): Float32Array {
  const data = tensor?.data
  if (!(data instanceof Float32Array))
    throw new RangeError('the graph gave no float32 values where it should')
  return data
}

/** onnxruntime tells its troubles in text alone. */
function runtimeError(error: unknown, what: string): HycoraError {
  const { message } = asHycoraError(error, 'device-lost')
  const code = /alloc|memory|oom/i.test(message) ? 'out-of-memory' : 'device-lost'
  return new HycoraError(code, `${what}: ${message}`, { cause: error })
}
