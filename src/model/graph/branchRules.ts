import type { OnnxGraph, OnnxNode } from '../../formats/onnx.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import { integersOf, numbersOf, operatorOf, scalarOf } from './node.ts'
import type { SideValue } from './sideValues.ts'
import type { Value } from './values.ts'

// LongRoPE as exporters write it: one set of rotary tables up to so many tokens, another for longer texts.

/** Greater of how many tokens there are, with those of the cache, and a number. */
export function lengthTest(
  node: OnnxNode,
  [length, limit]: readonly (Value | undefined)[],
): SideValue | undefined {
  const [total] = numbersOf(length)?.entries ?? []
  const than = integersOf(limit)?.length === 1 ? scalarOf(limit) : undefined
  const isTotal = total?.factor === 1 && total.symbols.length === 1 && total.symbols[0] === 'total'
  if (operatorOf(node) !== 'Greater' || !isTotal || than === undefined) return undefined
  return { kind: 'side', role: { kind: 'longer', than }, dims: null }
}

/**
 * The tables of texts that are not longer, which is all that a decoder here reads: they have no more rows than that, and
 * what has no row has no position.
 */
export function shorterTables(
  node: OnnxNode,
  [condition]: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const branch = node.attributes.get('else_branch')
  if (operatorOf(node) !== 'If' || condition?.kind !== 'side' || branch?.kind !== 'graph') return undefined
  const { role } = condition
  if (role.kind !== 'longer') return undefined
  const tables = branch.value.outputs.map(({ name }) => tensorIn(branch.value, name))
  const isBounded = (tensor: OnnxTensor): boolean =>
    tensor.dims.length === 2 && (tensor.dims[0] ?? 0) <= role.than
  const found = tables.filter((tensor) => tensor !== undefined)
  if (found.length !== tables.length || !found.every(isBounded)) return undefined
  return found.map((tensor) => ({ kind: 'constant', tensor, dims: tensor.dims, isTransposed: false }))
}

/** The constant that a graph gives by this name. */
function tensorIn(graph: OnnxGraph, name: string): OnnxTensor | undefined {
  const node = graph.nodes.find(({ outputs }) => outputs[0] === name)
  if (!node) return graph.initializers.get(name)
  if (node.opType === 'Identity') return graph.initializers.get(node.inputs[0] ?? '')
  const value = node.opType === 'Constant' ? node.attributes.get('value') : undefined
  return value?.kind === 'tensor' ? value.value : undefined
}
