import type { OnnxNode } from '../../formats/onnx.ts'
import { DATA_TYPES } from '../../formats/onnxTensor.ts'
import type { Entry } from './dimension.ts'
import { fixed, fixedSize, over, reshape, times } from './dimension.ts'
import {
  axisFromFront,
  intAttribute,
  integersOf,
  intsAttribute,
  numbersOf,
  operatorOf,
  scalarOf,
} from './node.ts'
import { rotaryRole } from './angleRules.ts'
import type { ConstantValue, NumbersValue, Value } from './values.ts'
import { lengthTest } from './branchRules.ts'
import { dequantised, quantisedView } from './quantisedConstants.ts'
import { OPAQUE } from './sideValues.ts'

const FLOAT_TYPES: readonly number[] = [DATA_TYPES.f32, DATA_TYPES.f16, DATA_TYPES.f64, DATA_TYPES.bf16]
const MAXIMUM_NUMBERS = 64

/** Whether a Cast keeps the values of a float tensor (rounding apart). */
export function isFloatCast(node: OnnxNode): boolean {
  return FLOAT_TYPES.includes(intAttribute(node, 'to') ?? 0)
}

/**
 * The outputs of a node none of whose inputs carries hidden data: constants folded, shapes and scales evaluated as
 * far as they are known, rotary angles followed; anything else is opaque.
 */
export function applySideRules(node: OnnxNode, inputs: readonly (Value | undefined)[]): readonly Value[] {
  if (operatorOf(node) === 'Constant') return [constantNode(node)]
  const value =
    dequantised(node, inputs) ??
    lengthTest(node, inputs) ??
    constantView(node, inputs) ??
    raisedConstant(node, inputs) ??
    evaluateNumbers(node, inputs) ??
    rotaryRole(node, inputs)
  return node.outputs.map((_, at) => (at === 0 ? (value ?? OPAQUE) : OPAQUE))
}

function constantNode(node: OnnxNode): Value {
  const value = node.attributes.get('value')
  if (value?.kind === 'tensor') {
    return { kind: 'constant', tensor: value.value, dims: value.value.dims, isTransposed: false }
  }
  const single = node.attributes.get('value_int') ?? node.attributes.get('value_float')
  if (single?.kind === 'int' || single?.kind === 'float') {
    return {
      kind: 'numbers',
      entries: [fixed(single.value)],
      isScalar: true,
      isInteger: single.kind === 'int',
    }
  }
  const several = node.attributes.get('value_ints') ?? node.attributes.get('value_floats')
  if ((several?.kind === 'ints' || several?.kind === 'floats') && several.value.length <= MAXIMUM_NUMBERS) {
    return {
      kind: 'numbers',
      entries: several.value.map(fixed),
      isScalar: false,
      isInteger: several.kind === 'ints',
    }
  }
  return OPAQUE
}

/** A constant seen through an operator that moves no element, or that transposes a matrix. */
function constantView(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const constant = inputs[0]
  if (constant?.kind === 'quantised') return quantisedView(node, constant)
  if (constant?.kind !== 'constant') return undefined
  const isFloat = FLOAT_TYPES.includes(constant.tensor.dataType)
  switch (operatorOf(node)) {
    case 'Identity':
      return constant
    case 'Cast':
      return isFloat && isFloatCast(node) ? constant : undefined
    case 'Transpose': {
      if (constant.dims.length !== 2 || constant.tensor.dims.length !== 2) return undefined
      const [first, second] = intsAttribute(node, 'perm') ?? [1, 0]
      if (first !== 1 || second !== 0) return undefined
      return { ...constant, dims: constant.dims.toReversed(), isTransposed: !constant.isTransposed }
    }
    case 'Reshape':
      return constant.dims.length > 1 || isFloat ? reshapedConstant(node, constant, inputs[1]) : undefined
    default:
      return undefined
  }
}

/** Add of a number to a float vector that is too long to be known number by number, and what leaves it as it is. */
function raisedConstant(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [a, b] = inputs
  if (a?.kind === 'raised') return node.opType === 'Identity' || isFloatCast(node) ? a : undefined
  if (operatorOf(node) !== 'Add') return undefined
  const [vector, number] = scalarOf(a) === undefined ? [a, b] : [b, a]
  const by = scalarOf(number)
  if (vector?.kind !== 'constant' || by === undefined) return undefined
  const isVector = vector.dims.length === 1 && FLOAT_TYPES.includes(vector.tensor.dataType)
  return isVector ? { kind: 'raised', of: vector, by } : undefined
}

function reshapedConstant(
  node: OnnxNode,
  constant: ConstantValue,
  target: Value | undefined,
): Value | undefined {
  const entries = numbersOf(target)?.entries
  if (constant.isTransposed || !entries) return undefined
  const shape = reshape(constant.dims.map(fixed), entries, {
    allowZero: intAttribute(node, 'allowzero') === 1,
  })
  return shape && { ...constant, dims: shape.map((dim) => dim.factor) }
}

/** Partial evaluation on scalars and short vectors. */
function evaluateNumbers(node: OnnxNode, inputs: readonly (Value | undefined)[]): NumbersValue | undefined {
  const operator = operatorOf(node)
  if (operator === 'Shape') return shapeOf(node, inputs[0])
  if (operator === 'Concat') return concatenate(inputs)
  const first = numbersOf(inputs[0])
  if (!first) return undefined
  const second = numbersOf(inputs[1])
  switch (operator) {
    case 'Identity':
      return first
    case 'Cast':
      return { ...first, isInteger: !isFloatCast(node) }
    case 'Unsqueeze':
      return first.isScalar ? { ...first, isScalar: false } : undefined
    case 'Squeeze':
      return first.entries.length === 1 ? { ...first, isScalar: true } : undefined
    case 'Reshape': {
      const [size, ...more] = second?.entries ?? []
      return more.length === 0 && size ? { ...first, isScalar: false } : undefined
    }
    case 'Gather':
      return gather(first, inputs[1])
    case 'Slice':
      return slice(first, inputs)
    case 'ConstantOfShape':
      return constantOfShape(node, first)
    case 'Sqrt':
      return { ...first, entries: first.entries.map((entry) => known(entry, Math.sqrt)) }
    case 'Reciprocal':
      return { ...first, entries: first.entries.map((entry) => known(entry, (value) => 1 / value)) }
    case 'Where':
      return where(first, second, numbersOf(inputs[2]))
    default:
      return second && elementwise(operator, first, second)
  }
}

function known(entry: Entry, of: (value: number) => number): Entry {
  const value = fixedSize(entry)
  return value === undefined ? null : fixed(of(value))
}

/** The shape of any value whose dimensions are tracked, cut as by the attributes `start` and `end`. */
export function shapeOf(node: OnnxNode, value: Value | undefined): NumbersValue | undefined {
  const dims = dimsOf(value)
  if (!dims) return undefined
  const entries = dims.slice(intAttribute(node, 'start') ?? 0, intAttribute(node, 'end') ?? dims.length)
  return { kind: 'numbers', entries, isScalar: false, isInteger: true }
}

function dimsOf(value: Value | undefined): readonly Entry[] | null {
  if (!value || !('entries' in value || 'dims' in value)) return null
  if (value.kind === 'constant' || value.kind === 'quantised') return value.dims.map(fixed)
  if (value.kind === 'numbers') return value.isScalar ? [] : [fixed(value.entries.length)]
  return value.dims
}

function concatenate(inputs: readonly (Value | undefined)[]): NumbersValue | undefined {
  const parts = inputs.map(numbersOf)
  const found = parts.filter((part) => part !== undefined)
  if (found.length !== parts.length || found.some((part) => part.isScalar)) return undefined
  const entries = found.flatMap((part) => part.entries)
  if (entries.length > MAXIMUM_NUMBERS) return undefined
  return { kind: 'numbers', entries, isScalar: false, isInteger: found.every((part) => part.isInteger) }
}

function gather(from: NumbersValue, indices: Value | undefined): NumbersValue | undefined {
  const wanted = integersOf(indices)
  if (!wanted || from.isScalar) return undefined
  const entries = wanted.map((index) => from.entries[axisFromFront(index, from.entries.length)] ?? null)
  return { ...from, entries, isScalar: numbersOf(indices)?.isScalar === true }
}

function slice(from: NumbersValue, inputs: readonly (Value | undefined)[]): NumbersValue | undefined {
  const [start, end] = [scalarOf(inputs[1]), scalarOf(inputs[2])]
  const step = inputs[4] ? scalarOf(inputs[4]) : 1
  if (from.isScalar || start === undefined || end === undefined || step !== 1) return undefined
  return { ...from, entries: from.entries.slice(start, end) }
}

function constantOfShape(node: OnnxNode, shape: NumbersValue): NumbersValue | undefined {
  const length = shape.entries.length === 1 ? fixedSize(shape.entries[0]) : undefined
  const fill = node.attributes.get('value')
  if (length === undefined || !(length >= 0 && length <= MAXIMUM_NUMBERS) || fill?.kind !== 'tensor')
    return undefined
  const value = scalarOf({ kind: 'constant', tensor: fill.value, dims: fill.value.dims, isTransposed: false })
  if (value === undefined) return undefined
  const entries = Array.from({ length }, () => fixed(value))
  return { kind: 'numbers', entries, isScalar: false, isInteger: fill.value.dataType === DATA_TYPES.i64 }
}

function where(condition: NumbersValue, yes?: NumbersValue, no?: NumbersValue): NumbersValue | undefined {
  if (
    !yes ||
    !no ||
    yes.entries.length !== no.entries.length ||
    condition.entries.length !== yes.entries.length
  ) {
    return undefined
  }
  const entries = condition.entries.map((entry, at) => {
    const isTrue = fixedSize(entry)
    if (isTrue === undefined) return null
    return (isTrue ? yes.entries[at] : no.entries[at]) ?? null
  })
  return { ...yes, entries }
}

function elementwise(operator: string, a: NumbersValue, b: NumbersValue): NumbersValue | undefined {
  const operation = Object.hasOwn(OPERATIONS, operator) ? OPERATIONS[operator] : undefined
  const length = Math.max(a.entries.length, b.entries.length)
  if (!operation) return undefined
  if (a.entries.length !== b.entries.length && Math.min(a.entries.length, b.entries.length) !== 1)
    return undefined
  const isInteger = a.isInteger && b.isInteger
  const entries = Array.from({ length }, (_, at) => {
    const left = a.entries[a.entries.length === 1 ? 0 : at] ?? null
    const right = b.entries[b.entries.length === 1 ? 0 : at] ?? null
    return operation(left, right, isInteger)
  })
  return { kind: 'numbers', entries, isScalar: a.isScalar && b.isScalar, isInteger }
}

const OPERATIONS: Readonly<Record<string, (a: Entry, b: Entry, isInteger: boolean) => Entry>> = {
  Mul: times,
  Div: (a, b, isInteger) => {
    const quotient = over(a, b)
    if (!quotient || !isInteger || Number.isInteger(quotient.factor)) return quotient
    return quotient.symbols.length === 0 ? fixed(Math.trunc(quotient.factor)) : null
  },
  Add: (a, b) => bothKnown(a, b, (x, y) => x + y),
  Sub: (a, b) => bothKnown(a, b, (x, y) => x - y),
  Pow: (a, b) => bothKnown(a, b, (x, y) => x ** y),
  Equal: (a, b) => {
    const equal = bothKnown(a, b, (x, y) => (x === y ? 1 : 0))
    // A size is never negative, whatever the run.
    const isSizeAgainstNegative = (b && (fixedSize(b) ?? 0) < 0 && a) || (a && (fixedSize(a) ?? 0) < 0 && b)
    return equal ?? (isSizeAgainstNegative ? fixed(0) : null)
  },
}

function bothKnown(a: Entry, b: Entry, of: (x: number, y: number) => number): Entry {
  const [x, y] = [fixedSize(a), fixedSize(b)]
  return x === undefined || y === undefined ? null : fixed(of(x, y))
}
