import type { OnnxTensor } from './onnxTensor.ts'
import { readPair, readOnnxTensor } from './onnxTensor.ts'
import { WireReader } from './protobuf.ts'

/** An attribute of a node; text is taken byte by byte. */
export type OnnxAttribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor }
  | { readonly kind: 'graph'; readonly value: OnnxGraph }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'other' }

/** One operation of a graph. */
export interface OnnxNode {
  readonly name: string
  readonly opType: string
  readonly domain: string
  /** Value names; an empty one is an omitted optional input. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
  readonly metadata: ReadonlyMap<string, string>
}

/** A graph's input or output; a dimension is a number, a symbol's name or null where nothing is said. */
export interface OnnxValue {
  readonly name: string
  /** TensorProto.DataType, 0 where the value is no tensor. */
  readonly dataType: number
  readonly dims: readonly (number | string | null)[] | null
}

/** Nodes in an order in which they can run, and what they start from. */
export interface OnnxGraph {
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, OnnxTensor>
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
}

/** A model file. */
export interface OnnxModel {
  readonly fileName: string
  readonly irVersion: number
  readonly producer: string
  /** Opset version by domain; the standard domain is the empty string. */
  readonly opsets: ReadonlyMap<string, number>
  readonly metadata: ReadonlyMap<string, string>
  readonly graph: OnnxGraph
}

const MAXIMUM_NODES = 200_000

interface NodeBudget {
  left: number
}

/**
 * Reads an ONNX model without copying a weight: initializers are views of `bytes` or name another file.
 *
 * Reference: onnx.proto, ONNX IR 10.
 *
 * @param fileName for messages.
 * @throws HycoraError `format-invalid` naming the file and the fault, for anything that is not such a model.
 */
export function parseOnnx(bytes: Uint8Array, fileName: string): OnnxModel {
  const reader = WireReader.open(bytes, fileName)
  const budget = { left: MAXIMUM_NODES }
  const opsets = new Map<string, number>()
  const metadata = new Map<string, string>()
  let irVersion = 0
  let producer = ''
  let graph: OnnxGraph | undefined
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) irVersion = reader.int64()
    else if (field === 2) producer = reader.text()
    else if (field === 7) {
      if (graph) reader.fail('has two graphs, expected one')
      graph = readGraph(reader.message(), budget)
    } else if (field === 8) readOpset(reader.message(), opsets)
    else if (field === 14) readPair(reader.message(), metadata)
    else reader.skip()
  }
  if (!graph) return reader.fail('has no graph, expected an ONNX model')
  return { fileName, irVersion, producer, opsets, metadata, graph }
}

function readOpset(reader: WireReader, opsets: Map<string, number>): void {
  let domain = ''
  let version = 0
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) domain = reader.text()
    else if (field === 2) version = reader.int64()
    else reader.skip()
  }
  opsets.set(domain === 'ai.onnx' ? '' : domain, version)
}

function readGraph(reader: WireReader, budget: NodeBudget): OnnxGraph {
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, OnnxTensor>()
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  let name = ''
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      if (budget.left-- === 0) reader.fail(`has more than ${MAXIMUM_NODES} nodes`)
      nodes.push(readNode(reader.message(), budget))
    } else if (field === 2) name = reader.text()
    else if (field === 5) {
      const tensor = readOnnxTensor(reader.message())
      if (initializers.has(tensor.name)) reader.fail(`has the initializer ${tensor.name} twice`)
      initializers.set(tensor.name, tensor)
    } else if (field === 11) inputs.push(readValue(reader.message()))
    else if (field === 12) outputs.push(readValue(reader.message()))
    else reader.skip()
  }
  return { name, nodes, initializers, inputs, outputs }
}

function readNode(reader: WireReader, budget: NodeBudget): OnnxNode {
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes = new Map<string, OnnxAttribute>()
  const metadata = new Map<string, string>()
  let name = ''
  let opType = ''
  let domain = ''
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) inputs.push(reader.text())
    else if (field === 2) outputs.push(reader.text())
    else if (field === 3) name = reader.text()
    else if (field === 4) opType = reader.text()
    else if (field === 5) readAttribute(reader.message(), attributes, budget)
    else if (field === 7) domain = reader.text()
    else if (field === 9) readPair(reader.message(), metadata)
    else reader.skip()
  }
  if (domain === 'ai.onnx') domain = ''
  return { name, opType, domain, inputs, outputs, attributes, metadata }
}

function readAttribute(reader: WireReader, attributes: Map<string, OnnxAttribute>, budget: NodeBudget): void {
  const floats: number[] = []
  const ints: number[] = []
  let name = ''
  let type = 0
  let float = 0
  let int = 0
  let text = ''
  let tensor: OnnxTensor | undefined
  let graph: OnnxGraph | undefined
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.text()
    else if (field === 2) float = reader.float32()
    else if (field === 3) int = reader.int64()
    else if (field === 4) text = latin1(reader.bytes())
    else if (field === 5) tensor = readOnnxTensor(reader.message())
    else if (field === 6) graph = readGraph(reader.message(), budget)
    else if (field === 7) reader.float32s(floats)
    else if (field === 8) reader.int64s(ints)
    else if (field === 20) type = reader.int64()
    else reader.skip()
  }
  if (attributes.has(name)) reader.fail(`has the attribute ${name} twice`)
  attributes.set(name, attributeOf(type))

  function attributeOf(kind: number): OnnxAttribute {
    if (kind === 1) return { kind: 'float', value: float }
    if (kind === 2) return { kind: 'int', value: int }
    if (kind === 3) return { kind: 'text', value: text }
    if (kind === 4 && tensor) return { kind: 'tensor', value: tensor }
    if (kind === 5 && graph) return { kind: 'graph', value: graph }
    if (kind === 6) return { kind: 'floats', value: floats }
    if (kind === 7) return { kind: 'ints', value: ints }
    return { kind: 'other' }
  }
}

/** Text attributes are bytes that need not be UTF-8; what the recogniser compares is ASCII. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function readValue(reader: WireReader): OnnxValue {
  let name = ''
  let dataType = 0
  let dims: (number | string | null)[] | null = null
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.text()
    else if (field === 2) readTensorType(reader.message())
    else reader.skip()
  }
  return { name, dataType, dims }

  function readTensorType(type: WireReader): void {
    for (let kind = type.next(); kind !== 0; kind = type.next()) {
      if (kind !== 1) {
        type.skip()
        continue
      }
      const tensor = type.message()
      for (let field = tensor.next(); field !== 0; field = tensor.next()) {
        if (field === 1) dataType = tensor.int64()
        else if (field === 2) dims = readShape(tensor.message())
        else tensor.skip()
      }
    }
  }
}

function readShape(reader: WireReader): (number | string | null)[] {
  const dims: (number | string | null)[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) {
      reader.skip()
      continue
    }
    const dimension = reader.message()
    let value: number | string | null = null
    for (let kind = dimension.next(); kind !== 0; kind = dimension.next()) {
      if (kind === 1) value = dimension.int64()
      else if (kind === 2) value = dimension.text()
      else dimension.skip()
    }
    dims.push(value)
  }
  return dims
}
