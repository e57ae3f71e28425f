import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxValue } from './onnx.ts'
import { DATA_TYPES } from './onnxTensor.ts'
import type { OnnxTensor } from './onnxTensor.ts'
import { WireWriter } from './wireWriter.ts'

/** Field of the value and AttributeProto.AttributeType, by kind. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, text: 3, tensor: 4, graph: 5, floats: 6, ints: 7 } as const

/**
 * Writes an ONNX model; what `parseOnnx` reads of it is the same model again.
 *
 * Reference: onnx.proto, ONNX IR 10.
 *
 * Numbers that an initializer lists become bytes.
 *
 * @throws RangeError for an attribute of kind `other`, which only reading knows, and for listed numbers of a rare type.
 */
export function writeOnnx(model: Omit<OnnxModel, 'fileName'>): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter()
  writer.integer(1, model.irVersion)
  writer.text(2, model.producer)
  writer.message(7, (graph) => writeGraph(graph, model.graph))
  for (const [domain, version] of model.opsets) {
    writer.message(8, (opset) => {
      opset.text(1, domain)
      opset.integer(2, version)
    })
  }
  writePairs(writer, 14, model.metadata)
  return writer.finish()
}

function writeGraph(writer: WireWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) writer.message(1, (message) => writeNode(message, node))
  writer.text(2, graph.name)
  for (const tensor of graph.initializers.values()) {
    writer.message(5, (message) => writeTensor(message, tensor))
  }
  for (const value of graph.inputs) writer.message(11, (message) => writeValue(message, value))
  for (const value of graph.outputs) writer.message(12, (message) => writeValue(message, value))
}

function writeNode(writer: WireWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.text(1, input)
  for (const output of node.outputs) writer.text(2, output)
  writer.text(3, node.name)
  writer.text(4, node.opType)
  for (const [name, attribute] of node.attributes) {
    writer.message(5, (message) => writeAttribute(message, name, attribute))
  }
  writer.text(7, node.domain)
  writePairs(writer, 9, node.metadata)
}

function writeAttribute(writer: WireWriter, name: string, attribute: OnnxAttribute): void {
  writer.text(1, name)
  if (attribute.kind === 'other')
    throw new RangeError(`the attribute ${name} has a kind that cannot be written`)
  if (attribute.kind === 'float') writer.float32(2, attribute.value)
  else if (attribute.kind === 'int') writer.integer(3, attribute.value)
  else if (attribute.kind === 'text') writer.raw(4, latin1Bytes(attribute.value))
  else if (attribute.kind === 'tensor') writer.message(5, (message) => writeTensor(message, attribute.value))
  else if (attribute.kind === 'graph') writer.message(6, (message) => writeGraph(message, attribute.value))
  else if (attribute.kind === 'floats') for (const value of attribute.value) writer.float32(7, value)
  else for (const value of attribute.value) writer.integer(8, value)
  writer.integer(20, ATTRIBUTE_TYPES[attribute.kind])
}

/** The inverse of how the reader takes text attributes: one byte a character. */
function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function writeTensor(writer: WireWriter, { name, dims, dataType, content }: OnnxTensor): void {
  for (const dim of dims) writer.integer(1, dim)
  writer.integer(2, dataType)
  writer.text(8, name)
  if (content.kind !== 'external') {
    writer.raw(9, content.kind === 'bytes' ? content.bytes : listedBytes(name, dataType, content.values))
    return
  }
  const { location, offset, sizeBytes } = content
  writePairs(writer, 13, new Map(Object.entries({ location, offset: `${offset}`, length: `${sizeBytes}` })))
  writer.integer(14, 1)
}

function listedBytes(name: string, dataType: number, values: readonly number[]): Uint8Array {
  switch (dataType) {
    case DATA_TYPES.f32:
      return new Uint8Array(Float32Array.from(values).buffer)
    case DATA_TYPES.f64:
      return new Uint8Array(Float64Array.from(values).buffer)
    case DATA_TYPES.f16:
    case DATA_TYPES.bf16:
      // Halves are listed as their bits.
      return new Uint8Array(Uint16Array.from(values).buffer)
    case DATA_TYPES.i32:
      return new Uint8Array(Int32Array.from(values).buffer)
    case DATA_TYPES.i64:
      return new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    case DATA_TYPES.u8:
    case DATA_TYPES.i8:
    case DATA_TYPES.bool:
    // Of these each entry is a byte that holds two.
    case DATA_TYPES.u4:
    case DATA_TYPES.i4:
      return Uint8Array.from(values)
    default:
      throw new RangeError(`the tensor ${name} lists numbers of ONNX type ${dataType}, which is not written`)
  }
}

function writeValue(writer: WireWriter, { name, dataType, dims }: OnnxValue): void {
  writer.text(1, name)
  writer.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, dataType)
      if (dims) tensor.message(2, (shape) => writeDims(shape, dims))
    }),
  )
}

function writeDims(shape: WireWriter, dims: readonly (number | string | null)[]): void {
  for (const dim of dims) {
    shape.message(1, (dimension) => {
      if (typeof dim === 'number') dimension.integer(1, dim)
      else if (dim !== null) dimension.text(2, dim)
    })
  }
}

function writePairs(writer: WireWriter, field: number, pairs: ReadonlyMap<string, string>): void {
  for (const [key, value] of pairs) {
    writer.message(field, (pair) => {
      pair.text(1, key)
      pair.text(2, value)
    })
  }
}
