/** An attribute as a test writes it: integers and floats are told apart by the wrapper. */
export type WrittenAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly tensor: WrittenTensor }
  | { readonly graph: Omit<WrittenModel, 'opset'> }

export interface WrittenTensor {
  readonly name: string
  readonly dataType: number
  readonly dims: readonly number[]
  readonly bytes?: Uint8Array
  readonly external?: Readonly<Record<string, string>>
  readonly floats?: readonly number[]
  readonly integers?: readonly number[]
}

export interface WrittenNode {
  readonly opType: string
  readonly domain?: string
  readonly name?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, WrittenAttribute>>
}

export interface WrittenValue {
  readonly name: string
  readonly dataType: number
  readonly dims: readonly (number | string)[]
}

export interface WrittenModel {
  readonly opset: number
  readonly nodes: readonly WrittenNode[]
  readonly initializers: readonly WrittenTensor[]
  readonly inputs: readonly WrittenValue[]
  readonly outputs: readonly WrittenValue[]
}

type Part = Uint8Array | readonly number[]

export function joinBytes(parts: readonly Part[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

export function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return bytes
}

export const integerField = (field: number, value: number): Part => [...varint(field * 8), ...varint(value)]

export const bytesField = (field: number, bytes: Part): Part =>
  joinBytes([varint(field * 8 + 2), varint(bytes.length), bytes])

export const textField = (field: number, text: string): Part =>
  bytesField(field, new TextEncoder().encode(text))

function tensorBytes({ name, dataType, dims, bytes, external, floats, integers }: WrittenTensor): Uint8Array {
  return joinBytes([
    ...dims.map((dim) => integerField(1, dim)),
    integerField(2, dataType),
    ...(floats ? [bytesField(4, new Uint8Array(Float32Array.from(floats).buffer))] : []),
    ...(integers ? [bytesField(5, integers.flatMap(varint))] : []),
    textField(8, name),
    ...(bytes ? [bytesField(9, bytes)] : []),
    ...Object.entries(external ?? {}).map(([key, value]) =>
      bytesField(13, joinBytes([textField(1, key), textField(2, value)])),
    ),
    ...(external ? [integerField(14, 1)] : []),
  ])
}

function attributeBytes(name: string, attribute: WrittenAttribute): Uint8Array {
  const parts = [textField(1, name)]
  if ('int' in attribute) parts.push(integerField(3, attribute.int), integerField(20, 2))
  else if ('float' in attribute) {
    parts.push(
      joinBytes([[2 * 8 + 5], new Uint8Array(Float32Array.of(attribute.float).buffer)]),
      integerField(20, 1),
    )
  } else if ('ints' in attribute) {
    parts.push(...attribute.ints.map((value) => integerField(8, value)), integerField(20, 7))
  } else if ('text' in attribute) parts.push(textField(4, attribute.text), integerField(20, 3))
  else if ('graph' in attribute) {
    parts.push(bytesField(6, graphBytes(attribute.graph)), integerField(20, 5))
  } else parts.push(bytesField(5, tensorBytes(attribute.tensor)), integerField(20, 4))
  return joinBytes(parts)
}

function nodeBytes({ opType, domain, name, inputs, outputs, attributes }: WrittenNode): Uint8Array {
  return joinBytes([
    ...inputs.map((input) => textField(1, input)),
    ...outputs.map((output) => textField(2, output)),
    textField(3, name ?? `node_${outputs[0]}`),
    textField(4, opType),
    ...Object.entries(attributes ?? {}).map(([key, value]) => bytesField(5, attributeBytes(key, value))),
    ...(domain ? [textField(7, domain)] : []),
  ])
}

function valueBytes({ name, dataType, dims }: WrittenValue): Uint8Array {
  const shape = dims.map((dim) =>
    bytesField(1, typeof dim === 'number' ? integerField(1, dim) : textField(2, dim)),
  )
  const type = joinBytes([integerField(1, dataType), bytesField(2, joinBytes(shape))])
  return joinBytes([textField(1, name), bytesField(2, bytesField(1, type))])
}

function graphBytes(graph: Omit<WrittenModel, 'opset'>): Uint8Array {
  return joinBytes([
    ...graph.nodes.map((node) => bytesField(1, nodeBytes(node))),
    textField(2, 'tiny'),
    ...graph.initializers.map((tensor) => bytesField(5, tensorBytes(tensor))),
    ...graph.inputs.map((value) => bytesField(11, valueBytes(value))),
    ...graph.outputs.map((value) => bytesField(12, valueBytes(value))),
  ])
}

/** Writes an ONNX model, IR 10, with ONNX Runtime's domain. */
export function writeOnnx(model: WrittenModel): Uint8Array {
  const graph = graphBytes(model)
  const opset = (domain: string, version: number): Part =>
    bytesField(8, joinBytes([textField(1, domain), integerField(2, version)]))
  return joinBytes([
    integerField(1, 10),
    textField(2, 'tests'),
    bytesField(7, graph),
    opset('', model.opset),
    opset('com.microsoft', 1),
  ])
}
