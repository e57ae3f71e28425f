import { TINY } from './tinyGraph.ts'
import type { TinyGraph } from './tinyGraph.ts'

/** Adds gains around one. */
export function addGain(graph: TinyGraph, name: string, columns: number): string {
  const values = graph.normals(columns, 0.2)
  if (graph.options.hasRaisedGains) {
    const parts = [graph.floats(`${name}.weight`, [columns], values), graph.floats(`${name}.plus`, [], [1])]
    return graph.node('Add', parts, `${name}.gain`)
  }
  const around = values.map((value) => 1 + value)
  return graph.floats(`${name}.gain`, [columns], around)
}

/** Adds an RMS norm along the last axis in the options' form; gives the name of its output. */
export function addNorm(graph: TinyGraph, name: string, x: string, columns: number = TINY.hidden): string {
  const gain = addGain(graph, name, columns)
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
