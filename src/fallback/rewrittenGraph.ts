import { dimsOf } from '../model/adapter/adapter.ts'
import type { Decoder } from '../model/decoder/decoder.ts'
import { chooseForms, formBytes } from './chooseForms.ts'
import { CHUNK_TOKENS, ERRORS_ONLY, runStep, runtimeError } from './decoderGraph.ts'
import type { AdapterFeeds, DecoderGraph, Sequence } from './decoderGraph.ts'
import { KeyValueCache } from './keyValueCache.ts'
import type { ReadSequences } from './keyValueCache.ts'
import { PLAYED } from './linearLayers.ts'
import { cacheBytes } from '../core/processorMemory.ts'
import type { OrtRuntime, OrtSession, OrtTensor } from './ortRuntime.ts'
import { pastInput, rewriteDecoder } from './rewriteDecoder.ts'
import type { GraphForms } from './rewriteDecoder.ts'

export interface RewrittenGraphOptions {
  /** The weight forms; by default `chooseForms` decides. */
  readonly forms?: GraphForms
  /** False leaves the adapters out, so that no pack can be attached: what they cost is measured against this. */
  readonly adapters?: boolean
  /** Told after each converted layer how many of all are done. */
  readonly onLayer?: (done: number, all: number) => void
}

const PARTS = ['key', 'value'] as const

/**
 * A recognised decoder on the graph that `rewriteDecoder` writes for it, weights converted one after the other.
 *
 * @throws HycoraError `out-of-memory` when it does not fit, `format-invalid` when a file is damaged.
 */
export async function openRewrittenGraph(
  ort: OrtRuntime,
  decoder: Decoder,
  options: RewrittenGraphOptions = {},
): Promise<DecoderGraph> {
  const { layers, kvHeads, headDim, maxPositions } = decoder
  const positionBytes = layers * 2 * kvHeads * headDim * 4
  const { adapters = true, onLayer, forms = chooseForms(decoder) } = options
  const fitting = Math.floor(cacheBytes(formBytes(decoder, forms)) / positionBytes)
  const context = Math.min(maxPositions, fitting)
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
  return new RewrittenGraph(ort, session, decoder, { context, adapters })
}

class RewrittenGraph implements DecoderGraph {
  readonly shape: Decoder
  readonly context: number
  readonly canRewind = true
  readonly readsPairs = true
  readonly chunkTokens = CHUNK_TOKENS
  readonly adapted: DecoderGraph['adapted']
  private readonly ort: OrtRuntime
  private readonly session: OrtSession
  private readonly cache: KeyValueCache

  constructor(
    ort: OrtRuntime,
    session: OrtSession,
    decoder: Decoder,
    { context, adapters }: { context: number; adapters: boolean },
  ) {
    this.ort = ort
    this.session = session
    this.shape = decoder
    this.context = context
    this.adapted = adapters ? dimsOf(decoder) : null
    this.cache = new KeyValueCache(decoder)
  }

  async run(
    ids: readonly number[],
    first: number,
    rows: readonly number[],
    adapter: AdapterFeeds,
    sequence: Sequence = 0,
  ): Promise<Float32Array> {
    const end = first + ids.length
    this.cache.reserve(end, sequence + 1)
    const played = ids.map(() => 1)
    const feeds = this.feeds({ ids, rows, reading: sequence, first, lasts: [end - 1], played })
    const outputs = await runStep(this.session, { ...adapter, ...feeds })
    this.cache.write(sequence, first, floatsOf(outputs['new']), [[first, end]])
    return floatsOf(outputs['logits'])
  }

  async runPair(
    ids: readonly [number, number],
    firsts: readonly [number, number],
    adapter: AdapterFeeds,
    bare?: AdapterFeeds,
  ): Promise<readonly [Float32Array, Float32Array]> {
    const first = Math.min(...firsts)
    this.cache.reserve(Math.max(...firsts) + 1, 2)
    const played = [1, bare ? 0 : 1]
    const feeds = this.feeds({ ids, rows: [0, 1], reading: 'both', first, lasts: firsts, played })
    const outputs = await runStep(this.session, { ...adapter, ...feeds })
    const fresh = firsts.map((position) => [position, position + 1] as const)
    this.cache.write('both', first, floatsOf(outputs['new']), fresh)
    const logits = floatsOf(outputs['logits'])
    const { vocabulary } = this.shape
    return [logits.subarray(0, vocabulary), logits.subarray(vocabulary)]
  }

  copy(first: number, end: number): void {
    this.cache.reserve(end, 2)
    this.cache.copy(first, end)
  }

  release(): void {
    this.session.release().catch(() => undefined)
  }

  /** @param run `lasts`: the last position of each sequence that is read; `first`: the first of all; `played`: of each token, whether a role plays. */
  private feeds(run: {
    readonly ids: readonly number[]
    readonly rows: readonly number[]
    readonly reading: ReadSequences
    readonly first: number
    readonly lasts: readonly number[]
    readonly played: readonly number[]
  }): Record<string, OrtTensor> {
    const { ids, rows, reading, first, lasts, played } = run
    const { Tensor } = this.ort
    const end = Math.max(...lasts) + 1
    const longs = (values: readonly number[]): OrtTensor =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length])
    const feeds: Record<string, OrtTensor> = {
      ids: longs(ids),
      first: longs([first]),
      end: longs([end]),
      sequences: longs([lasts.length]),
      last: new Tensor('int32', Int32Array.from(lasts), [lasts.length]),
      total: new Tensor('int32', Int32Array.of(end), []),
      // onnxruntime's product of bytes fails on no rows at all: one is computed and not read.
      logit_rows: longs(rows.length > 0 ? rows : [0]),
    }
    if (this.adapted) feeds[PLAYED] = new Tensor('float32', Float32Array.from(played), [played.length, 1])
    for (let layer = 0; layer < this.shape.layers; layer++) {
      for (const part of PARTS) {
        const { values, dims } = this.cache.read(part, layer, reading)
        feeds[pastInput(part, layer)] = new Tensor('float32', values, dims)
      }
    }
    return feeds
  }
}

function floatsOf(tensor: OrtTensor | undefined): Float32Array {
  const data = tensor?.data
  if (!(data instanceof Float32Array))
    throw new RangeError('the graph gave no float32 values where it should')
  return data
}
