import type { WrittenModel } from './onnxWriter.ts'
import { addAngles, addAttention, addLengths, addWrittenAttention } from './tinyAttention.ts'
import { F32, I4, I64, MICROSOFT, MULTIPLIERS, TINY, TinyGraph, U4, U8, WINDOWED } from './tinyGraph.ts'
import type { TinyOptions } from './tinyGraph.ts'
import { addActivation } from './tinyActivation.ts'
import { addLinear } from './tinyLinear.ts'
import { addNorm } from './tinyNorm.ts'

/** What config.json would say of the tiny decoder. */
export const TINY_CONFIG = {
  model_type: 'llama',
  num_hidden_layers: TINY.layers,
  hidden_size: TINY.hidden,
  num_attention_heads: TINY.heads,
  num_key_value_heads: TINY.kvHeads,
  head_dim: TINY.headDim,
  intermediate_size: TINY.ffn,
  vocab_size: TINY.vocabulary,
  rms_norm_eps: TINY.epsilon,
  rope_theta: TINY.theta,
  max_position_embeddings: TINY.positions,
}

/** What config.json would say of a tiny decoder with windows and a rotation of their layers. */
export const WINDOWED_CONFIG = {
  ...TINY_CONFIG,
  layer_types: ['sliding_attention', 'full_attention'],
  sliding_window: WINDOWED.window,
  rope_local_base_freq: WINDOWED.theta,
}

/** What config.json would say of a tiny decoder that is as Gemma 3 is. */
export const GEMMA_CONFIG = {
  ...WINDOWED_CONFIG,
  model_type: 'gemma3_text',
  hidden_activation: 'gelu_pytorch_tanh',
  query_pre_attn_scalar: TINY.headDim,
}

/** All that sets Gemma 3 apart from Llama. */
export const GEMMA: TinyOptions = {
  norms: 'both',
  headNorms: 'each',
  windowed: 'first',
  hasLocalTheta: true,
  hasScaledEmbedding: true,
  activation: 'geluOfProducts',
  embedding: 'tied',
}

/** All that sets ChatGLM2 apart from Llama, as its own code has it. */
export const CHATGLM: TinyOptions = {
  attention: 'written',
  qkv: 'fused',
  bias: 'last',
  rotaryDim: TINY.headDim / 2,
  isInterleaved: true,
  neighbours: 'pairs',
  isTokensFirst: true,
  gateUp: 'fused',
}

/** What config.json would say of a tiny decoder that is as ChatGLM2 is, by its own names. */
export const CHATGLM_CONFIG = {
  model_type: 'chatglm',
  num_layers: TINY.layers,
  hidden_size: TINY.hidden,
  num_attention_heads: TINY.heads,
  multi_query_group_num: TINY.kvHeads,
  kv_channels: TINY.headDim,
  ffn_hidden_size: TINY.ffn,
  padded_vocab_size: TINY.vocabulary,
  seq_length: TINY.positions,
  layernorm_epsilon: TINY.epsilon,
}

/** What config.json would say of a tiny decoder with these options. */
export function tinyConfig({
  activation = 'sigmoid',
  hasLocalTheta = false,
}: TinyOptions): typeof TINY_CONFIG {
  const isOfGelu = activation !== 'sigmoid' && activation !== 'quickGelu'
  return {
    ...(hasLocalTheta ? WINDOWED_CONFIG : TINY_CONFIG),
    ...(isOfGelu && { hidden_activation: 'gelu_pytorch_tanh' }),
  }
}

/** A Llama-type decoder with seeded random weights, as one of the exporters would write it. */
export function tinyDecoder(options: TinyOptions = {}): WrittenModel {
  const graph = new TinyGraph({
    linear: 'matMul',
    zeros: 'none',
    blockSize: 16,
    codes: 'uint8',
    scales: 'columns',
    turned: false,
    qkv: 'fused',
    bias: 'none',
    norm: 'fused',
    attention: 'fused',
    headNorms: 'none',
    rotaryDim: TINY.headDim,
    isInterleaved: false,
    neighbours: 'slices',
    isTokensFirst: false,
    gateUp: 'separate',
    rotated: 'all',
    windowed: 'none',
    masks: 'seen',
    hasLocalTheta: false,
    isOfOneText: false,
    multipliers: 'none',
    hasScaledEmbedding: false,
    norms: 'before',
    activation: 'sigmoid',
    hasRaisedGains: false,
    embedding: 'separate',
    ...options,
  })
  const isWritten = graph.options.attention !== 'fused'
  const { norms } = graph.options
  const [hasBefore, hasBehind] = [norms !== 'behind', norms !== 'before']
  if (isWritten) addAngles(graph)
  else addLengths(graph)
  const embedded = scaled(graph, 'embedding', addEmbedding(graph))
  const { isTokensFirst } = graph.options
  let stream = isTokensFirst ? turnedStream(graph, embedded, 'embedded.turned') : embedded
  for (let layer = 0; layer < TINY.layers; layer++) {
    const name = `layers.${layer}`
    const normed = hasBefore ? addNorm(graph, `${name}.input_norm`, stream) : stream
    const attended = isWritten ? addWrittenAttention(graph, name, normed) : addAttention(graph, name, normed)
    const output = addLinear(graph, `${name}.o`, attended, [TINY.heads * TINY.headDim, TINY.hidden])
    const ofAttention = hasBehind ? addNorm(graph, `${name}.attention_norm`, output) : output
    stream = graph.node('Add', [stream, scaled(graph, 'residual', ofAttention)], `${name}.middle`)
    const second = hasBefore ? addNorm(graph, `${name}.post_norm`, stream) : stream
    const ofMlp = addMlp(graph, name, second)
    const added = scaled(graph, 'residual', hasBehind ? addNorm(graph, `${name}.mlp_norm`, ofMlp) : ofMlp)
    stream = graph.node('Add', [added, stream], `${name}.end`)
  }
  const final = addNorm(graph, 'final_norm', stream)
  addHead(graph, isTokensFirst ? turnedStream(graph, final, 'final.turned') : final)
  return { opset: 23, nodes: graph.nodes, initializers: graph.initializers, ...interfaceOf(graph) }
}

function cache(kind: string, batch: number | string, length: string): WrittenModel['inputs'] {
  return Array.from({ length: TINY.layers }, (_, layer) =>
    ['key', 'value'].map((part) => ({
      name: `${kind}.${layer}.${part}`,
      dataType: F32,
      dims: [batch, TINY.kvHeads, length, TINY.headDim],
    })),
  ).flat()
}

function interfaceOf({ options }: TinyGraph): Pick<WrittenModel, 'inputs' | 'outputs'> {
  const batch = options.isOfOneText ? 1 : 'batch_size'
  const hasPositions = options.attention !== 'fused'
  const position = { name: 'position_ids', dataType: I64, dims: [batch, 'sequence_length'] }
  const mask = { name: 'attention_mask', dataType: I64, dims: [batch, 'total_sequence_length'] }
  return {
    inputs: [
      { name: 'input_ids', dataType: I64, dims: [batch, 'sequence_length'] },
      hasPositions ? position : mask,
      ...cache('past_key_values', batch, 'past_sequence_length'),
    ],
    outputs: [
      { name: 'logits', dataType: F32, dims: [batch, 'sequence_length', TINY.vocabulary] },
      ...cache('present', batch, 'total_sequence_length'),
    ],
  }
}

function addEmbedding(graph: TinyGraph): string {
  const { vocabulary, hidden } = TINY
  const { embedding } = graph.options
  if (embedding === 'separate' || embedding === 'tied') {
    graph.floats('embedding', [vocabulary, hidden], graph.normals(vocabulary * hidden, 1))
    return graph.node('Gather', ['embedding', 'input_ids'], 'embedded')
  }
  if (embedding === 'dequantised' || embedding === 'gatheredCodes') return addCodes(graph, embedding)
  const bits = embedding === 'uint8' ? 8 : 4
  const type = { int4: I4, uint4: U4, uint8: U8 }[embedding]
  const bytes = (vocabulary * hidden * bits) / 8
  graph.codes('embedding', [vocabulary, hidden], bytes, type)
  graph.floats('embedding.scales', [vocabulary, 2], graph.normals(vocabulary * 2, 0.2))
  const attributes = {
    bits: { int: bits },
    block_size: { int: 16 },
    gather_axis: { int: 0 },
    quantize_axis: { int: 1 },
  }
  return graph.node(
    'GatherBlockQuantized',
    ['embedding', 'input_ids', 'embedding.scales'],
    'embedded',
    attributes,
    MICROSOFT,
  )
}

/** A table of bytes that is dequantised as a whole, or the rows of it that are gathered. */
function addCodes(graph: TinyGraph, embedding: 'dequantised' | 'gatheredCodes'): string {
  const { vocabulary, hidden } = TINY
  graph.codes('embedding', [vocabulary, hidden], vocabulary * hidden, U8)
  graph.floats('embedding.scale', [], [1 / 64])
  graph.codes('embedding.zero', [], 1, U8)
  if (embedding === 'gatheredCodes') {
    const rows = graph.node('Gather', ['embedding', 'input_ids'], 'embedded.codes')
    return graph.node('DequantizeLinear', [rows, 'embedding.scale', 'embedding.zero'], 'embedded')
  }
  const table = graph.node(
    'DequantizeLinear',
    ['embedding', 'embedding.scale', 'embedding.zero'],
    'embedding.table',
  )
  return graph.node('Gather', [table, 'input_ids'], 'embedded')
}

function addHead(graph: TinyGraph, normed: string): void {
  const { embedding, multipliers } = graph.options
  const output = multipliers === 'none' ? 'logits' : 'head.y'
  const turn = (value: string): string =>
    graph.node('Transpose', [value], 'embedding.turned', { perm: { ints: [1, 0] } })
  if (embedding === 'tied') graph.node('MatMul', [normed, turn('embedding')], output)
  else if (embedding === 'dequantised') graph.node('MatMul', [normed, turn('embedding.table')], output)
  else if (embedding === 'gatheredCodes') {
    const parts = [turn('embedding'), 'embedding.scale', 'embedding.zero']
    graph.node('MatMul', [normed, graph.node('DequantizeLinear', parts, 'head.weight')], output)
  } else addLinear(graph, 'head', normed, [TINY.hidden, TINY.vocabulary], { output, hasBias: false })
  if (multipliers === 'none') return
  graph.node('Div', ['head.y', graph.floats('logits.divisor', [], [1 / MULTIPLIERS.logits])], 'logits')
}

/** The value times one of the multipliers, where the decoder has any. */
function scaled(graph: TinyGraph, name: 'embedding' | 'residual', x: string): string {
  const { multipliers, hasScaledEmbedding } = graph.options
  if (hasScaledEmbedding && name === 'embedding') {
    return graph.node('Mul', [x, graph.floats('embedding.root', [], [Math.sqrt(TINY.hidden)])], `${x}.scaled`)
  }
  if (multipliers === 'none') return x
  return graph.node('Mul', [x, graph.floats(`${x}.factor`, [], [MULTIPLIERS[name]])], `${x}.scaled`)
}

/** Texts along the first axis and tokens along the second, or the other way round. */
function turnedStream(graph: TinyGraph, stream: string, name: string): string {
  return graph.node('Transpose', [stream], name, { perm: { ints: [1, 0, 2] } })
}

function addGateAndUp(graph: TinyGraph, name: string, normed: string): readonly [string, string] {
  if (graph.options.gateUp === 'separate') {
    return [
      addLinear(graph, `${name}.gate`, normed, [TINY.hidden, TINY.ffn]),
      addLinear(graph, `${name}.up`, normed, [TINY.hidden, TINY.ffn]),
    ]
  }
  const both = addLinear(graph, `${name}.gate_up`, normed, [TINY.hidden, 2 * TINY.ffn])
  const parts = [`${name}.gate.y`, `${name}.up.y`] as const
  graph.node('Split', [both], parts, { axis: { int: -1 }, num_outputs: { int: 2 } })
  return parts
}

function addMlp(graph: TinyGraph, name: string, normed: string): string {
  const [gate, up] = addGateAndUp(graph, name, normed)
  const gated = graph.node('Mul', [addActivation(graph, name, gate), up], `${name}.gated`)
  return addLinear(graph, `${name}.down`, gated, [TINY.ffn, TINY.hidden])
}
