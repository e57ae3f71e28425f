import type { OnnxModel, OnnxNode, OnnxValue } from '../formats/onnx.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import type { ProjectionDims } from '../model/adapter/adapterLayout.ts'
import { PROJECTIONS } from '../model/decoder/decoder.ts'
import type { Projection } from '../model/decoder/decoder.ts'
import { findLinears } from './findLinears.ts'
import type { FoundLinear } from './findLinears.ts'
import { int } from './graphBuilder.ts'
import { adapterInput } from './linearLayers.ts'
import { nodeOf } from './onnxNode.ts'

/** An exporter's graph whose linear layers take adapters. */
export interface AdaptedGraph {
  readonly model: OnnxModel
  readonly dims: Partial<ProjectionDims>
}

/** CastLike, by which float16 graphs take a float32 delta, is of this opset. */
const LEAST_OPSET = 15

/** From this opset on, Split wants to be told into how many. */
const COUNTED_SPLIT = 18

/**
 * The graph with y + (x·A)·B in place of y wherever a projection's linear layer is found by name in every block; A and B
 * are inputs as `addAdapters` has them. Everything else stays as it was exported.
 *
 * @returns null where the graph has no such layers, or its opset cannot say it.
 */
export function adaptGraph(model: OnnxModel, layers: number): AdaptedGraph | null {
  const opset = model.opsets.get('') ?? 0
  const linears = findLinears(model.graph)
  const complete = PROJECTIONS.filter((projection) => isInEveryLayer(linears, projection, layers))
  const adapted = linears.filter(({ projections }) => projections.every((one) => complete.includes(one)))
  const dims = dimsOf(adapted)
  if (opset < LEAST_OPSET || !dims || adapted.length === 0) return null

  const inputs: OnnxValue[] = []
  const nodes: OnnxNode[] = []
  for (const projection of PROJECTIONS) {
    const widths = dims[projection]
    if (!widths) continue
    const rank = `rank_${projection}`
    const shapes = { A: [layers, widths[0], rank], B: [layers, rank, widths[1]] }
    for (const side of ['A', 'B'] as const) {
      const name = adapterInput(side, projection)
      inputs.push({ name, dataType: DATA_TYPES.f32, dims: shapes[side] })
      const parts = Array.from({ length: layers }, (_, layer) => partName(side, projection, layer))
      const counted = opset >= COUNTED_SPLIT ? { num_outputs: int(layers) } : {}
      nodes.push(nodeOf('Split', [name], parts, { axis: int(0), ...counted }))
    }
  }
  const byOutput = new Map(adapted.map((linear) => [linear.y, linear]))
  for (const node of model.graph.nodes) {
    const linear = node.outputs.map((output) => byOutput.get(output)).find(Boolean)
    if (!linear) {
      nodes.push(node)
      continue
    }
    const base = `${linear.y}.base`
    const outputs = node.outputs.map((output) => (output === linear.y ? base : output))
    nodes.push({ ...node, outputs }, ...deltaNodes(linear, base))
  }
  const graph = { ...model.graph, nodes, inputs: [...model.graph.inputs, ...inputs] }
  return { model: { ...model, graph }, dims }
}

function isInEveryLayer(linears: readonly FoundLinear[], projection: Projection, layers: number): boolean {
  const found = linears.filter(({ projections }) => projections.includes(projection))
  return found.length === layers && new Set(found.map(({ layer }) => layer)).size === layers
}

/** The widths of all projections, the same in every block; of layers side by side by the heads, or halves of an MLP. */
function dimsOf(linears: readonly FoundLinear[]): Partial<ProjectionDims> | null {
  const dims = new Map<Projection, readonly [number, number]>()
  for (const linear of linears) {
    const outs = outsOf(linear, linears)
    if (!outs) return null
    for (const [index, projection] of linear.projections.entries()) {
      const widths = [linear.in, outs[index] ?? 0] as const
      const known = dims.get(projection)
      if (known && (known[0] !== widths[0] || known[1] !== widths[1])) return null
      dims.set(projection, widths)
    }
  }
  return Object.fromEntries(dims) as Partial<ProjectionDims>
}

/** Query, key and value side by side: the query is as wide as what o reads, key and value share the rest. */
function outsOf(
  { projections, layer, out }: FoundLinear,
  linears: readonly FoundLinear[],
): readonly number[] | null {
  if (projections.length === 1) return [out]
  if (projections.length === 2) return [out / 2, out / 2]
  const o = linears.find((one) => one.layer === layer && one.projections[0] === 'o')
  return o ? [o.in, (out - o.in) / 2, (out - o.in) / 2] : null
}

function partName(side: 'A' | 'B', projection: Projection, layer: number): string {
  return `layers.${layer}.${projection}.${side}`
}

function deltaNodes({ layer, projections, x, y }: FoundLinear, base: string): OnnxNode[] {
  const stem = `${y}.adapter`
  const nodes = [nodeOf('Cast', [x], [`${stem}.x`], { to: int(DATA_TYPES.f32) })]
  const deltas = projections.map((projection) => {
    const [low, delta] = [`${stem}.${projection}.xA`, `${stem}.${projection}.xAB`]
    nodes.push(
      nodeOf('MatMul', [`${stem}.x`, partName('A', projection, layer)], [low]),
      nodeOf('MatMul', [low, partName('B', projection, layer)], [delta]),
    )
    return delta
  })
  let [delta = ''] = deltas
  if (deltas.length > 1) {
    delta = `${stem}.xAB`
    nodes.push(nodeOf('Concat', deltas, [delta], { axis: int(-1) }))
  }
  nodes.push(
    nodeOf('CastLike', [delta, base], [`${stem}.delta`]),
    nodeOf('Add', [base, `${stem}.delta`], [y]),
  )
  return nodes
}
