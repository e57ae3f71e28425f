import type { OnnxGraph, OnnxModel, OnnxNode } from '../formats/onnx.ts'
import type { OnnxTensor } from '../formats/onnxTensor.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import { float, int } from './graphBuilder.ts'
import { nodeOf } from './onnxNode.ts'

/** Inputs of GroupQueryAttention that hold the gains of the heads' norms. */
const [QUERY_GAIN, KEY_GAIN] = [14, 15]

/** The operator's own, where a graph says nothing. */
const EPSILON = 1e-6

/**
 * The graph with norms of query and key heads that stand inside of an attention operator as nodes before it:
 * onnxruntime's operator for the processor has no such norms.
 *
 * @returns the same model where there are none.
 */
export function separateHeadNorms(model: OnnxModel): OnnxModel {
  const { graph } = model
  if (!graph.nodes.some(hasHeadNorms)) return model
  const initializers = new Map(graph.initializers)
  const constant = (name: string, values: readonly number[]): string => {
    initializers.set(name, integers(name, values))
    return name
  }
  const nodes = graph.nodes.flatMap((node) =>
    hasHeadNorms(node) ? separated(node, graph, constant) : [node],
  )
  return { ...model, graph: { ...graph, nodes, initializers } }
}

function hasHeadNorms({ opType, inputs }: OnnxNode): boolean {
  return opType === 'GroupQueryAttention' && Boolean(inputs[QUERY_GAIN] || inputs[KEY_GAIN])
}

function separated(
  node: OnnxNode,
  graph: OnnxGraph,
  constant: (name: string, values: readonly number[]) => string,
): OnnxNode[] {
  const number = (name: string): number => {
    const attribute = node.attributes.get(name)
    return attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : 0
  }
  const [heads, kvHeads] = [number('num_heads'), number('kv_num_heads')]
  const stem = node.outputs[0] ?? node.name
  const gains = [node.inputs[QUERY_GAIN] ?? '', node.inputs[KEY_GAIN] ?? '']
  const headDim = gains.map((gain) => graph.initializers.get(gain)?.dims[0]).find(Boolean) ?? 0
  const widths = [heads * headDim, kvHeads * headDim, kvHeads * headDim]
  const made: OnnxNode[] = []
  let parts = node.inputs.slice(0, 3)
  if (!parts[1]) {
    const packed = parts[0] ?? ''
    parts = ['query', 'key', 'value'].map((part) => `${stem}.${part}`)
    made.push(nodeOf('Split', [packed, constant(`${stem}.widths`, widths)], parts, { axis: int(-1) }))
  }
  const epsilon = float(number('qk_norm_epsilon') || EPSILON)
  const normed = parts.map((part, index) => {
    const gain = gains[index]
    if (!gain) return part
    const name = `${stem}.normed${index}`
    const [split, joined] = [
      constant(`${name}.heads`, [0, 0, -1, headDim]),
      constant(`${name}.width`, [0, 0, widths[index] ?? 0]),
    ]
    made.push(
      nodeOf('Reshape', [part, split], [`${name}.split`]),
      nodeOf('SimplifiedLayerNormalization', [`${name}.split`, gain], [`${name}.split.y`], {
        epsilon,
        axis: int(-1),
        stash_type: int(1),
      }),
      nodeOf('Reshape', [`${name}.split.y`, joined], [name]),
    )
    return name
  })
  const inputs = [...normed, ...node.inputs.slice(3, QUERY_GAIN)]
  while (inputs.at(-1) === '') inputs.pop()
  const attributes = new Map(node.attributes)
  attributes.delete('qk_norm_epsilon')
  return [...made, { ...node, inputs, attributes }]
}

function integers(name: string, values: readonly number[]): OnnxTensor {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
  return { name, dims: [values.length], dataType: DATA_TYPES.i64, content: { kind: 'bytes', bytes } }
}
