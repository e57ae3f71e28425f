import { DATA_TYPES } from '../formats/onnxTensor.ts'
import type { Decoder, Linear, Projection, WeightMatrix } from '../model/decoder/decoder.ts'
import { PROJECTIONS } from '../model/decoder/decoder.ts'
import { readVector } from '../model/decoder/dequantise.ts'
import type { GraphBuilder } from './graphBuilder.ts'
import { MICROSOFT, int } from './graphBuilder.ts'
import type { WeightForm } from './weightForms.ts'
import { BYTE_ZERO, byteColumns, floatRows } from './weightForms.ts'

/** Linear layers that read the same input and stand in the graph as one product. */
export const GROUPS = {
  qkv: ['q', 'k', 'v'],
  o: ['o'],
  gateUp: ['gate', 'up'],
  down: ['down'],
} as const satisfies Record<string, readonly Projection[]>

export type Group = keyof typeof GROUPS

/** The name of the graph's input [tokens, 1] that says whether a role plays in each: 1, or 0. */
export const PLAYED = 'played'

/** The name of A [layers, in, rank] or B [layers, rank, out] among the graph's inputs. */
export function adapterInput(side: 'A' | 'B', projection: Projection): string {
  return `${projection}.${side}`
}

function layerMatrix(side: 'A' | 'B', projection: Projection, layer: number): string {
  return `layers.${layer}.${projection}.${side}`
}

/**
 * Takes A and B of every adapted linear layer as inputs, all layers of a projection in one, since every input costs
 * time in every run; their ranks may be 0.
 */
export function addAdapters(graph: GraphBuilder, decoder: Decoder): void {
  const { layers } = decoder
  graph.input(PLAYED, DATA_TYPES.f32, ['tokens', 1])
  for (const projection of PROJECTIONS) {
    const { weight } = linearOf(decoder, 0, projection)
    // Onnxruntime takes equal names for equal sizes; a pack may leave some projections as they are.
    const rank = `rank_${projection}`
    const dims = { A: [layers, weight.in, rank], B: [layers, rank, weight.out] }
    for (const side of ['A', 'B'] as const) {
      const all = graph.input(adapterInput(side, projection), DATA_TYPES.f32, dims[side])
      const parts = Array.from({ length: layers }, (_, layer) => layerMatrix(side, projection, layer))
      graph.node('Split', [all], parts, { axis: int(0), num_outputs: int(layers) })
    }
  }
}

/**
 * A group's layers on x [tokens, in], side by side, each with its bias and, where `adapters` says so, its adapter's
 * delta: y = x·Wᵀ + b + (played·x·A)·B.
 *
 * @returns the value [tokens, Σ out].
 */
export async function addGroup(
  graph: GraphBuilder,
  decoder: Decoder,
  at: { layer: number; group: Group; x: string; form: WeightForm; adapters: boolean },
): Promise<string> {
  const { layer, group, x, form, adapters } = at
  const name = `layers.${layer}.${group}`
  const projections: readonly Projection[] = GROUPS[group]
  const linears = projections.map((projection) => linearOf(decoder, layer, projection))
  const matrices = linears.map(({ weight }) => weight)
  const bias = await joinedBias(graph, name, linears)
  const product = await addProduct(graph, { name, x, matrices, bias, form })
  if (!adapters) return product
  const played = graph.node('Mul', [x, PLAYED], `${name}.played`)
  const deltas = projections.map((projection) => {
    const stem = `layers.${layer}.${projection}`
    const low = graph.node('MatMul', [played, layerMatrix('A', projection, layer)], `${stem}.xA`)
    return graph.node('MatMul', [low, layerMatrix('B', projection, layer)], `${stem}.xAB`)
  })
  const [only] = deltas
  const isOne = deltas.length === 1 && only !== undefined
  const joined = isOne ? only : graph.node('Concat', deltas, `${name}.deltas`, { axis: int(-1) })
  const delta = graph.node('Squeeze', [joined, graph.integers('batch_axis', [0])], `${name}.delta`)
  return graph.node('Add', [product, delta], `${name}.y`)
}

/** x·Wᵀ + bias, without an adapter. */
export async function addProduct(
  graph: GraphBuilder,
  layer: {
    readonly name: string
    readonly x: string
    readonly matrices: readonly WeightMatrix[]
    /** A value [Σ out], or the empty string. */
    readonly bias: string
    readonly form: WeightForm
  },
): Promise<string> {
  const { name, x, matrices, bias, form } = layer
  const [out, width] = [matrices.reduce((sum, matrix) => sum + matrix.out, 0), matrices[0]?.in ?? 0]
  if (form === 'float32') {
    const weight = graph.constant(`${name}.weight`, 'f32', [out, width], await floatRows(matrices))
    return graph.node('Gemm', bias ? [x, weight, bias] : [x, weight], `${name}.product`, { transB: int(1) })
  }
  const { codes, scales } = await byteColumns(matrices)
  const weight = [
    graph.constant(`${name}.codes`, 'u8', [width, out], codes),
    graph.constant(`${name}.scales`, 'f32', [out], scales),
    graph.constant('byte_zero', 'u8', [], Uint8Array.of(BYTE_ZERO)),
  ]
  const { scaled, scale } = addRowScale(graph, x)
  const quantised = graph.node('DynamicQuantizeMatMul', [scaled, ...weight], `${name}.scaled`, {}, MICROSOFT)
  const product = graph.node('Mul', [quantised, scale], `${name}.product`)
  return bias ? graph.node('Add', [product, bias], `${name}.biased`) : product
}

/**
 * Each row of x divided by its largest magnitude, which then one scale for all rows can hold: without it the outliers
 * of one token cost every other token its precision.
 */
function addRowScale(graph: GraphBuilder, x: string): { scaled: string; scale: string } {
  const least = graph.constant('least_scale', 'f32', [], Float32Array.of(1e-30))
  const axis = graph.integers('last_axis', [-1])
  const largest = graph.node('ReduceMax', [graph.node('Abs', [x], `${x}.abs`), axis], `${x}.largest`)
  const scale = graph.node('Max', [largest, least], `${x}.scale`)
  return { scaled: graph.node('Div', [x, scale], `${x}.scaled`), scale }
}

/** The biases of a group behind each other, zeros where a layer has none; the empty string where none has one. */
async function joinedBias(graph: GraphBuilder, name: string, linears: readonly Linear[]): Promise<string> {
  if (linears.every(({ bias }) => bias === null)) return ''
  const values = new Float32Array(linears.reduce((sum, { weight }) => sum + weight.out, 0))
  let offset = 0
  for (const { weight, bias } of linears) {
    if (bias) values.set(await readVector(bias), offset)
    offset += weight.out
  }
  return graph.constant(`${name}.bias`, 'f32', [values.length], values)
}

function linearOf(decoder: Decoder, layer: number, projection: Projection): Linear {
  const block = decoder.blocks[layer]
  if (!block) throw new RangeError(`the decoder has no layer ${layer}`)
  return block.linears[projection]
}
