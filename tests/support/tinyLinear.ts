import { MICROSOFT, U8 } from './tinyGraph.ts'
import type { TinyGraph } from './tinyGraph.ts'

/** Adds a linear layer in the options' form; gives the name of its output [.., out]. */
export function addLinear(
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
