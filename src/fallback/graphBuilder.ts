import type { OnnxAttribute, OnnxNode, OnnxValue } from '../formats/onnx.ts'
import { writeOnnx } from '../formats/onnxWriter.ts'
import type { OnnxTensor } from '../formats/onnxTensor.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'

/** A weight that lies beside the graph, under the name that the graph knows it by. */
export interface ExternalData {
  readonly path: string
  readonly data: Uint8Array
}

/** A graph as onnxruntime takes it: the model without weights, and the weights one by one. */
export interface BuiltGraph {
  readonly model: Uint8Array<ArrayBuffer>
  readonly externalData: readonly ExternalData[]
}

/** onnxruntime's own operators. */
export const MICROSOFT = 'com.microsoft'

/** Up to so many bytes a constant is written into the graph. */
const INLINE_BYTES = 1024

const OPSET = 18
const IR_VERSION = 8

const ELEMENT_BYTES = { f32: 4, f16: 2, u8: 1, i64: 8 } as const
type ElementType = keyof typeof ELEMENT_BYTES

export const float = (value: number): OnnxAttribute => ({ kind: 'float', value })
export const int = (value: number): OnnxAttribute => ({ kind: 'int', value })

/** Puts an ONNX graph together node by node, in the order of computation. */
export class GraphBuilder {
  private readonly nodes: OnnxNode[] = []
  private readonly initializers = new Map<string, OnnxTensor>()
  private readonly externalData: ExternalData[] = []
  private readonly inputs: OnnxValue[] = []
  private readonly outputs: OnnxValue[] = []

  /** Adds a node; returns its first output, which gives the node its name. */
  node(
    opType: string,
    inputs: readonly string[],
    outputs: string | readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = '',
  ): string {
    const names = typeof outputs === 'string' ? [outputs] : outputs
    const name = names.find((output) => output !== '') ?? ''
    this.nodes.push({
      name,
      opType,
      domain,
      inputs,
      outputs: names,
      attributes: new Map(Object.entries(attributes)),
      metadata: new Map(),
    })
    return name
  }

  input(name: string, dataType: number, dims: OnnxValue['dims']): string {
    this.inputs.push({ name, dataType, dims })
    return name
  }

  output(name: string, dataType: number, dims: OnnxValue['dims']): string {
    this.outputs.push({ name, dataType, dims })
    return name
  }

  /** Adds a constant, once a name; large ones lie outside of the graph. */
  constant(name: string, type: ElementType, dims: readonly number[], values: ArrayBufferView): string {
    if (this.initializers.has(name)) return name
    const { buffer, byteOffset, byteLength } = values
    const bytes = new Uint8Array(buffer, byteOffset, byteLength)
    const common = { name, dims, dataType: DATA_TYPES[type] }
    if (byteLength <= INLINE_BYTES) {
      this.initializers.set(name, { ...common, content: { kind: 'bytes', bytes } })
      return name
    }
    this.externalData.push({ path: name, data: bytes })
    const content = { kind: 'external', location: name, offset: 0, sizeBytes: byteLength } as const
    this.initializers.set(name, { ...common, content })
    return name
  }

  integers(name: string, values: readonly number[]): string {
    return this.constant(name, 'i64', [values.length], BigInt64Array.from(values, BigInt))
  }

  finish(): BuiltGraph {
    const graph = {
      name: 'decoder',
      nodes: this.nodes,
      initializers: this.initializers,
      inputs: this.inputs,
      outputs: this.outputs,
    }
    const model = writeOnnx({
      irVersion: IR_VERSION,
      producer: 'hycora',
      opsets: new Map([
        ['', OPSET],
        [MICROSOFT, 1],
      ]),
      metadata: new Map(),
      graph,
    })
    return { model, externalData: this.externalData }
  }
}
