import { floatToHalf } from '../../src/core/half.ts'
import { Random } from '../../src/core/random.ts'
import type { WrittenAttribute, WrittenModel, WrittenNode, WrittenTensor } from './onnxWriter.ts'

export const TINY = {
  layers: 2,
  hidden: 32,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  ffn: 64,
  vocabulary: 40,
  positions: 32,
  theta: 10_000,
  epsilon: 1e-5,
} as const

/** The ways in which exporters write the same decoder. */
export interface TinyOptions {
  readonly linear?: 'matMul' | 'gemm' | 'blocks4' | 'blocks8'
  readonly zeros?: 'none' | 'packed' | 'floats'
  readonly qkv?: 'fused' | 'separate'
  readonly bias?: 'none' | 'last' | 'first'
  readonly norm?: 'fused' | 'standard' | 'reciprocal' | 'division'
  readonly attention?: 'fused' | 'written'
  readonly activation?: 'sigmoid' | 'quickGelu'
  readonly embedding?: 'separate' | 'tied' | 'int4' | 'uint4' | 'uint8'
}

const [F32, U8, I32, I64, U4, I4] = [1, 2, 6, 7, 21, 22]
const MICROSOFT = 'com.microsoft'

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

class TinyGraph {
  readonly nodes: WrittenNode[] = []
  readonly initializers: WrittenTensor[] = []
  readonly options: Required<TinyOptions>
  private readonly random = new Random(7)

  constructor(options: Required<TinyOptions>) {
    this.options = options
  }

  node(
    opType: string,
    inputs: readonly string[],
    output: string | readonly string[],
    attributes: Readonly<Record<string, WrittenAttribute>> = {},
    domain = '',
  ): string {
    const outputs = typeof output === 'string' ? [output] : output
    this.nodes.push({ opType, inputs, outputs, attributes, domain })
    return outputs[0]!
  }

  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    const bytes = new Uint8Array(Float32Array.from(values).buffer)
    this.initializers.push({ name, dataType: F32, dims, bytes })
    return name
  }

  integers(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    if (this.initializers.some((tensor) => tensor.name === name)) return name
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    this.initializers.push({ name, dataType: I64, dims, bytes })
    return name
  }

  normals(count: number, scale: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.random.nextNormal() * scale)
  }

  codes(name: string, dims: readonly number[], count: number, dataType: number): string {
    const bytes = Uint8Array.from({ length: count }, () => this.random.nextBelow(256))
    this.initializers.push({ name, dataType, dims, bytes })
    return name
  }
}

/** A Llama-type decoder with seeded random weights, as one of the exporters would write it. */
export function tinyDecoder(options: TinyOptions = {}): WrittenModel {
  const graph = new TinyGraph({
    linear: 'matMul',
    zeros: 'none',
    qkv: 'fused',
    bias: 'none',
    norm: 'fused',
    attention: 'fused',
    activation: 'sigmoid',
    embedding: 'separate',
    ...options,
  })
  const isWritten = graph.options.attention === 'written'
  if (isWritten) addAngles(graph)
  else addLengths(graph)
  let stream = addEmbedding(graph)
  for (let layer = 0; layer < TINY.layers; layer++) {
    const name = `layers.${layer}`
    const normed = addNorm(graph, `${name}.input_norm`, stream)
    const attended = isWritten ? addWrittenAttention(graph, name, normed) : addAttention(graph, name, normed)
    const output = addLinear(graph, `${name}.o`, attended, [TINY.heads * TINY.headDim, TINY.hidden])
    stream = graph.node('Add', [stream, output], `${name}.middle`)
    const second = addNorm(graph, `${name}.post_norm`, stream)
    stream = graph.node('Add', [addMlp(graph, name, second), stream], `${name}.end`)
  }
  addHead(graph, addNorm(graph, 'final_norm', stream))
  return { opset: 23, nodes: graph.nodes, initializers: graph.initializers, ...interfaceOf(isWritten) }
}

function interfaceOf(hasPositions: boolean): Pick<WrittenModel, 'inputs' | 'outputs'> {
  const cache = (kind: string, length: string) =>
    Array.from({ length: TINY.layers }, (_, layer) =>
      ['key', 'value'].map((part) => ({
        name: `${kind}.${layer}.${part}`,
        dataType: F32,
        dims: ['batch_size', TINY.kvHeads, length, TINY.headDim],
      })),
    ).flat()
  const position = { name: 'position_ids', dataType: I64, dims: ['batch_size', 'sequence_length'] }
  const mask = { name: 'attention_mask', dataType: I64, dims: ['batch_size', 'total_sequence_length'] }
  return {
    inputs: [
      { name: 'input_ids', dataType: I64, dims: ['batch_size', 'sequence_length'] },
      hasPositions ? position : mask,
      ...cache('past_key_values', 'past_sequence_length'),
    ],
    outputs: [
      { name: 'logits', dataType: F32, dims: ['batch_size', 'sequence_length', TINY.vocabulary] },
      ...cache('present', 'total_sequence_length'),
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

function addHead(graph: TinyGraph, normed: string): void {
  if (graph.options.embedding !== 'tied') {
    addLinear(graph, 'head', normed, [TINY.hidden, TINY.vocabulary], { output: 'logits', hasBias: false })
    return
  }
  const turned = graph.node('Transpose', ['embedding'], 'embedding.turned', { perm: { ints: [1, 0] } })
  graph.node('MatMul', [normed, turned], 'logits')
}

function addNorm(graph: TinyGraph, name: string, x: string): string {
  const gain = graph.floats(
    `${name}.gain`,
    [TINY.hidden],
    graph.normals(TINY.hidden, 0.2).map((value) => 1 + value),
  )
  const attributes = { epsilon: { float: TINY.epsilon }, axis: { int: -1 } }
  const { norm } = graph.options
  if (norm === 'fused') return graph.node('SimplifiedLayerNormalization', [x, gain], `${name}.y`, attributes)
  if (norm === 'standard') return graph.node('RMSNormalization', [x, gain], `${name}.y`, attributes)
  const two = graph.floats(`${name}.two`, [], [2])
  const one = graph.floats(`${name}.one`, [], [1])
  const epsilon = graph.floats(`${name}.epsilon`, [], [TINY.epsilon])
  const square = graph.node('Pow', [x, two], `${name}.square`)
  const mean = graph.node('ReduceMean', [square, graph.integers('last', [-1])], `${name}.mean`)
  const shifted = graph.node(
    'Add',
    norm === 'division' ? [epsilon, mean] : [mean, epsilon],
    `${name}.shifted`,
  )
  const root = graph.node('Sqrt', [shifted], `${name}.root`)
  if (norm === 'division') {
    const inverse = graph.node('Div', [one, root], `${name}.inverse`)
    const scaled = graph.node('Mul', [inverse, x], `${name}.scaled`)
    return graph.node('Mul', [gain, scaled], `${name}.y`)
  }
  const inverse = graph.node('Reciprocal', [root], `${name}.inverse`)
  return graph.node('Mul', [graph.node('Mul', [x, inverse], `${name}.scaled`), gain], `${name}.y`)
}

function addLinear(
  graph: TinyGraph,
  name: string,
  x: string,
  [width, out]: readonly [number, number],
  { output = `${name}.y`, hasBias = graph.options.bias !== 'none' } = {},
): string {
  const y = hasBias && graph.options.linear !== 'gemm' ? `${name}.product` : output
  const bias = hasBias ? graph.floats(`${name}.bias`, [out], graph.normals(out, 0.3)) : ''
  addProduct(graph, name, x, { width, out, y, bias })
  if (y === output) return output
  return graph.node('Add', graph.options.bias === 'first' ? [bias, y] : [y, bias], output)
}

function addProduct(
  graph: TinyGraph,
  name: string,
  x: string,
  { width, out, y, bias }: { width: number; out: number; y: string; bias: string },
): void {
  const { linear } = graph.options
  if (linear === 'blocks4' || linear === 'blocks8') {
    addBlocks(graph, name, x, { width, out, y })
    return
  }
  const values = graph.normals(width * out, 1 / Math.sqrt(width))
  if (linear === 'matMul') {
    graph.node('MatMul', [x, graph.floats(`${name}.weight`, [width, out], values)], y)
    return
  }
  const rows = graph.node('Reshape', [x, graph.integers(`rows.${width}`, [-1, width])], `${name}.rows`)
  const weight = graph.floats(`${name}.weight`, [out, width], values)
  const inputs = bias ? [rows, weight, bias] : [rows, weight]
  const product = graph.node('Gemm', inputs, `${name}.gemm`, { transB: { int: 1 } })
  const ids = graph.node('Shape', ['input_ids'], `${name}.ids`)
  const shape = graph.node('Concat', [ids, graph.integers(`out.${out}`, [out])], `${name}.shape`, {
    axis: { int: 0 },
  })
  graph.node('Reshape', [product, shape], y)
}

function addBlocks(
  graph: TinyGraph,
  name: string,
  x: string,
  { width, out, y }: { width: number; out: number; y: string },
): void {
  const bits = graph.options.linear === 'blocks4' ? 4 : 8
  const blocks = width / 16
  const rowBytes = Math.ceil((blocks * bits) / 8)
  graph.codes(`${name}.codes`, [out, blocks, 2 * bits], out * blocks * 2 * bits, U8)
  const scale = (bits === 4 ? 0.2 : 0.0125) / Math.sqrt(width)
  graph.floats(`${name}.scales`, [out * blocks], graph.normals(out * blocks, scale))
  const inputs = [x, `${name}.codes`, `${name}.scales`]
  if (graph.options.zeros === 'packed')
    inputs.push(graph.codes(`${name}.zeros`, [out * rowBytes], out * rowBytes, U8))
  if (graph.options.zeros === 'floats') {
    const zeros = graph.normals(out * blocks, 2).map((value) => value + 2 ** (bits - 1))
    inputs.push(graph.floats(`${name}.zeros`, [out, blocks], zeros))
  }
  const attributes = { K: { int: width }, N: { int: out }, bits: { int: bits }, block_size: { int: 16 } }
  graph.node('MatMulNBits', inputs, y, attributes, MICROSOFT)
}

/** GroupQueryAttention's lengths, from the attention mask. */
function addLengths(graph: TinyGraph): void {
  const one = graph.integers('one', [1])
  const half = Array.from({ length: TINY.headDim / 2 }, (_, i) => TINY.theta ** ((-2 * i) / TINY.headDim))
  const angles = Array.from({ length: TINY.positions }, (_, p) =>
    half.map((frequency) => p * frequency),
  ).flat()
  graph.floats('cos', [TINY.positions, TINY.headDim / 2], angles.map(Math.cos))
  graph.floats('sin', [TINY.positions, TINY.headDim / 2], angles.map(Math.sin))
  const sum = graph.node('ReduceSum', ['attention_mask', one], 'mask.sum', { keepdims: { int: 0 } })
  const last = graph.node('Sub', [sum, one], 'mask.last')
  graph.node('Cast', [last], 'lengths', { to: { int: I32 } })
  const shape = graph.node('Shape', ['attention_mask'], 'mask.shape')
  const total = graph.node('Gather', [shape, graph.integers('index', [1], [])], 'mask.total')
  graph.node('Cast', [total], 'total', { to: { int: I32 } })
}

function projections(graph: TinyGraph, name: string, normed: string): readonly [string, string, string] {
  const [q, kv] = [TINY.heads * TINY.headDim, TINY.kvHeads * TINY.headDim]
  if (graph.options.qkv === 'separate') {
    return [
      addLinear(graph, `${name}.q`, normed, [TINY.hidden, q]),
      addLinear(graph, `${name}.k`, normed, [TINY.hidden, kv]),
      addLinear(graph, `${name}.v`, normed, [TINY.hidden, kv]),
    ]
  }
  const fused = addLinear(graph, `${name}.qkv`, normed, [TINY.hidden, q + 2 * kv])
  if (graph.options.attention === 'fused') return [fused, '', '']
  const parts = [`${name}.q.y`, `${name}.k.y`, `${name}.v.y`] as const
  graph.node('Split', [fused, graph.integers('parts', [q, kv, kv])], parts, { axis: { int: -1 } })
  return parts
}

function addAttention(graph: TinyGraph, name: string, normed: string): string {
  const layer = name.split('.')[1]
  const past = [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`]
  return graph.node(
    'GroupQueryAttention',
    [...projections(graph, name, normed), ...past, 'lengths', 'total', 'cos', 'sin'],
    [`${name}.attended`, `present.${layer}.key`, `present.${layer}.value`],
    { num_heads: { int: TINY.heads }, kv_num_heads: { int: TINY.kvHeads }, do_rotary: { int: 1 } },
    MICROSOFT,
  )
}

/** Rotary angles and a causal mask, written out. */
function addAngles(graph: TinyGraph): void {
  const half = Array.from({ length: TINY.headDim / 2 }, (_, i) => TINY.theta ** ((-2 * i) / TINY.headDim))
  graph.floats('frequencies', [1, TINY.headDim / 2, 1], half)
  const one = graph.integers('one', [1])
  const position = graph.node('Unsqueeze', ['position_ids', one], 'position')
  const angles = graph.node(
    'MatMul',
    ['frequencies', graph.node('Cast', [position], 'position.f', { to: { int: F32 } })],
    'angles',
  )
  const turned = graph.node('Transpose', [angles], 'angles.turned', { perm: { ints: [0, 2, 1] } })
  const doubled = graph.node('Concat', [turned, turned], 'angles.doubled', { axis: { int: -1 } })
  graph.node('Unsqueeze', [graph.node('Cos', [doubled], 'cosines'), one], 'cos')
  graph.node('Unsqueeze', [graph.node('Sin', [doubled], 'sines'), one], 'sin')
  const shape = graph.node('Shape', ['past_key_values.0.key'], 'past.shape', {
    start: { int: 2 },
    end: { int: 3 },
  })
  const tokens = graph.node('Shape', ['input_ids'], 'tokens', { start: { int: 1 }, end: { int: 2 } })
  const total = graph.node('Squeeze', [graph.node('Add', [shape, tokens], 'total.vector')], 'total')
  const keys = graph.node(
    'Range',
    [graph.integers('zero', [0], []), total, graph.integers('step', [1], [])],
    'keys',
  )
  const query = graph.node('Unsqueeze', ['position_ids', graph.integers('ends', [1, 3])], 'queries')
  const seen = graph.node('LessOrEqual', [keys, query], 'seen')
  graph.node('Where', [seen, graph.floats('none', [], [0]), graph.floats('never', [], [-1e9])], 'mask')
}

function rotated(graph: TinyGraph, x: string): string {
  const half = graph.integers('half', [TINY.headDim / 2])
  const [start, end, axis] = [
    graph.integers('start', [0]),
    graph.integers('end', [2 ** 40]),
    graph.integers('axis', [3]),
  ]
  const lower = graph.node('Slice', [x, start, half, axis], `${x}.lower`)
  const upper = graph.node('Neg', [graph.node('Slice', [x, half, end, axis], `${x}.upper`)], `${x}.negated`)
  const turned = graph.node('Concat', [upper, lower], `${x}.turned`, { axis: { int: -1 } })
  const products = [graph.node('Mul', [x, 'cos'], `${x}.cos`), graph.node('Mul', [turned, 'sin'], `${x}.sin`)]
  return graph.node('Add', products, `${x}.rotated`)
}

function addWrittenAttention(graph: TinyGraph, name: string, normed: string): string {
  const layer = name.split('.')[1]
  const toHeads = { perm: { ints: [0, 2, 1, 3] } }
  const [q, k, v] = projections(graph, name, normed).map((part) => {
    const shape = graph.integers('heads', [0, 0, -1, TINY.headDim])
    const split = graph.node('Reshape', [part, shape], `${part}.split`)
    return graph.node('Transpose', [split], `${part}.heads`, toHeads)
  })
  const cached = [rotated(graph, k!), v!].map((added, at) => {
    const part = `${layer}.${at === 0 ? 'key' : 'value'}`
    const axis = { axis: { int: -2 } }
    const present = graph.node('Concat', [`past_key_values.${part}`, added], `present.${part}`, axis)
    const lifted = graph.node('Unsqueeze', [present, graph.integers('two', [2])], `${added}.lifted`)
    const before = graph.node('Shape', [present], `${added}.before`, { end: { int: 2 } })
    const after = graph.node('Shape', [present], `${added}.after`, { start: { int: 2 } })
    const group = graph.integers('group', [TINY.heads / TINY.kvHeads])
    const shape = graph.node('Concat', [before, group, after], `${added}.shape`, { axis: { int: 0 } })
    const repeated = graph.node('Expand', [lifted, shape], `${added}.repeated`)
    return graph.node(
      'Reshape',
      [repeated, graph.integers('all', [0, TINY.heads, -1, TINY.headDim])],
      `${added}.all`,
    )
  })
  const key = graph.node('Transpose', [cached[0]!], `${name}.keys`, { perm: { ints: [0, 1, 3, 2] } })
  const scores = graph.node('MatMul', [rotated(graph, q!), key], `${name}.scores`)
  const root = graph.floats(`${name}.root`, [], [Math.sqrt(TINY.headDim)])
  const masked = graph.node(
    'Add',
    [graph.node('Div', [scores, root], `${name}.scaled`), 'mask'],
    `${name}.masked`,
  )
  const weights = graph.node('Softmax', [masked], `${name}.weights`, { axis: { int: -1 } })
  const mixed = graph.node('MatMul', [weights, cached[1]!], `${name}.mixed`)
  const rows = graph.node('Transpose', [mixed], `${name}.rows`, toHeads)
  return graph.node('Reshape', [rows, graph.integers('flat', [0, 0, -1])], `${name}.attended`)
}

function addMlp(graph: TinyGraph, name: string, normed: string): string {
  const gate = addLinear(graph, `${name}.gate`, normed, [TINY.hidden, TINY.ffn])
  const up = addLinear(graph, `${name}.up`, normed, [TINY.hidden, TINY.ffn])
  const active =
    graph.options.activation === 'sigmoid'
      ? graph.node('Mul', [gate, graph.node('Sigmoid', [gate], `${name}.sigmoid`)], `${name}.silu`)
      : graph.node('QuickGelu', [gate], `${name}.silu`, { alpha: { float: 1 } }, MICROSOFT)
  const gated = graph.node('Mul', [active, up], `${name}.gated`)
  return addLinear(graph, `${name}.down`, gated, [TINY.ffn, TINY.hidden])
}

/** A float tensor's initializer in another encoding, for tests of the reader. */
export function asHalf(tensor: WrittenTensor): WrittenTensor {
  const floats = new Float32Array(tensor.bytes!.slice().buffer)
  return { ...tensor, dataType: 10, bytes: new Uint8Array(Uint16Array.from(floats, floatToHalf).buffer) }
}
