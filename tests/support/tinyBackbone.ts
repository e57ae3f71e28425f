import type { FileSet } from '../../src/core/bytes.ts'
import { floatToHalf } from '../../src/core/half.ts'
import { parseOnnx } from '../../src/formats/onnx.ts'
import type { Decoder } from '../../src/model/decoder/decoder.ts'
import { recogniseDecoder } from '../../src/model/graph/recognise.ts'
import { memorySource } from '../../src/formats/memorySource.ts'
import type { WrittenModel, WrittenNode, WrittenTensor } from './onnxWriter.ts'

/** A folder in memory. */
export function memoryFolder(files: Readonly<Record<string, Uint8Array>>): FileSet {
  return {
    async open(path) {
      const bytes = files[path]
      return bytes && memorySource(path, bytes)
    },
  }
}

/** Recognises a model's bytes as `tiny.onnx`. */
export async function recogniseBytes(
  bytes: Uint8Array,
  config?: unknown,
  files: Readonly<Record<string, Uint8Array>> = {},
): Promise<Decoder> {
  const model = parseOnnx(bytes, 'tiny.onnx')
  return recogniseDecoder(
    model,
    { model: memorySource('tiny.onnx', bytes), folder: memoryFolder(files) },
    config,
  )
}

/** The model with a node put between `value` and all that used it; the node reads `value.before`. */
export function insertAfter(
  model: WrittenModel,
  value: string,
  node: (input: string) => Omit<WrittenNode, 'outputs' | 'name'>,
): WrittenModel {
  const nodes = model.nodes.flatMap((made): WrittenNode[] => {
    if (!made.outputs.includes(value)) return [made]
    const outputs = made.outputs.map((output) => (output === value ? `${value}.before` : output))
    return [
      { ...made, outputs },
      { ...node(`${value}.before`), outputs: [value], name: 'inserted' },
    ]
  })
  return { ...model, nodes }
}

/** The model with a node put before all others. */
export function prepend(model: WrittenModel, node: WrittenNode): WrittenModel {
  return { ...model, nodes: [node, ...model.nodes] }
}

/** The model with a node put right behind the one that gives `value`. */
export function append(model: WrittenModel, value: string, node: WrittenNode): WrittenModel {
  return {
    ...model,
    nodes: model.nodes.flatMap((made) => (made.outputs.includes(value) ? [made, node] : [made])),
  }
}

/** The model with the nodes that give `output` changed. */
export function change(
  model: WrittenModel,
  output: string,
  edit: (node: WrittenNode) => Partial<WrittenNode>,
): WrittenModel {
  return {
    ...model,
    nodes: model.nodes.map((node) => (node.outputs.includes(output) ? { ...node, ...edit(node) } : node)),
  }
}

/** A float tensor's initializer as halves. */
export function asHalf(tensor: WrittenTensor): WrittenTensor {
  const floats = new Float32Array(tensor.bytes!.slice().buffer)
  return { ...tensor, dataType: 10, bytes: new Uint8Array(Uint16Array.from(floats, floatToHalf).buffer) }
}

/** A float tensor's initializer as bfloat16, cut off. */
export function asUpperHalf(tensor: WrittenTensor): WrittenTensor {
  const words = new Uint32Array(tensor.bytes!.slice().buffer)
  const halves = Uint16Array.from(words, (bits) => bits >>> 16)
  return { ...tensor, dataType: 16, bytes: new Uint8Array(halves.buffer) }
}

/** The model with one initializer changed. */
export function withTensor(
  model: WrittenModel,
  name: string,
  edit: (tensor: WrittenTensor) => WrittenTensor,
): WrittenModel {
  const initializers = model.initializers.map((tensor) => (tensor.name === name ? edit(tensor) : tensor))
  return { ...model, initializers }
}

/** An initializer that is one half throughout. */
export function constant(name: string, dims: readonly number[]): WrittenTensor {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return { name, dataType: 1, dims, floats: Array.from({ length: count }, () => 0.5) }
}

/** The model with more initializers. */
export function withTensors(model: WrittenModel, ...added: WrittenTensor[]): WrittenModel {
  return { ...model, initializers: [...model.initializers, ...added] }
}
