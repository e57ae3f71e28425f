import type { OnnxGraph, OnnxNode } from '../formats/onnx.ts'
import type { Projection } from '../model/decoder/decoder.ts'

/** A linear layer in an exporter's graph, or several side by side: y = x·Wᵀ + b of `projections`, in their order. */
export interface FoundLinear {
  readonly layer: number
  readonly projections: readonly Projection[]
  /** The value [batch, tokens, in] that it reads. */
  readonly x: string
  /** The value [batch, tokens, Σ out] that it gives, float16 or float32. */
  readonly y: string
  readonly in: number
  readonly out: number
}

/** What a layer's node is called by every exporter seen so far, in its name or its metadata, whatever the operator. */
const NAME =
  /layers[./](\d+)[./](?:self_attn|attn|attention|mlp)[./](qkv|q|k|v|o|gate_up|gate|up|down)_proj[./:]/

const PARTS: Readonly<Record<string, readonly Projection[]>> = {
  q: ['q'],
  k: ['k'],
  v: ['v'],
  qkv: ['q', 'k', 'v'],
  o: ['o'],
  gate: ['gate'],
  up: ['up'],
  gate_up: ['gate', 'up'],
  down: ['down'],
}

/** Operators between stored weights and a layer that keep their shape. */
const KEEPING = ['DequantizeLinear', 'Cast', 'Identity']

/** Operators between a product of integers and its value in floats. */
const SCALING = ['Cast', 'Mul']

/**
 * The linear layers of an attention block's and an MLP's projections, found by what their nodes are called.
 * A graph that calls them otherwise has none here.
 */
export function findLinears(graph: OnnxGraph): readonly FoundLinear[] {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const readers = readersOf(graph)
  return graph.nodes.flatMap((node): FoundLinear[] => {
    const said = `${node.name} ${node.metadata.get('namespace') ?? ''}`
    const [, layer = '', kind = ''] = NAME.exec(said) ?? []
    const projections = PARTS[kind]
    const widths = projections && widthsOf(node, weightDims(node, graph, makers))
    if (!projections || !widths) return []
    const isInteger = node.opType === 'MatMulInteger'
    const quantised = makers.get(node.inputs[0] ?? '')
    const x = isInteger ? quantised?.inputs[0] : node.inputs[0]
    const y = isInteger ? scaledOf(node, readers) : node.outputs[0]
    return x && y ? [{ layer: Number(layer), projections, x, y, in: widths[0], out: widths[1] }] : []
  })
}

function readersOf(graph: OnnxGraph): ReadonlyMap<string, readonly OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>()
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input)
      if (known) known.push(node)
      else readers.set(input, [node])
    }
  }
  return readers
}

/** The shape of a layer's weights, which may be stored the other way round, and dequantised beside the layer. */
function weightDims(
  { inputs: [, weight = ''] }: OnnxNode,
  graph: OnnxGraph,
  makers: ReadonlyMap<string, OnnxNode>,
): readonly number[] {
  const stored = graph.initializers.get(weight)
  if (stored) return stored.dims
  const maker = makers.get(weight)
  if (!maker || ![...KEEPING, 'Transpose'].includes(maker.opType)) return []
  const dims = weightDims({ ...maker, inputs: ['', maker.inputs[0] ?? ''] }, graph, makers)
  return maker.opType === 'Transpose' ? dims.toReversed() : dims
}

/** Input and output width by the operator's weights [rows, columns] or attributes. */
function widthsOf(
  { opType, attributes }: OnnxNode,
  [rows, columns]: readonly number[],
): readonly [number, number] | undefined {
  const integer = (name: string): number => {
    const attribute = attributes.get(name)
    return attribute?.kind === 'int' ? attribute.value : 0
  }
  switch (opType) {
    case 'MatMulNBits':
    case 'MatMulBnb4':
      return [integer('K'), integer('N')]
    case 'MatMul':
    case 'FusedMatMul':
    case 'MatMulInteger':
    case 'DynamicQuantizeMatMul':
      return rows && columns ? [rows, columns] : undefined
    case 'Gemm':
      if (!rows || !columns) return undefined
      return integer('transB') === 1 ? [columns, rows] : [rows, columns]
    default:
      return undefined
  }
}

/** The value in floats that a product of integers becomes. */
function scaledOf(product: OnnxNode, readers: ReadonlyMap<string, readonly OnnxNode[]>): string | undefined {
  let value = product.outputs[0] ?? ''
  for (const opType of SCALING) {
    const [reader, another] = readers.get(value) ?? []
    if (!reader || another || reader.opType !== opType) return undefined
    value = reader.outputs[0] ?? ''
  }
  return value
}
