import { F32, I4, I8, MICROSOFT, U4, U8 } from './tinyGraph.ts'
import type { TinyGraph } from './tinyGraph.ts'

interface Product {
  readonly width: number
  readonly out: number
  readonly y: string
  /** Empty where there is none; only rounded products in one take it. */
  readonly bias: string
}

/** The linear layer of a quantised form that the options name, from `x` to `y`. */
export function addQuantised(graph: TinyGraph, name: string, x: string, product: Product): void {
  const { linear } = graph.options
  if (linear === 'normalLevels' || linear === 'floatLevels') addLevels(graph, name, x, product)
  else if (linear === 'dequantised') addDequantised(graph, name, x, product)
  else if (linear.startsWith('rounded')) addRounded(graph, name, x, product)
  else addBlocks(graph, name, x, product)
}

function addBlocks(graph: TinyGraph, name: string, x: string, { width, out, y }: Product): void {
  const bits = { blocks2: 2, blocks4: 4 }[graph.options.linear as string] ?? 8
  const { blockSize } = graph.options
  const blocks = Math.ceil(width / blockSize)
  const rowBytes = Math.ceil((blocks * bits) / 8)
  const blockBytes = (blockSize * bits) / 8
  graph.codes(`${name}.codes`, [out, blocks, blockBytes], out * blocks * blockBytes, U8)
  const scale = 3.2 / 2 ** bits / Math.sqrt(width)
  graph.floats(`${name}.scales`, [out * blocks], graph.normals(out * blocks, scale))
  const inputs = [x, `${name}.codes`, `${name}.scales`]
  if (graph.options.zeros === 'packed')
    inputs.push(graph.codes(`${name}.zeros`, [out * rowBytes], out * rowBytes, U8))
  if (graph.options.zeros === 'floats') {
    const zeros = graph.normals(out * blocks, 2).map((value) => value + 2 ** (bits - 1))
    inputs.push(graph.floats(`${name}.zeros`, [out, blocks], zeros))
  }
  const attributes = {
    K: { int: width },
    N: { int: out },
    bits: { int: bits },
    block_size: { int: blockSize },
  }
  graph.node('MatMulNBits', inputs, y, attributes, MICROSOFT)
}

function addLevels(graph: TinyGraph, name: string, x: string, { width, out, y }: Product): void {
  const { blockSize, linear } = graph.options
  const blocks = Math.ceil((width * out) / blockSize)
  const codes = graph.codes(`${name}.codes`, [Math.ceil((width * out) / 2)], Math.ceil((width * out) / 2), U8)
  const scales = graph.floats(`${name}.scales`, [blocks], graph.normals(blocks, 2 / Math.sqrt(width)))
  const attributes = {
    K: { int: width },
    N: { int: out },
    block_size: { int: blockSize },
    quant_type: { int: linear === 'normalLevels' ? 1 : 0 },
  }
  graph.node('MatMulBnb4', [x, codes, scales], y, attributes, MICROSOFT)
}

/** Codes with scales and zero points [rows, columns]; gives their names. */
function addCodes(
  graph: TinyGraph,
  name: string,
  { dims, alongRows }: { dims: readonly [number, number]; alongRows: boolean },
): readonly string[] {
  const { codes, scales, zeros, blockSize } = graph.options
  const bits = codes.endsWith('4') ? 4 : 8
  const type = { int4: I4, uint4: U4, int8: I8, uint8: U8 }[codes]
  const [rows, columns] = dims
  const shape: readonly number[] =
    scales === 'one'
      ? []
      : scales === 'columns'
        ? [alongRows ? rows : columns]
        : alongRows
          ? [rows, Math.ceil(columns / blockSize)]
          : [Math.ceil(rows / blockSize), columns]
  const count = shape.reduce((product, size) => product * size, 1)
  const width = alongRows ? columns : rows
  const bytes = Math.ceil((rows * columns * bits) / 8)
  const names = [graph.codes(`${name}.codes`, dims, bytes, type)]
  names.push(graph.floats(`${name}.scales`, shape, graph.normals(count, 3.2 / 2 ** bits / Math.sqrt(width))))
  if (zeros === 'packed') {
    names.push(graph.codes(`${name}.zeros`, shape, Math.ceil((count * bits) / 8), type))
  }
  return names
}

function addDequantised(graph: TinyGraph, name: string, x: string, { width, out, y }: Product): void {
  const { scales, turned, blockSize } = graph.options
  const dims = turned ? ([out, width] as const) : ([width, out] as const)
  const parts = addCodes(graph, name, { dims, alongRows: turned })
  const isAlongRow = scales === 'blocks'
  const axis = turned === isAlongRow ? 1 : 0
  const attributes = { axis: { int: axis }, ...(isAlongRow ? { block_size: { int: blockSize } } : {}) }
  const stored = graph.node('DequantizeLinear', parts, `${name}.stored`, scales === 'one' ? {} : attributes)
  const weight = turned
    ? graph.node('Transpose', [stored], `${name}.weight`, { perm: { ints: [1, 0] } })
    : stored
  graph.node('MatMul', [x, weight], y)
}

/** Rows that are rounded to 8 bits as they come, in four nodes, in two or in one. */
function addRounded(graph: TinyGraph, name: string, x: string, { width, out, y, bias }: Product): void {
  const [codes = '', scales = '', zeros = ''] = addCodes(graph, name, {
    dims: [width, out],
    alongRows: false,
  })
  if (graph.options.linear === 'roundedInOne') {
    graph.node('DynamicQuantizeMatMul', [x, codes, scales, zeros, bias], y, {}, MICROSOFT)
    return
  }
  const parts = ['rows', 'scale', 'zero'].map((part) => `${name}.rounded.${part}`)
  graph.node('DynamicQuantizeLinear', [x], parts)
  const [rows = '', scale = '', zero = ''] = parts
  if (graph.options.linear === 'roundedToFloat') {
    const inputs = [rows, codes, scale, scales, zero, zeros, bias]
    graph.node('MatMulIntegerToFloat', inputs, y, {}, MICROSOFT)
    return
  }
  const product = graph.node('MatMulInteger', [rows, codes, zero, zeros], `${name}.integers`)
  const both = graph.node('Mul', [scale, scales], `${name}.scale`)
  const floats = graph.node('Cast', [product], `${name}.floats`, { to: { int: F32 } })
  graph.node('Mul', [floats, both], y)
}
