import type { OnnxNode } from '../../formats/onnx.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import { readNumbers } from '../../formats/onnxTensor.ts'
import { fixed, fixedSize } from './dimension.ts'
import type { NumbersValue, Value } from './values.ts'

const MAXIMUM_NUMBERS = 64

/** The operator's name, with its domain unless that is the standard one. */
export function operatorOf(node: OnnxNode): string {
  return node.domain === '' ? node.opType : `${node.domain}.${node.opType}`
}

/** An integer attribute; undefined where it is absent or of another type. */
export function intAttribute(node: OnnxNode, name: string): number | undefined {
  const attribute = node.attributes.get(name)
  return attribute?.kind === 'int' ? attribute.value : undefined
}

/** A float attribute; undefined where it is absent or of another type. */
export function floatAttribute(node: OnnxNode, name: string): number | undefined {
  const attribute = node.attributes.get(name)
  return attribute?.kind === 'float' ? attribute.value : undefined
}

/** An attribute that lists integers; undefined where it is absent or of another type. */
export function intsAttribute(node: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name)
  return attribute?.kind === 'ints' ? attribute.value : undefined
}

/** Whether the node has no attribute beyond `allowed`, so that nothing it asks for goes unseen. */
export function hasOnly(node: OnnxNode, allowed: readonly string[]): boolean {
  return [...node.attributes.keys()].every((name) => allowed.includes(name))
}

/** The short list of numbers that a value is known to be, in part or whole. */
export function numbersOf(value: Value | undefined): NumbersValue | undefined {
  if (value?.kind === 'numbers') return value
  if (value?.kind !== 'constant' || value.dims.length > 1 || (value.dims[0] ?? 1) > MAXIMUM_NUMBERS)
    return undefined
  const numbers = readNumbers(value.tensor)
  if (!numbers) return undefined
  return {
    kind: 'numbers',
    entries: numbers.values.map(fixed),
    isScalar: value.dims.length === 0,
    isInteger: numbers.isInteger,
  }
}

/** The one number that a value is, whatever its rank. */
export function scalarOf(value: Value | undefined): number | undefined {
  if (value?.kind === 'constant') {
    if (value.dims.some((dim) => dim !== 1)) return undefined
    return readNumbers(value.tensor)?.values[0]
  }
  const numbers = numbersOf(value)
  return numbers?.entries.length === 1 ? fixedSize(numbers.entries[0]) : undefined
}

/** The whole numbers that a value is, all known. */
export function integersOf(value: Value | undefined): readonly number[] | undefined {
  const numbers = numbersOf(value)
  if (!numbers?.isInteger) return undefined
  const sizes = numbers.entries.map((entry) => fixedSize(entry))
  return sizes.every((size) => size !== undefined) ? sizes : undefined
}

/** The tensor behind a constant that is a vector of `length` numbers (leading axes of one allowed). */
export function vectorOf(value: Value | undefined, length: number): OnnxTensor | undefined {
  if (value?.kind !== 'constant' || value.isTransposed) return undefined
  if (value.dims.at(-1) !== length || value.dims.slice(0, -1).some((dim) => dim !== 1)) return undefined
  return value.tensor
}

/** `axis` counted from the front. */
export function axisFromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}
