import { HycoraError, asHycoraError, check } from '../core/errors.ts'
import { halvesToFloats } from '../core/half.ts'
import type { OnnxModel } from '../formats/onnx.ts'
import { writeOnnx } from '../formats/onnxWriter.ts'
import type { DecoderShape } from '../model/decoder/decoder.ts'
import type { ExportedModel } from '../model/graph/openBackbone.ts'
import { adaptGraph } from './adaptGraph.ts'
import type { AdaptedGraph } from './adaptGraph.ts'
import { adapterFeeds } from './adapterFeeds.ts'
import { CHUNK_TOKENS, ERRORS_ONLY, runStep, runtimeError } from './decoderGraph.ts'
import type { AdapterFeeds, DecoderGraph, Sequence } from './decoderGraph.ts'
import type { ExternalData } from './graphBuilder.ts'
import { GraphStates, statePositionBytes } from './graphStates.ts'
import { separateHeadNorms } from './headNorms.ts'
import { cacheBytes } from '../core/processorMemory.ts'
import type { OrtRuntime, OrtSession, OrtTensor } from './ortRuntime.ts'
import { probeGraph, roundsTogether } from './probeGraph.ts'
import type { Appetite, ProbedGraph } from './probeGraph.ts'
import { readSignature } from './signature.ts'
import type { Signature } from './signature.ts'
import { tokenFeeds } from './tokenFeeds.ts'
import { unrounded } from './unrounded.ts'

/**
 * A decoder whose graph is not recognised, run as its exporter wrote it; roles play where its linear layers are found by
 * name. Its weights stay in the form of the file, so that it is slower than a recognised one. Three tokens are read at
 * once and one by one, to see how it takes them.
 *
 * @throws HycoraError `format-unsupported` naming an input that is not known, or in onnxruntime's words what of the graph
 * it does not compute; `out-of-memory`.
 */
export async function openExportedGraph(ort: OrtRuntime, exported: ExportedModel): Promise<DecoderGraph> {
  const { model, bytes, config } = exported
  const signature = readSignature(model, config)
  const separated = separateHeadNorms(model)
  const adapted = adaptGraph(separated, signature.shape.layers)
  const externalData = await readExternal(exported)
  const weightBytes = externalData.reduce((sum, { data }) => sum + data.length, bytes.length)
  const fitting = Math.floor(cacheBytes(weightBytes) / Math.max(1, statePositionBytes(signature.states)))
  const context = Math.min(signature.maxPositions, fitting)
  const open = async (file: Uint8Array, facts: Omit<ExportedFacts, 'context'>): Promise<ExportedGraph> => {
    const session = await openSession(ort, file, externalData)
    return new ExportedGraph(ort, session, signature, { context, ...facts })
  }
  const appetite = await appetiteUnrounded(separated, (file) => open(file, { adapted: null, appetite: null }))
  // What cannot be written anew, or does not open so, opens as it is, without roles.
  const ways: readonly (() => Way | null)[] = [
    () => adapted && written(adapted),
    () => (separated === model ? null : written({ model: separated, dims: null })),
    () => ({ bytes, dims: null }),
  ]
  let failure: HycoraError | undefined
  for (const find of ways) {
    try {
      const way = find()
      if (!way) continue
      const graph = await open(way.bytes, { adapted: way.dims, appetite })
      return appetite ? graph : await probed(graph)
    } catch (error) {
      failure ??= asHycoraError(error, 'format-unsupported')
      if (failure.code === 'out-of-memory') break
    }
  }
  // What onnxruntime does not take in hand is the file's affair, and no mistake in a calculation.
  throw failure?.code === 'shape-mismatch'
    ? new HycoraError('format-unsupported', `${model.fileName}: ${failure.message}`, { cause: failure })
    : failure
}

interface Way {
  readonly bytes: Uint8Array
  readonly dims: DecoderGraph['adapted']
}

/** The changed graph, or null where it holds what cannot be written again. */
function written({
  model,
  dims,
}: {
  readonly model: OnnxModel
  readonly dims: AdaptedGraph['dims'] | null
}): Way | null {
  try {
    return { bytes: writeOnnx(model), dims }
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function openSession(
  ort: OrtRuntime,
  model: Uint8Array,
  externalData: readonly ExternalData[],
): Promise<OrtSession> {
  return ort.InferenceSession.create(model, {
    externalData,
    executionProviders: ['cpu'],
    logSeverityLevel: ERRORS_ONLY,
    // Else what is multiplied by dequantised weights is rounded to 8 bits, which no node of the graph asks for, and where
    // processors add two products of bytes in 16 bits (AVX2) larger sums are cut off: of SmolLM2 rounded to signed bytes
    // by column nothing is left then.
    extra: { session: { qdq_matmulnbits_accuracy_level: '0', x64quantprecision: '1' } },
  }).catch((error: unknown) => {
    throw runtimeError(error, 'onnxruntime could not open the graph')
  })
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

/** Logits of more tokens at once would not fit into memory, where all have to come out. */
const FIRST_CHUNK_TOKENS = 512

/** A graph that was seen to go on where it was; released where it does not. */
async function probed(graph: ExportedGraph): Promise<ExportedGraph> {
  try {
    await probeGraph(graph)
    return graph
  } catch (error) {
    graph.release()
    throw error
  }
}

/**
 * How a graph that rounds rows together takes tokens, seen where it does not round them; null where it rounds none, or
 * onnxruntime does not open it without.
 *
 * @throws HycoraError `format-unsupported` where it does not go on where it was; `out-of-memory`.
 */
async function appetiteUnrounded(
  model: OnnxModel,
  open: (bytes: Uint8Array) => Promise<ExportedGraph>,
): Promise<Appetite | null> {
  const exact = roundsTogether(model.graph) ? unrounded(model) : null
  const way = exact && written({ model: exact, dims: null })
  const graph = way && (await open(way.bytes).catch(unlessMemory))
  if (!graph) return null
  try {
    return await probeGraph(graph)
  } finally {
    graph.release()
  }
}

function unlessMemory(error: unknown): null {
  if (asHycoraError(error, 'format-unsupported').code === 'out-of-memory') throw error
  return null
}

interface ExportedFacts {
  readonly context: number
  readonly adapted: DecoderGraph['adapted']
  /** What was seen of it where its rows are not rounded together; null where they never are. */
  readonly appetite: Appetite | null
}

class ExportedGraph implements DecoderGraph, ProbedGraph {
  readonly shape: DecoderShape
  readonly context: number
  /** Exporters' attention knows one sequence. */
  readonly readsPairs = false
  readonly adapted: DecoderGraph['adapted']
  private readonly ort: OrtRuntime
  private readonly session: OrtSession
  private readonly signature: Signature
  /** By sequence. */
  private readonly states: readonly [GraphStates, GraphStates]
  /** Whether a run behind others takes one token alone. */
  private isOneByOne: boolean
  /** Whether the first token of all is read by itself. */
  private readonly isFirstAlone: boolean
  /** Whether a run gives the logits of its last token alone; known after the first of several. */
  private isLastOnly = false

  constructor(
    ort: OrtRuntime,
    session: OrtSession,
    signature: Signature,
    { context, adapted, appetite }: ExportedFacts,
  ) {
    this.ort = ort
    this.session = session
    this.signature = signature
    this.shape = signature.shape
    this.context = context
    this.adapted = adapted
    this.states = [new GraphStates(ort, signature.states), new GraphStates(ort, signature.states)]
    this.isOneByOne = signature.isOneByOne || appetite === 'one'
    this.isFirstAlone = appetite === 'several'
  }

  get canRewind(): boolean {
    return this.states[0].canRewind
  }

  /** What does not come first is read one by one there: so as much as possible comes first. */
  get chunkTokens(): number {
    return this.isOneByOne && !this.signature.isOneByOne ? FIRST_CHUNK_TOKENS : CHUNK_TOKENS
  }

  /** A and B of nobody. */
  bareFeeds(): AdapterFeeds {
    const { adapted: dims, ort, shape } = this
    return dims ? adapterFeeds(ort, { layers: shape.layers, dims }, null, null) : {}
  }

  /** Behind what was read before, tokens are read one at a time from now on. */
  readOneByOne(): void {
    this.isOneByOne = true
  }

  read(ids: readonly number[], first: number, rows: readonly number[]): Promise<Float32Array> {
    return this.run(ids, first, rows, this.bareFeeds())
  }

  async run(
    ids: readonly number[],
    first: number,
    rows: readonly number[],
    adapter: AdapterFeeds,
    sequence: Sequence = 0,
  ): Promise<Float32Array> {
    const { vocabulary } = this.shape
    const wanted = rows.length > 0 ? rows : [ids.length - 1]
    const result = new Float32Array(wanted.length * vocabulary)
    for (const [start, end] of this.pieces(ids.length, first, wanted)) {
      const inPiece = wanted.flatMap((row, index) =>
        row >= start && row < end ? [{ row: row - start, index }] : [],
      )
      const isLastOnly = inPiece.every(({ row }) => row === end - start - 1)
      const piece = { ids: ids.slice(start, end), first: first + start, isLastOnly }
      const logits = await this.readPiece(piece, adapter, sequence)
      const given = logits.length / vocabulary
      const isWhole = given === piece.ids.length
      if (!isWhole && !isLastOnly) {
        check(given === 1 && (this.canRewind || first === 0), 'format-unsupported', () => {
          return `the graph gives ${given} rows of logits for ${piece.ids.length} tokens, expected all or the last`
        })
        this.isLastOnly = true
        return this.run(ids, first, rows, adapter, sequence)
      }
      for (const { row, index } of inPiece) {
        const from = (isWhole ? row : given - 1) * vocabulary
        result.set(logits.subarray(from, from + vocabulary), index * vocabulary)
      }
    }
    return result
  }

  async runPair(
    ids: readonly [number, number],
    firsts: readonly [number, number],
    adapter: AdapterFeeds,
    bare: AdapterFeeds = adapter,
  ): Promise<readonly [Float32Array, Float32Array]> {
    const chat = await this.run([ids[0]], firsts[0], [0], adapter, 0)
    return [chat, await this.run([ids[1]], firsts[1], [0], bare, 1)]
  }

  /** What comes before `first` is the same in both. */
  copy(_first: number, end: number): void {
    this.states[1].copy(this.states[0], end)
  }

  release(): void {
    this.session.release().catch(() => undefined)
  }

  /** The stretches of tokens that are read at once, from and to. */
  private pieces(
    length: number,
    first: number,
    wanted: readonly number[],
  ): readonly (readonly [number, number])[] {
    const ends = new Set<number>([length])
    if (this.isLastOnly) for (const row of wanted) ends.add(row + 1)
    // What comes first of all is read at once all the same, where a run takes several tokens at all.
    const whole = first > 0 || this.signature.isOneByOne ? 0 : Math.min(...ends)
    if (this.isFirstAlone && first === 0) ends.add(1)
    if (this.isOneByOne) for (let end = whole + 1; end < length; end++) ends.add(end)
    const ordered = [...ends].toSorted((a, b) => a - b)
    return ordered.map((end, index) => [ordered[index - 1] ?? 0, end])
  }

  /** Reads tokens at once; the logits of all of them, or of the last. */
  private async readPiece(
    piece: { readonly ids: readonly number[]; readonly first: number; readonly isLastOnly: boolean },
    adapter: AdapterFeeds,
    sequence: Sequence,
  ): Promise<Float32Array> {
    const states = this.states[sequence]
    states.cut(piece.first)
    const feeds = { ...adapter, ...tokenFeeds(this.ort, this.signature, piece), ...states.feeds }
    const outputs = await runStep(this.session, feeds)
    states.take(outputs, piece.first + piece.ids.length)
    return floatsOf(outputs[this.signature.logits])
  }
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
  if (tensor?.type === 'float16') return halvesToFloats(bitsOf(data))
  throw new RangeError('the graph gave no logits in floats')
}
