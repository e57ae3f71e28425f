import type { StopReason } from '../core/dialogue.ts'
import { check } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import { expectDims } from '../model/adapter/adapter.ts'
import type { Backbone, Casting, GenerateRequest, GpuBytes } from '../model/decoder/backbone.ts'
import { openAdapterMatrices } from '../model/adapter/cpuAdapter.ts'
import type { Decoder, DecoderShape } from '../model/decoder/decoder.ts'
import { leadingOf } from '../model/decoder/leading.ts'
import type { Leading } from '../model/decoder/leading.ts'
import type { ExportedModel } from '../model/graph/openBackbone.ts'
import { PrefixCache } from '../model/decoder/prefixCache.ts'
import { askedTokens, logProbability } from '../model/decoder/score.ts'
import { checkLogits } from '../model/decoder/logits.ts'
import { adapterFeeds } from './adapterFeeds.ts'
import type { Attached } from './adapterFeeds.ts'
import { breathe } from './breathe.ts'
import type { AdapterFeeds, DecoderGraph, Sequence } from './decoderGraph.ts'
import { openExportedGraph } from './exportedGraph.ts'
import type { OrtRuntime } from './ortRuntime.ts'
import { openRewrittenGraph } from './rewrittenGraph.ts'
import type { RewrittenGraphOptions } from './rewrittenGraph.ts'
import { createCpuSampler } from './sampler.ts'

/** Castings whose matrices are kept; the least recently played makes room. */
const MAX_CASTINGS = 4

/** Logits of the chat, and of the one beside it where that is read too. */
type Rows = readonly [chat: Float32Array, beside?: Float32Array]

/** A decoder computed by onnxruntime on the CPU. */
export class OrtBackbone implements Backbone {
  readonly shape: DecoderShape
  readonly context: number
  readonly affordsGuidance: boolean
  private readonly ort: OrtRuntime
  private readonly graph: DecoderGraph
  private readonly bare: AdapterFeeds
  private attached: Attached | null = null
  private readonly feedsOf = new Map<string, AdapterFeeds>()
  /** What the graph has read, by sequence: the chat that is answered, and the one that guidance leads away from. */
  private readonly prefixes: readonly [PrefixCache, PrefixCache]
  /** Who reads them, by sequence. */
  private readonly adapters: [AdapterFeeds, AdapterFeeds]

  constructor(ort: OrtRuntime, graph: DecoderGraph) {
    this.ort = ort
    this.graph = graph
    this.shape = graph.shape
    this.context = graph.context
    this.affordsGuidance = graph.readsPairs
    const createPrefix = (): PrefixCache => new PrefixCache(graph.context, graph.shape.vocabulary)
    this.prefixes = [createPrefix(), createPrefix()]
    this.bare = this.feedsWith(null, null)
    this.adapters = [this.bare, this.bare]
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
    for (const prefix of this.prefixes) prefix.clear()
    this.adapters.fill(this.bare)
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
    const start = this.reusable(0, ids, casting, (asked[0]?.index ?? 1) - 1)
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
    const { ids, sampling, stopIds, sentenceEnds = new Set(), signal, maxTokens } = request
    const leading = leadingOf(request)
    this.prefixes[0].expectPrompt(ids)
    if (leading) this.prefixes[1].expectPrompt(leading.ids)
    const guidance = leading?.guidance ?? 0
    const sampler = createCpuSampler({ ...sampling, guidance }, ids, {
      sentence: sentenceEnds,
      turn: stopIds,
    })
    let logits = await this.readPrompts(ids, leading, request.casting, signal)
    const limit = Math.min(maxTokens, this.context - Math.max(ids.length, leading?.ids.length ?? 0))
    for (let count = 0; count < limit; count++) {
      if (!logits || signal?.aborted) return 'cancelled'
      const [own, other] = logits
      checkLogits(own)
      if (other) checkLogits(other)
      const id = sampler.next(own, ids.length + count - 1, other)
      if (stopIds.includes(id)) return 'end'
      yield id
      if (signal?.aborted) return 'cancelled'
      await breathe()
      if (count + 1 < limit) logits = leading ? await this.feedBoth(id) : [await this.feed([id], [0])]
    }
    return limit < maxTokens ? 'context' : 'length'
  }

  destroy(): void {
    this.graph.release()
  }

  /**
   * Feeds what of the prompts is not in the cache yet; the logits of their last tokens, or null where the signal came
   * first.
   */
  private async readPrompts(
    ids: readonly number[],
    leading: Leading | null,
    casting: Casting | null,
    signal: AbortSignal | undefined,
  ): Promise<Rows | null> {
    const [chat, other] = this.prefixes
    this.begin(0, this.reusable(0, ids, casting, ids.length - 1), casting)
    const logits = await this.read(ids, 0, signal)
    if (!leading || !logits) return logits && [logits]
    const { ids: beside, casting: reader } = leading
    this.begin(1, this.reusable(1, beside, reader, beside.length - 1), reader)
    // What both have in common is read already, where the same reads it: keys and values hang on nothing that comes later.
    const shared = Math.min(chat.common(beside, reader), beside.length - 1)
    if (this.graph.canRewind && shared > other.length) {
      this.graph.copy(other.length, shared)
      other.take(beside.slice(other.length, shared))
    }
    const others = await this.read(beside, 1, signal)
    return others && [logits, others]
  }

  /** Feeds a sequence's tokens behind those that are in the cache; the logits of the last one, or null as above. */
  private async read(
    ids: readonly number[],
    sequence: Sequence,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array | null> {
    const { chunkTokens } = this.graph
    let logits: Float32Array | null = null
    for (let first = this.prefixes[sequence].length; first < ids.length; first += chunkTokens) {
      await breathe()
      if (signal?.aborted) return null
      const chunk = ids.slice(first, first + chunkTokens)
      logits = await this.feed(chunk, first + chunk.length === ids.length ? [chunk.length - 1] : [], sequence)
    }
    return logits
  }

  /** How many tokens of a text, at most so many, need not be read again. */
  private reusable(
    sequence: Sequence,
    ids: readonly number[],
    casting: Casting | null,
    most: number,
  ): number {
    const prefix = this.prefixes[sequence]
    const common = Math.min(prefix.common(ids, casting), most)
    return this.graph.canRewind || common === prefix.length ? common : 0
  }

  /** Forgets the chat from a position on and takes up a casting. */
  private startAt(position: number, casting: Casting | null): void {
    this.begin(0, position, casting)
  }

  /** Forgets a sequence from a position on; who reads it from there. */
  private begin(sequence: Sequence, position: number, casting: Casting | null): void {
    this.adapters[sequence] = casting ? this.feedsFor(casting) : this.bare
    this.prefixes[sequence].startAt(position, casting)
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

  /**
   * Runs tokens through the decoder, after what is in the cache of their sequence; logits [rows, vocabulary] of the rows
   * asked for.
   */
  private feed(
    ids: readonly number[],
    rows: readonly number[],
    sequence: Sequence = 0,
  ): Promise<Float32Array> {
    const first = this.prefixes[sequence].take(ids)
    return this.orGiveUp(() => this.graph.run(ids, first, rows, this.adapters[sequence], sequence))
  }

  /** Runs one token through the decoder behind both sequences. */
  private feedBoth(id: number): Promise<Rows> {
    const [chat, other] = this.prefixes
    const firsts = [chat.take([id]), other.take([id])] as const
    const [adapter, beside] = this.adapters
    const bare = beside === adapter ? undefined : beside
    return this.orGiveUp(() => this.graph.runPair([id, id], firsts, adapter, bare))
  }

  /** What `work` reads; where it fails, what the graph holds now is not known. */
  private async orGiveUp<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      for (const prefix of this.prefixes) prefix.clear()
      throw error
    }
  }

  private feedsWith(attached: Attached | null, casting: Casting | null): AdapterFeeds {
    const { adapted: dims, shape } = this.graph
    return dims ? adapterFeeds(this.ort, { layers: shape.layers, dims }, attached, casting) : {}
  }
}
