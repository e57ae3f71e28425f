import { HycoraError, check } from '../core/errors.ts'
import { halfToFloat } from '../core/half.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { OnnxModel, OnnxValue } from '../formats/onnx.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import { writeOnnx } from '../formats/onnxWriter.ts'
import type { DecoderShape } from '../model/decoder/decoder.ts'
import type { ExportedModel } from '../model/graph/openBackbone.ts'
import { adaptGraph } from './adaptGraph.ts'
import { ERRORS_ONLY, runStep, runtimeError } from './decoderGraph.ts'
import type { AdapterFeeds, DecoderGraph } from './decoderGraph.ts'
import type { ExternalData } from './graphBuilder.ts'
import type { OrtRuntime, OrtSession, OrtTensor } from './ortRuntime.ts'
import { CACHE_BYTES } from './rewrittenGraph.ts'

const PAST = /^past_key_values\.(\d+)\.(key|value)$/
const KNOWN_INPUTS = ['input_ids', 'attention_mask', 'position_ids']

/** The inputs and sizes of a decoder as exporters write them. */
interface Signature {
  readonly shape: DecoderShape
  readonly context: number
  /** Names of the cache's inputs; their outputs are `present.{l}.{part}`. */
  readonly past: readonly string[]
  readonly isHalf: boolean
  readonly inputs: ReadonlySet<string>
}

/**
 * A decoder whose graph is not recognised, run as its exporter wrote it; roles play where its linear layers are found by
 * name. Its weights stay in the form of the file, so that it is slower than a recognised one.
 *
 * @throws HycoraError `format-unsupported` naming an input that is not known; `out-of-memory`.
 */
export async function openExportedGraph(ort: OrtRuntime, exported: ExportedModel): Promise<DecoderGraph> {
  const { model, bytes } = exported
  const signature = readSignature(model, exported.config)
  const adapted = adaptGraph(model, signature.shape.layers)
  const written = adapted && tryWriting(adapted.model)
  const session = await ort.InferenceSession.create(written ?? bytes, {
    externalData: await readExternal(exported),
    executionProviders: ['cpu'],
    logSeverityLevel: ERRORS_ONLY,
  }).catch((error: unknown) => {
    throw runtimeError(error, `onnxruntime could not open ${model.fileName}`)
  })
  return new ExportedGraph(ort, session, signature, written && adapted ? adapted.dims : null)
}

/** The changed graph, or null where it holds what cannot be written again; then it plays without roles. */
function tryWriting(model: OnnxModel): Uint8Array | null {
  try {
    return writeOnnx(model)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** The files beside the model that hold its weights, whole. */
async function readExternal({ model, folder }: ExportedModel): Promise<ExternalData[]> {
  const locations = new Set<string>()
  for (const { content } of model.graph.initializers.values()) {
    if (content.kind === 'external') locations.add(content.location)
  }
  const data: ExternalData[] = []
  for (const path of locations) {
    const source = await folder.open(path)
    check(
      source,
      'format-invalid',
      () => `${model.fileName} places weights in ${path}, which is not beside it`,
    )
    data.push({ path, data: await source.read(0, source.sizeBytes) })
  }
  return data
}

function readSignature({ fileName, graph }: OnnxModel, config: unknown): Signature {
  const past = graph.inputs.filter(({ name }) => PAST.test(name))
  const [first] = past
  const unknown = graph.inputs.find(
    ({ name }) => !PAST.test(name) && !KNOWN_INPUTS.includes(name) && !graph.initializers.has(name),
  )
  check(!unknown, 'format-unsupported', () => {
    return `${fileName} has the input ${unknown?.name}, expected ${KNOWN_INPUTS.join(', ')} and past_key_values.*`
  })
  const hasIds = graph.inputs.some(({ name }) => name === 'input_ids')
  check(first && hasIds, 'format-unsupported', () => {
    return `${fileName} has no inputs input_ids and past_key_values.0.key, expected a decoder with a cache`
  })
  const stated = (name: string): number | undefined => {
    const value = isJsonRecord(config) ? ownField(config, name) : undefined
    return typeof value === 'number' && value > 0 ? value : undefined
  }
  const logits = graph.outputs.find(({ name }) => name === 'logits')
  const heads = stated('num_attention_heads') ?? 0
  const hidden = stated('hidden_size') ?? 0
  const headDim = sizeAt(first, 3) ?? stated('head_dim') ?? (heads > 0 ? hidden / heads : undefined)
  const kvHeads = sizeAt(first, 1) ?? stated('num_key_value_heads') ?? heads
  const vocabulary = (logits && sizeAt(logits, 2)) ?? stated('vocab_size')
  if (!headDim || !kvHeads || !vocabulary || !logits) {
    throw new HycoraError(
      'format-unsupported',
      `${fileName} and config.json do not say the size of heads and vocabulary, expected head_dim and vocab_size`,
    )
  }
  const layers = past.length / 2
  const positionBytes = layers * 2 * kvHeads * headDim * 4
  const fitting = Math.floor(CACHE_BYTES / positionBytes)
  return {
    shape: {
      layers,
      hidden,
      heads,
      kvHeads,
      headDim,
      ffn: stated('intermediate_size') ?? 0,
      vocabulary,
    },
    context: Math.min(stated('max_position_embeddings') ?? fitting, fitting),
    past: past.map(({ name }) => name),
    isHalf: first.dataType === DATA_TYPES.f16,
    inputs: new Set(graph.inputs.map(({ name }) => name)),
  }
}

function sizeAt({ dims }: OnnxValue, axis: number): number | undefined {
  const size = dims?.[axis]
  return typeof size === 'number' && size > 0 ? size : undefined
}

class ExportedGraph implements DecoderGraph {
  readonly shape: DecoderShape
  readonly context: number
  readonly adapted: DecoderGraph['adapted']
  private readonly ort: OrtRuntime
  private readonly session: OrtSession
  private readonly signature: Signature
  /** Keys and values of `length` positions, by the names of the inputs that take them. */
  private cache: Readonly<Record<string, OrtTensor>> = {}
  private length = 0

  constructor(ort: OrtRuntime, session: OrtSession, signature: Signature, adapted: DecoderGraph['adapted']) {
    this.ort = ort
    this.session = session
    this.signature = signature
    this.shape = signature.shape
    this.context = signature.context
    this.adapted = adapted
  }

  async run(
    ids: readonly number[],
    first: number,
    rows: readonly number[],
    adapter: AdapterFeeds,
  ): Promise<Float32Array> {
    this.forgetFrom(first)
    const feeds = { ...adapter, ...this.tokenFeeds(ids, first), ...this.cache }
    const outputs = await runStep(this.session, feeds)
    const { vocabulary } = this.shape
    const logits = floatsOf(outputs['logits'])
    this.cache = Object.fromEntries(
      this.signature.past.map((name) => [name, outputs[name.replace('past_key_values', 'present')]]),
    ) as Record<string, OrtTensor>
    this.length = first + ids.length
    const wanted = rows.length > 0 ? rows : [0]
    const result = new Float32Array(wanted.length * vocabulary)
    wanted.forEach((row, index) => {
      result.set(logits.subarray(row * vocabulary, (row + 1) * vocabulary), index * vocabulary)
    })
    return result
  }

  release(): void {
    this.session.release().catch(() => undefined)
  }

  private tokenFeeds(ids: readonly number[], first: number): Record<string, OrtTensor> {
    const longs = (values: readonly number[]): OrtTensor =>
      new this.ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length])
    const given: Readonly<Record<string, OrtTensor>> = {
      input_ids: longs(ids),
      attention_mask: longs(Array.from({ length: first + ids.length }, () => 1)),
      position_ids: longs(ids.map((_, index) => first + index)),
    }
    return Object.fromEntries(Object.entries(given).filter(([name]) => this.signature.inputs.has(name)))
  }

  /** Cuts the cache to its first positions. */
  private forgetFrom(position: number): void {
    if (position === this.length && position > 0) return
    const kept = Math.min(position, this.length)
    const { isHalf, past } = this.signature
    const { kvHeads, headDim } = this.shape
    const { Tensor } = this.ort
    const dims = [1, kvHeads, kept, headDim]
    this.cache = Object.fromEntries(
      past.map((name) => {
        const values = this.cache[name]?.data
        const tensor =
          isHalf || values instanceof Uint16Array
            ? new Tensor(
                'float16',
                cut(new Uint16Array(kvHeads * kept * headDim), bitsOf(values), kvHeads),
                dims,
              )
            : new Tensor('float32', cut(new Float32Array(kvHeads * kept * headDim), values, kvHeads), dims)
        return [name, tensor]
      }),
    )
    this.length = kept
  }
}

/** Copies the first positions of each head. */
function cut<T extends Float32Array | Uint16Array>(target: T, source: unknown, heads: number): T {
  if (!(source instanceof Float32Array || source instanceof Uint16Array) || target.length === 0) return target
  const [size, stride] = [target.length / heads, source.length / heads]
  for (let head = 0; head < heads; head++) {
    target.set(source.subarray(head * stride, head * stride + size), head * size)
  }
  return target
}

/** The bits of float16 values: where the language has such an array, onnxruntime gives that. */
function bitsOf(data: unknown): Uint16Array {
  if (data instanceof Uint16Array) return data
  return ArrayBuffer.isView(data)
    ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    : new Uint16Array(0)
}

function floatsOf(tensor: OrtTensor | undefined): Float32Array {
  const data = tensor?.data
  if (data instanceof Float32Array) return data
  if (tensor?.type === 'float16') return Float32Array.from(bitsOf(data), halfToFloat)
  throw new RangeError('the graph gave no logits in floats')
}
