import type { OnnxNode } from '../../formats/onnx.ts'
import { fixedSize, isSame } from './dimension.ts'
import {
  floatAttribute,
  hasOnly,
  intAttribute,
  integersOf,
  intsAttribute,
  scalarOf,
  vectorOf,
} from './node.ts'
import { isRows } from './linearRules.ts'
import { layerOf } from './values.ts'
import type { Gain, HiddenValue, LinearOutput, Meaning, NormStep, Residual, Scaled, Value } from './values.ts'

const NORM_ATTRIBUTES = ['epsilon', 'axis', 'stash_type']

/** Epsilon of ONNX's and ONNX Runtime's norms where the attribute is left out. */
const DEFAULT_EPSILON = { RMSNormalization: 1e-5, SimplifiedLayerNormalization: 1e-5, Skip: 1e-12 }

/** What has norms: the residual stream, and a linear layer's output as rows or as heads. */
type Normable = Residual | LinearOutput

const NORMED_LAYOUTS = ['btf', 'tbf', 'rf', 'bthd', 'bhtd', 'bmd']

function isFeatures(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && NORMED_LAYOUTS.includes(value.layout)
}

function normableOf(value: Value | undefined): Normable | undefined {
  if (!isFeatures(value)) return undefined
  const { meaning } = value
  return (meaning.kind === 'residual' && isRows(value)) || meaning.kind === 'linear' ? meaning : undefined
}

/** SimplifiedLayerNormalization (ONNX Runtime) and RMSNormalization (ONNX 23) along the last axis. */
export function fusedNorm(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [x, gain, ...more] = inputs
  const of = normableOf(x)
  if (x?.kind !== 'hidden' || !of || more.some((input) => input)) return undefined
  const axis = intAttribute(node, 'axis') ?? -1
  if (!hasOnly(node, NORM_ATTRIBUTES) || (axis !== -1 && axis !== x.dims.length - 1)) return undefined
  const fallback =
    DEFAULT_EPSILON[node.opType === 'RMSNormalization' ? 'RMSNormalization' : 'SimplifiedLayerNormalization']
  const normed = withGain(x, of, { gain, epsilon: floatAttribute(node, 'epsilon') ?? fallback })
  return normed && [normed]
}

/** SkipSimplifiedLayerNormalization: adds a block's output to the stream and gives the sum's norm and the sum. */
export function skipNorm(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [a, b, gain, ...more] = inputs
  if (!hasOnly(node, ['epsilon']) || more.some((input) => input)) return undefined
  const sum = residualAddition(a, b)
  if (!sum || sum.meaning.kind !== 'residual') return undefined
  const epsilon = floatAttribute(node, 'epsilon') ?? DEFAULT_EPSILON.Skip
  const normed = withGain(sum, sum.meaning, { gain, epsilon })
  if (!normed) return undefined
  // Mean and inverse deviation, which inference never uses.
  const statistic: Value = { kind: 'unplaced', node, reason: 'gives a statistic that no decoder uses' }
  return [normed, statistic, statistic, sum]
}

function withGain(
  value: HiddenValue,
  of: Normable,
  { gain, epsilon }: { gain: Value | undefined; epsilon: number },
): HiddenValue | undefined {
  const columns = fixedSize(value.dims.at(-1)) ?? 0
  const found = gainOf(gain, columns)
  if (!found) return undefined
  return of.kind === 'residual'
    ? { ...value, meaning: { kind: 'normed', of, epsilon, gain: found } }
    : { ...value, meaning: { kind: 'normedLinear', of, epsilon, gain: found, columns } }
}

/** A gain of so many numbers, or one that is stored without what is added to it. */
function gainOf(value: Value | undefined, columns: number): Gain | undefined {
  const [vector, plus] = value?.kind === 'raised' ? [value.of, value.by] : [value, 0]
  const tensor = vectorOf(vector, columns)
  return tensor && { tensor, plus }
}

/** A linear layer's output and what it was multiplied with. */
export function scaledOf(meaning: Meaning): Pick<Scaled, 'of' | 'factor'> | undefined {
  if (meaning.kind === 'scaled') return meaning
  return meaning.kind === 'linear' ? { of: meaning, factor: 1 } : undefined
}

/** Add of a block's output to the residual stream that the block read, in either order. */
export function residualAddition(a: Value | undefined, b: Value | undefined): HiddenValue | undefined {
  if (!isRows(a) || !isRows(b) || a.layout !== b.layout) return undefined
  const [stream, output] = a.meaning.kind === 'residual' ? [a, b] : [b, a]
  if (stream.meaning.kind !== 'residual') return undefined
  const previous = stream.meaning
  const norm = output.meaning.kind === 'normedLinear' ? output.meaning : null
  const { of: addition, factor } = scaledOf(norm ? norm.of : output.meaning) ?? { of: undefined, factor: 1 }
  if (!addition || (norm && norm.columns !== addition.length)) return undefined
  if (addition.length !== previous.hidden) return undefined
  const source = addition.input
  const read =
    previous.depth % 2 === 0
      ? source.kind === 'attended' && [layerOf(source.query), layerOf(source.key), source.value]
      : source.kind === 'gated' && [source.gate, source.up]
  if (!read) return undefined
  const [input] = read.map((linear) => linear.input)
  if ((input?.kind === 'normed' ? input.of : input) !== previous) return undefined
  // One norm feeds the whole group; two with the same gains would still be another model.
  if (read.some((linear) => linear.input !== input)) return undefined
  return {
    ...stream,
    meaning: {
      kind: 'residual',
      depth: previous.depth + 1,
      hidden: previous.hidden,
      origin: { kind: 'sum', previous, addition, norm, factor },
    },
  }
}

/** One step of an RMS norm written out as Pow, ReduceMean, Add, Sqrt, Reciprocal (or Div), Mul, Mul. */
export function decomposedNorm(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [a, b] = inputs
  switch (node.opType) {
    case 'Pow':
      if (scalarOf(b) === 2) return squared(a)
      return scalarOf(b) === -0.5 ? stepOf(a, 'shiftedMeanSquare', 'inverseRoot') : undefined
    case 'ReduceMean':
      return isLastAxis(node, inputs) ? stepOf(a, 'square', 'meanSquare') : undefined
    case 'Add':
      return shifted(a, b) ?? shifted(b, a)
    case 'Sqrt':
      return stepOf(a, 'shiftedMeanSquare', 'root')
    case 'Reciprocal':
      return stepOf(a, 'root', 'inverseRoot')
    case 'Div':
      if (scalarOf(a) === 1) return stepOf(b, 'root', 'inverseRoot')
      return normalised(a, b, 'root')
    case 'Mul':
      if (a === b) return squared(a)
      return (
        normalised(a, b, 'inverseRoot') ?? normalised(b, a, 'inverseRoot') ?? gained(a, b) ?? gained(b, a)
      )
    default:
      return undefined
  }
}

function isLastAxis(node: OnnxNode, inputs: readonly (Value | undefined)[]): boolean {
  const [x, axesInput] = inputs
  const axes = intsAttribute(node, 'axes') ?? integersOf(axesInput)
  if (!isFeatures(x) || axes?.length !== 1 || (intAttribute(node, 'keepdims') ?? 1) !== 1) return false
  return axes[0] === -1 || axes[0] === x.dims.length - 1
}

function squared(value: Value | undefined): Value | undefined {
  const of = normableOf(value)
  return of && value?.kind === 'hidden'
    ? { ...value, meaning: { kind: 'square', of, epsilon: 0 } }
    : undefined
}

function stepOf(
  value: Value | undefined,
  before: NormStep['kind'],
  kind: NormStep['kind'],
): Value | undefined {
  if (!isFeatures(value) || value.meaning.kind !== before) return undefined
  const { meaning } = value
  return isNormStep(meaning) ? { ...value, meaning: { ...meaning, kind } } : undefined
}

function isNormStep(meaning: Meaning): meaning is NormStep {
  return 'epsilon' in meaning && meaning.kind !== 'normed' && meaning.kind !== 'normedLinear'
}

function shifted(value: Value | undefined, by: Value | undefined): Value | undefined {
  const epsilon = scalarOf(by)
  if (!isFeatures(value) || value.meaning.kind !== 'meanSquare' || epsilon === undefined) return undefined
  return { ...value, meaning: { ...value.meaning, kind: 'shiftedMeanSquare', epsilon } }
}

function normalised(
  stream: Value | undefined,
  factor: Value | undefined,
  kind: NormStep['kind'],
): Value | undefined {
  if (!isFeatures(stream) || !isFeatures(factor) || stream.layout !== factor.layout) return undefined
  const step = factor.meaning
  if (step.kind !== kind || !isNormStep(step)) return undefined
  if (!isSame(stream.dims.at(-1), factor.dims.at(-1))) return undefined
  return step.of === stream.meaning ? { ...stream, meaning: { ...step, kind: 'normalised' } } : undefined
}

function gained(value: Value | undefined, gain: Value | undefined): Value | undefined {
  if (!isFeatures(value) || value.meaning.kind !== 'normalised') return undefined
  return withGain(value, value.meaning.of, { gain, epsilon: value.meaning.epsilon })
}
