import type { TinyGraph } from './tinyGraph.ts'
import { addQuantised } from './tinyQuantised.ts'

/** Operators that add a bias themselves. */
const WITH_BIAS: readonly string[] = ['gemm', 'roundedInOne', 'roundedToFloat']

/** Adds a linear layer in the options' form; gives the name of its output [.., out]. */
export function addLinear(
  graph: TinyGraph,
  name: string,
  x: string,
  [width, out]: readonly [number, number],
  { output = `${name}.y`, hasBias = graph.options.bias !== 'none' } = {},
): string {
  const y = hasBias && !WITH_BIAS.includes(graph.options.linear) ? `${name}.product` : output
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
  if (linear !== 'matMul' && linear !== 'gemm') {
    addQuantised(graph, name, x, { width, out, y, bias })
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
