import type { OnnxModel, OnnxNode } from '../formats/onnx.ts'
import type { OnnxTensor } from '../formats/onnxTensor.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import { int } from './graphBuilder.ts'
import { nodeOf } from './onnxNode.ts'

/** Of products by blocks: float32. Levels above round what is multiplied. */
const EXACT_LEVEL = 1

/**
 * The graph that multiplies rows as they are where it rounds them to 8 bits first; its weights stay as they are stored. What
 * DynamicQuantizeLinear gives is then x itself with the scale 1, and a product of integers is x · (W − zeros), which what
 * follows scales.
 *
 * Reference: ONNX's DynamicQuantizeLinear and MatMulInteger; onnxruntime's MatMulIntegerToFloat, DynamicQuantizeMatMul and
 * MatMulNBits.
 *
 * @returns null where it rounds none.
 */
export function unrounded(model: OnnxModel): OnnxModel | null {
  const { graph } = model
  const initializers = new Map(graph.initializers)
  const addOnes = (name: string, dims: readonly number[]): string => {
    initializers.set(name, ones(name, dims))
    return name
  }
  const codes = new Set<string>()
  let count = 0
  const nodes = graph.nodes.flatMap((node): readonly OnnxNode[] => {
    const { opType, inputs, outputs } = node
    const [x = '', weight = '', third = '', fourth = '', , sixth = '', bias = ''] = inputs
    const [y = ''] = outputs
    let exact: readonly OnnxNode[] | null = null
    if (opType === 'DynamicQuantizeLinear') {
      codes.add(y)
      addOnes(outputs[1] ?? '', [])
      exact = [nodeOf('Identity', [x], [y])]
    } else if (opType === 'MatMulInteger' && codes.has(x)) {
      const scales = addOnes(`${y}.ones`, graph.initializers.get(fourth)?.dims ?? [])
      exact = product(y, x, [weight, scales, fourth])
    } else if (opType === 'MatMulIntegerToFloat' && codes.has(x)) {
      exact = product(y, x, [weight, fourth, sixth], bias)
    } else if (opType === 'DynamicQuantizeMatMul') {
      exact = product(y, x, [weight, third, fourth], inputs[4])
    } else if (opType === 'MatMulNBits') exact = atExactLevel(node)
    if (exact) count++
    return exact ?? [node]
  })
  return count === 0 ? null : { ...model, graph: { ...graph, nodes, initializers } }
}

/** y = x · weights + bias, with the weights' scales and zero points by column or for all. */
function product(y: string, x: string, weights: readonly string[], bias = ''): readonly OnnxNode[] {
  const [matrix, whole] = [`${y}.weights`, bias === '' ? y : `${y}.product`]
  return [
    nodeOf(
      'DequantizeLinear',
      weights.filter((name) => name !== ''),
      [matrix],
      { axis: int(1) },
    ),
    nodeOf('MatMul', [x, matrix], [whole]),
    ...(bias === '' ? [] : [nodeOf('Add', [whole, bias], [y])]),
  ]
}

function atExactLevel(node: OnnxNode): readonly OnnxNode[] | null {
  const level = node.attributes.get('accuracy_level')
  if (level?.kind !== 'int' || level.value <= EXACT_LEVEL) return null
  return [{ ...node, attributes: new Map([...node.attributes, ['accuracy_level', int(EXACT_LEVEL)]]) }]
}

function ones(name: string, dims: readonly number[]): OnnxTensor {
  const values = new Float32Array(dims.reduce((all, size) => all * size, 1)).fill(1)
  return {
    name,
    dims,
    dataType: DATA_TYPES.f32,
    content: { kind: 'bytes', bytes: new Uint8Array(values.buffer) },
  }
}
