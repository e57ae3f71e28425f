import { check } from '../core/errors.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import { unitsOfStream } from '../model/decoder/decoder.ts'
import type { Decoder, DecoderBlock, HeadNorms, WeightVector } from '../model/decoder/decoder.ts'
import { readVector } from '../model/decoder/dequantise.ts'
import { rotaryAngles } from '../model/decoder/rotary.ts'
import { EMBEDDING, addEmbedding, isFloat32 } from './embedding.ts'
import type { BuiltGraph } from './graphBuilder.ts'
import { GraphBuilder, MICROSOFT, float, int } from './graphBuilder.ts'
import { addAdapters, addGroup, addProduct } from './linearLayers.ts'
import type { Group } from './linearLayers.ts'
import type { WeightForm } from './weightForms.ts'

/** The weight form of every linear layer of a graph; `edgeDown` is that of down in the first and last tenth of the blocks. */
export type GraphForms = Readonly<Record<Group | 'edgeDown' | 'head', WeightForm>>

const EDGE_SHARE = 0.1

export interface RewriteOptions {
  readonly forms: GraphForms
  /** Positions that the rotary tables cover. */
  readonly context: number
  /** Whether linear layers take A and B at all; without them there is nothing to compare their cost with. */
  readonly adapters?: boolean
  /** Told after each layer how many of all layers are converted; the head is the last. */
  readonly onLayer?: (done: number, all: number) => void
}

/** GroupQueryAttention takes this many pairs of rotated dimensions at once. */
const PAIRS_TOGETHER = 8

const PARTS = ['key', 'value'] as const

function presentName(part: 'key' | 'value', layer: number): string {
  return `present.${layer}.${part}`
}

/** The name of a layer's cached keys or values among the graph's inputs. */
export function pastInput(part: 'key' | 'value', layer: number): string {
  return `past.${layer}.${part}`
}

/**
 * Writes a recognised decoder as a graph for onnxruntime's CPU kernels, with float32 between the nodes, whatever the
 * exporter's graph was; every adapted linear layer is y = x·Wᵀ + b + (x·A)·B with A and B as inputs.
 *
 * Further inputs: `ids` i64 [tokens], of one sequence or of several one behind the other, one token each; `sequences` i64
 * [1], how many; `past.{l}.key|value` [sequences, kvHeads, capacity, headDim], of which the positions below those of this
 * run count; `first` and `end` i64 [1], the positions of this run, over all sequences; `last` i32 [sequences], the last
 * position of each; `total` i32 = end; `logit_rows` i64 [rows], the tokens whose logits are wanted. Outputs: `logits`
 * [rows, vocabulary]; `new` [layers · 2 · sequences, kvHeads, end − first, headDim], keys and values of these positions.
 *
 * Weights are converted one after the other, a piece at a time.
 *
 * @throws HycoraError `format-invalid` when a weight's bytes cannot be read, `format-unsupported` where onnxruntime's attention
 * cannot rotate as the decoder does.
 */
export async function rewriteDecoder(decoder: Decoder, options: RewriteOptions): Promise<BuiltGraph> {
  const { forms, context, onLayer, adapters = true } = options
  const { layers } = decoder
  const graph = new GraphBuilder()
  addInputs(graph)
  if (adapters) addAdapters(graph, decoder)
  await addRotary(graph, decoder, context)
  addSequences(graph, decoder)
  const isTied = decoder.embedding.stored === decoder.head.stored
  let stream: Stream = { residual: await addScaledEmbedding(graph, decoder), added: '' }
  for (const [layer, block] of decoder.blocks.entries()) {
    const linear = (group: Group, x: string): Promise<string> =>
      addGroup(graph, decoder, { layer, group, x, form: formOf(forms, group, layer / layers), adapters })
    const before = await addNorm(graph, decoder, `layers.${layer}.input_norm`, stream, block.inputNorm)
    const qkv = await linear('qkv', before.normed)
    const heads = block.headNorms
      ? await addHeadNorms(graph, decoder, { layer, qkv, ...block.headNorms })
      : qkv
    const attended = addAttention(graph, decoder, { layer, ...block }, heads)
    const norms = block.outputNorms
    const ofOutput = (name: string, gain: WeightVector | undefined, x: string): Promise<string> | string =>
      gain ? addOutputNorm(graph, decoder, `layers.${layer}.${name}`, gain, x) : x
    const added = await ofOutput('attention_norm', norms?.attention, await linear('o', attended))
    const middle = { residual: before.residual, added }
    const after = await addNorm(graph, decoder, `layers.${layer}.post_norm`, middle, block.postAttentionNorm)
    const gated = addGate(graph, decoder, layer, await linear('gateUp', after.normed))
    const ofMlp = await ofOutput('mlp_norm', norms?.mlp, await linear('down', gated))
    stream = { residual: after.residual, added: ofMlp }
    onLayer?.(layer + 1, layers + 1)
  }
  const final = await addNorm(
    graph,
    decoder,
    'final_norm',
    stream,
    decoder.finalNorm,
    decoder.multipliers.logits,
  )
  const wanted = graph.node('Gather', [final.normed, 'logit_rows'], 'wanted', { axis: int(0) })
  if (isTied && forms.head === 'float32' && isFloat32(decoder.head.stored)) {
    graph.node('Gemm', [wanted, EMBEDDING], 'logits', { transB: int(1) })
  } else {
    const head = { name: 'head', x: wanted, matrices: [decoder.head], bias: '', form: forms.head }
    graph.node('Identity', [await addProduct(graph, head)], 'logits')
  }
  graph.output('logits', DATA_TYPES.f32, ['rows', decoder.vocabulary])
  addNewCache(graph, decoder)
  onLayer?.(layers + 1, layers + 1)
  return graph.finish()
}

/** @param depth of the block: from 0 to, but without, 1. */
function formOf(forms: GraphForms, group: Group, depth: number): WeightForm {
  const isEdge = depth < EDGE_SHARE || depth >= 1 - EDGE_SHARE
  return group === 'down' && isEdge ? forms.edgeDown : forms[group]
}

/** The residual stream, and what is still to be added to it. */
interface Stream {
  readonly residual: string
  /** The empty string right after the embedding. */
  readonly added: string
}

function addInputs(graph: GraphBuilder): void {
  const { i32, i64 } = DATA_TYPES
  graph.input('ids', i64, ['tokens'])
  graph.input('first', i64, [1])
  graph.input('end', i64, [1])
  graph.input('sequences', i64, [1])
  graph.input('last', i32, ['sequences'])
  graph.input('total', i32, [])
  graph.input('logit_rows', i64, ['rows'])
}

/** The shape in which the rows of queries, keys and values stand sequence by sequence. */
function addSequences(graph: GraphBuilder, { heads, kvHeads, headDim }: Decoder): void {
  const each = graph.integers('rows_of_sequence', [-1, (heads + 2 * kvHeads) * headDim])
  graph.node('Concat', ['sequences', each], 'rows_by_sequence', { axis: int(0) })
}

/** The names of a rotary's cosines and sines. */
function rotaryTables(index: number): readonly [string, string] {
  return [`cos.${index}`, `sin.${index}`]
}

async function addRotary(graph: GraphBuilder, decoder: Decoder, positions: number): Promise<void> {
  const { rotaries, rotation } = decoder
  const half = rotation.dim / 2
  check(half % PAIRS_TOGETHER === 0, 'format-unsupported', () => {
    return `onnxruntime’s attention rotates multiples of ${PAIRS_TOGETHER} pairs, this decoder has ${half}`
  })
  for (const [index, rotary] of rotaries.entries()) {
    const angles = await rotaryAngles(rotary, positions, rotation.dim)
    for (const [part, name] of rotaryTables(index).entries()) {
      const values = Float32Array.from({ length: positions * half }, (_, i) => angles[2 * i + part] ?? 0)
      graph.constant(name, 'f32', [positions, half], values)
    }
  }
}

/** The embeddings in units of the residual stream. */
async function addScaledEmbedding(graph: GraphBuilder, decoder: Decoder): Promise<string> {
  const embedded = await addEmbedding(graph, decoder)
  const factor = unitsOfStream(decoder).embedding
  if (factor === 1) return embedded
  const factors = graph.constant('embedding.factor', 'f32', [], Float32Array.of(factor))
  return graph.node('Mul', [embedded, factors], 'embedding.stream')
}

/** What attention or MLP adds, behind its norm. */
async function addOutputNorm(
  graph: GraphBuilder,
  { normEpsilon }: Decoder,
  name: string,
  gain: WeightVector,
  x: string,
): Promise<string> {
  const gains = graph.constant(`${name}.gain`, 'f32', [gain.length], await readVector(gain))
  const attributes = { epsilon: float(normEpsilon), axis: int(-1), stash_type: int(1) }
  return graph.node('SimplifiedLayerNormalization', [x, gains], `${name}.y`, attributes)
}

/** residual + added, and its norm, or the sum again where it has none. */
async function addNorm(
  graph: GraphBuilder,
  decoder: Decoder,
  name: string,
  { residual, added }: Stream,
  gain: WeightVector | null,
  factor = 1,
): Promise<{ normed: string; residual: string }> {
  if (!gain) {
    const sum = added === '' ? residual : graph.node('Add', [residual, added], `${name}.sum`)
    return { normed: sum, residual: sum }
  }
  const epsilon = { epsilon: float(unitsOfStream(decoder).epsilon) }
  const values = (await readVector(gain)).map((value) => factor * value)
  const gains = graph.constant(`${name}.gain`, 'f32', [gain.length], values)
  if (added === '') {
    const attributes = { ...epsilon, axis: int(-1), stash_type: int(1) }
    return {
      normed: graph.node('SimplifiedLayerNormalization', [residual, gains], `${name}.y`, attributes),
      residual,
    }
  }
  const outputs = [`${name}.y`, '', '', `${name}.sum`]
  graph.node('SkipSimplifiedLayerNormalization', [residual, added, gains], outputs, epsilon, MICROSOFT)
  return { normed: `${name}.y`, residual: `${name}.sum` }
}

/** Queries and keys behind the norms of their heads, [tokens, (heads + 2 · kvHeads) · headDim]. */
async function addHeadNorms(
  graph: GraphBuilder,
  { heads, kvHeads, headDim, normEpsilon }: Decoder,
  { layer, qkv, query, key }: HeadNorms & { readonly layer: number; readonly qkv: string },
): Promise<string> {
  const name = `layers.${layer}.heads`
  const widths = [heads * headDim, kvHeads * headDim, kvHeads * headDim]
  const parts = ['q', 'k', 'v'].map((part) => `${name}.${part}`)
  graph.node('Split', [qkv, graph.integers('head_parts', widths)], parts, { axis: int(-1) })
  const attributes = { epsilon: float(normEpsilon), axis: int(-1), stash_type: int(1) }
  const joined = [...parts]
  for (const [at, gain] of [query, key].entries()) {
    const part = parts[at] ?? ''
    const gains = graph.constant(`${part}.gain`, 'f32', [gain.length], await readVector(gain))
    const each = graph.integers(`heads_of_${gain.length}`, [-1, gain.length])
    const split = graph.node('Reshape', [part, each], `${part}.split`)
    const normed = graph.node('SimplifiedLayerNormalization', [split, gains], `${part}.normed`, attributes)
    const width = widths[at] ?? 0
    joined[at] = graph.node(
      'Reshape',
      [normed, graph.integers(`rows_of_${width}`, [-1, width])],
      `${part}.rows`,
    )
  }
  return graph.node('Concat', joined, `${name}.y`, { axis: int(-1) })
}

/** Rotation, cache and attention on [tokens, (heads + 2 · kvHeads) · headDim]. */
function addAttention(
  graph: GraphBuilder,
  { heads, kvHeads, headDim, rotation, scoreScale }: Decoder,
  { layer, rotary, window }: Pick<DecoderBlock, 'rotary' | 'window'> & { readonly layer: number },
  qkv: string,
): string {
  const name = `layers.${layer}.attention`
  const past = PARTS.map((part) =>
    graph.input(pastInput(part, layer), DATA_TYPES.f32, ['sequences', kvHeads, 'capacity', headDim]),
  )
  const rows = graph.node('Reshape', [qkv, 'rows_by_sequence'], `${name}.x`)
  graph.node(
    'GroupQueryAttention',
    [rows, '', '', ...past, 'last', 'total', ...(rotary === null ? [] : rotaryTables(rotary))],
    [`${name}.y`, ...PARTS.map((part) => presentName(part, layer))],
    {
      num_heads: int(heads),
      kv_num_heads: int(kvHeads),
      scale: float(scoreScale),
      do_rotary: int(rotary === null ? 0 : 1),
      rotary_interleaved: int(rotation.isInterleaved ? 1 : 0),
      ...(window !== null && { local_window_size: int(window) }),
    },
    MICROSOFT,
  )
  return graph.node(
    'Reshape',
    [`${name}.y`, graph.integers('attended_rows', [-1, heads * headDim])],
    `${name}.rows`,
  )
}

/** What a run adds to the cache: the whole of it need not come out. */
function addNewCache(graph: GraphBuilder, { layers, kvHeads, headDim }: Decoder): void {
  const positions = ['first', 'end', graph.integers('position_axis', [2])]
  const added = Array.from({ length: layers }, (_, layer) =>
    PARTS.map((part) => {
      const present = presentName(part, layer)
      return graph.node('Slice', [present, ...positions], `${present}.new`)
    }),
  ).flat()
  graph.node('Concat', added, 'new', { axis: int(0) })
  graph.output('new', DATA_TYPES.f32, ['caches', kvHeads, 'positions', headDim])
}

/** ONNX Runtime's operators of gates. */
const ACTIVATIONS = {
  silu: ['QuickGelu', { alpha: float(1) }],
  gelu: ['FastGelu', {}],
} as const

/** activation(gate) · up of [tokens, 2 · ffn]. */
function addGate(graph: GraphBuilder, { ffn, activation }: Decoder, layer: number, gateUp: string): string {
  const name = `layers.${layer}`
  const halves = [`${name}.gate`, `${name}.up`]
  graph.node('Split', [gateUp, graph.integers('ffn_halves', [ffn, ffn])], halves, { axis: int(-1) })
  const [operator, attributes] = ACTIVATIONS[activation]
  const active = graph.node(operator, [`${name}.gate`], `${name}.active`, attributes, MICROSOFT)
  return graph.node('Mul', [active, `${name}.up`], `${name}.gated`)
}
