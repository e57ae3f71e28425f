import type { StopReason } from '../core/dialogue.ts'
import { check } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import { expectDims } from '../model/adapter/adapter.ts'
import type { Backbone, Casting, GenerateRequest, GpuBytes } from '../model/decoder/backbone.ts'
import { openAdapterMatrices } from '../model/adapter/cpuAdapter.ts'
import type { Decoder, DecoderShape } from '../model/decoder/decoder.ts'
import type { ExportedModel } from '../model/graph/openBackbone.ts'
import { PrefixCache } from '../model/decoder/prefixCache.ts'
import { askedTokens, logProbability } from '../model/decoder/score.ts'
import { checkLogits } from '../model/decoder/logits.ts'
import { adapterFeeds } from './adapterFeeds.ts'
import type { Attached } from './adapterFeeds.ts'
import { breathe } from './breathe.ts'
import type { AdapterFeeds, DecoderGraph } from './decoderGraph.ts'
import { openExportedGraph } from './exportedGraph.ts'
import type { OrtRuntime } from './ortRuntime.ts'
import { openRewrittenGraph } from './rewrittenGraph.ts'
import type { RewrittenGraphOptions } from './rewrittenGraph.ts'
import { createSampler } from './sampler.ts'

/** Castings whose matrices are kept; the least recently played makes room. */
const MAX_CASTINGS = 4

/** A decoder computed by onnxruntime on the CPU. */
export class OrtBackbone implements Backbone {
  readonly shape: DecoderShape
  readonly context: number
  private readonly ort: OrtRuntime
  private readonly graph: DecoderGraph
  private readonly bare: AdapterFeeds
  private attached: Attached | null = null
  private readonly feedsOf = new Map<string, AdapterFeeds>()
  /** What the graph has read. */
  private readonly prefix: PrefixCache
  private adapter: AdapterFeeds

  constructor(ort: OrtRuntime, graph: DecoderGraph) {
    this.ort = ort
    this.graph = graph
    this.shape = graph.shape
    this.context = graph.context
    this.prefix = new PrefixCache(graph.context, graph.shape.vocabulary)
    this.bare = this.feedsWith(null, null)
    this.adapter = this.bare
  }

  /**
   * A recognised decoder, its weights converted, on the graph written for it.
   *
   * @param ort onnxruntime-web or onnxruntime-node, ready to use.
   * @throws HycoraError `out-of-memory` when it does not fit, `format-invalid` when a file is damaged.
   */
  static async create(
    ort: OrtRuntime,
    decoder: Decoder,
    options: RewrittenGraphOptions = {},
  ): Promise<OrtBackbone> {
    return new OrtBackbone(ort, await openRewrittenGraph(ort, decoder, options))
  }

  /**
   * A decoder whose graph is not recognised, as it was exported; roles play where its linear layers are found.
   *
   * @throws HycoraError `format-unsupported` naming what of it is not known; `out-of-memory`.
   */
  static async ofExported(ort: OrtRuntime, exported: ExportedModel): Promise<OrtBackbone> {
    return new OrtBackbone(ort, await openExportedGraph(ort, exported))
  }

  /** Nothing of it is on a GPU. */
  gpuBytes(): GpuBytes {
    return { weights: 0, cache: 0, adapter: 0, workspace: 0 }
  }

  async attach(pack: Pack | null): Promise<void> {
    const { adapted, shape } = this.graph
    if (pack) {
      check(
        adapted,
        'model-incompatible',
        () => 'the linear layers of this backbone take no adapters, so that no pack can play on it',
      )
      expectDims(pack, shape.layers, adapted)
    }
    this.attached = pack && { pack, matrices: openAdapterMatrices(pack) }
    this.feedsOf.clear()
    this.prefix.clear()
    this.adapter = this.bare
  }

  async logits(ids: readonly number[], casting: Casting | null): Promise<Float32Array> {
    const { vocabulary } = this.shape
    this.startAt(0, casting)
    const result = new Float32Array(ids.length * vocabulary)
    for (let first = 0; first < ids.length; first += this.graph.chunkTokens) {
      const chunk = ids.slice(first, first + this.graph.chunkTokens)
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
    const start = this.reusable(ids, casting, (asked[0]?.index ?? 1) - 1)
    this.startAt(start, casting)
    const scores: number[] = []
    for (let first = start; first < last; first += this.graph.chunkTokens) {
      const end = Math.min(first + this.graph.chunkTokens, last)
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
    this.prefix.expectPrompt(ids)
    const sampler = createSampler(sampling, ids)
    let logits = await this.readPrompt(ids, request.casting, signal)
    const limit = Math.min(maxTokens, this.context - ids.length)
    for (let count = 0; count < limit; count++) {
      if (!logits || signal?.aborted) return 'cancelled'
      checkLogits(logits)
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
    this.graph.release()
  }

  /** Feeds what of the prompt is not in the cache yet; its last token's logits, or null where the signal came first. */
  private async readPrompt(
    ids: readonly number[],
    casting: Casting | null,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array | null> {
    const common = this.reusable(ids, casting, ids.length - 1)
    this.startAt(common, casting)
    let logits: Float32Array | null = null
    for (let first = common; first < ids.length; first += this.graph.chunkTokens) {
      await breathe()
      if (signal?.aborted) return null
      const chunk = ids.slice(first, first + this.graph.chunkTokens)
      logits = await this.feed(chunk, first + chunk.length === ids.length ? [chunk.length - 1] : [])
    }
    return logits
  }

  /** How many tokens of a text, at most so many, need not be read again. */
  private reusable(ids: readonly number[], casting: Casting | null, most: number): number {
    const common = Math.min(this.prefix.common(ids, casting), most)
    return this.graph.canRewind || common === this.prefix.length ? common : 0
  }

  /** Forgets the cache from a position on and takes up a casting. */
  private startAt(position: number, casting: Casting | null): void {
    this.adapter = casting ? this.feedsFor(casting) : this.bare
    this.prefix.startAt(position, casting)
  }

  private feedsFor(casting: Casting): AdapterFeeds {
    if (!this.attached) return this.bare
    const key = JSON.stringify(casting)
    const feeds = this.feedsOf.get(key) ?? this.feedsWith(this.attached, casting)
    // A Map keeps insertion order: the first key is the one played least recently.
    this.feedsOf.delete(key)
    const oldest = this.feedsOf.size >= MAX_CASTINGS ? this.feedsOf.keys().next().value : undefined
    if (oldest !== undefined) this.feedsOf.delete(oldest)
    this.feedsOf.set(key, feeds)
    return feeds
  }

  /** Runs tokens through the decoder, after what is in the cache; logits [rows, vocabulary] of the rows asked for. */
  private async feed(ids: readonly number[], rows: readonly number[]): Promise<Float32Array> {
    const first = this.prefix.take(ids)
    try {
      return await this.graph.run(ids, first, rows, this.adapter)
    } catch (error) {
      // What the graph holds now is not known.
      this.prefix.clear()
      throw error
    }
  }

  private feedsWith(attached: Attached | null, casting: Casting | null): AdapterFeeds {
    const { adapted: dims, shape } = this.graph
    return dims ? adapterFeeds(this.ort, { layers: shape.layers, dims }, attached, casting) : {}
  }
}
