import type { OnnxNode } from '../../formats/onnx.ts'
import { DATA_TYPES } from '../../formats/onnxTensor.ts'
import type { Dimension } from './dimension.ts'
import { fixed } from './dimension.ts'
import {
  axisFromFront,
  intAttribute,
  integersOf,
  intsAttribute,
  operatorOf,
  scalarOf,
  vectorOf,
} from './node.ts'
import type { HiddenValue, IdsValue, LinearOutput, Meaning, Value, WeightSite } from './values.ts'
import { linearSite, tableSite } from './weightSites.ts'
import type { LinearSite } from './weightSites.ts'

const FLOAT_TYPES: readonly number[] = [DATA_TYPES.f32, DATA_TYPES.f16, DATA_TYPES.bf16]

const ROWS: readonly string[] = ['btf', 'tbf', 'rf']

/** Whether the last axis holds the features of a row, whatever stands before it. */
export function isRows(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && ROWS.includes(value.layout)
}

/** Whether rows lie text by text, as operators that look across tokens take them. */
export function isOfTexts(value: Value | undefined): value is HiddenValue {
  return isRows(value) && value.layout !== 'tbf'
}

/** A value of the same rows with `features` of them. */
export function withFeatures(value: HiddenValue, features: number): readonly Dimension[] {
  return [...value.dims.slice(0, -1), fixed(features)]
}

/** MatMul, Gemm and their quantised kin on rows, by a constant matrix. */
export function linearLayer(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [x, , , , groupIndex] = inputs
  if (!isRows(x)) return undefined
  if (groupIndex && operatorOf(node) === 'com.microsoft.MatMulNBits')
    return { kind: 'unplaced', node, reason: 'orders its blocks by g_idx, expected them along the row' }
  return projectedBy(x, linearSite(node, inputs))
}

/** What linear layers read. */
function isInput(meaning: Meaning): meaning is LinearOutput['input'] {
  return ['normed', 'residual', 'attended', 'gated'].includes(meaning.kind)
}

/** Rows that a linear layer may take, multiplied by its matrix. */
export function projectedBy(x: HiddenValue, site: LinearSite | undefined): Value | undefined {
  const { meaning } = x
  if (!isInput(meaning)) return undefined
  const features = x.dims.at(-1)
  if (!site || features?.factor !== site.weight.in || features.symbols.length > 0) return undefined
  const output: LinearOutput = {
    kind: 'linear',
    input: meaning,
    weight: site.weight,
    first: 0,
    length: site.weight.out,
    bias: null,
  }
  const value: HiddenValue = { ...x, dims: withFeatures(x, site.weight.out), meaning: output }
  return site.bias ? withBias(value, output, site.bias) : value
}

/** The token embedding: Gather of a table of floats or of what is dequantised, or GatherBlockQuantized. */
export function embeddedTokens(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [, ids] = inputs
  const site = ids?.kind === 'ids' ? tableSite(node, inputs) : undefined
  return ids?.kind === 'ids' && site ? embeddingOf(ids, site) : undefined
}

/** The rows of a table [vocabulary, hidden] for token ids. */
export function embeddingOf(ids: IdsValue, table: WeightSite): Value {
  return {
    kind: 'hidden',
    layout: ids.dims.length === 1 ? 'rf' : 'btf',
    dims: [...ids.dims, fixed(table.in)],
    meaning: {
      kind: 'residual',
      depth: 0,
      hidden: table.in,
      origin: { kind: 'embedding', table, factor: 1 },
    },
  }
}

/** Add of a constant vector to a linear layer's output, in either order. */
export function biasAddition(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, bias] = a?.kind === 'constant' ? [b, a] : [a, b]
  if (!isRows(x) || x.meaning.kind !== 'linear') return undefined
  return withBias(x, x.meaning, bias)
}

function withBias(value: HiddenValue, output: LinearOutput, bias: Value | undefined): Value | undefined {
  const tensor = vectorOf(bias, output.length)
  if (!tensor || output.bias) return undefined
  if (!FLOAT_TYPES.includes(tensor.dataType)) return undefined
  return { ...value, meaning: { ...output, bias: { tensor, first: 0 } } }
}

/** Slice or Split of fused projections along the features. */
export function splitFeatures(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [x] = inputs
  if (!isRows(x) || x.meaning.kind !== 'linear') return undefined
  const output = x.meaning
  const ranges =
    node.opType === 'Split'
      ? splitRanges(node, inputs, { axis: x.dims.length - 1, size: output.length })
      : sliceRanges(inputs, { axis: x.dims.length - 1, size: output.length })
  return ranges?.map(({ first, length }) => ({
    ...x,
    dims: withFeatures(x, length),
    meaning: {
      ...output,
      first: output.first + first,
      length,
      bias: output.bias && { ...output.bias, first: output.bias.first + first },
    },
  }))
}

interface Range {
  readonly first: number
  readonly length: number
}

interface SlicedAxis {
  readonly axis: number
  readonly size: number
}

/** What Split along `axis` gives, undefined where that is another axis or the sizes are not known. */
export function splitRanges(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
  { axis, size }: SlicedAxis,
): readonly Range[] | undefined {
  if (axisFromFront(intAttribute(node, 'axis') ?? 0, axis + 1) !== axis) return undefined
  const parts = node.outputs.length
  const sizes = intsAttribute(node, 'split') ?? (inputs[1] ? integersOf(inputs[1]) : undefined)
  const equal = size % parts === 0 ? Array.from({ length: parts }, () => size / parts) : undefined
  const lengths = inputs[1] && !sizes ? undefined : (sizes ?? equal)
  if (!lengths || lengths.length !== parts || lengths.some((length) => !(length > 0))) return undefined
  let first = 0
  const ranges = lengths.map((length) => {
    const range = { first, length }
    first += length
    return range
  })
  return first === size ? ranges : undefined
}

/** What Slice along `axis` alone gives. */
export function sliceRanges(
  inputs: readonly (Value | undefined)[],
  { axis, size }: SlicedAxis,
): readonly Range[] | undefined {
  const [, starts, ends, axes, steps] = inputs
  const [start, end] = [scalarOf(starts), scalarOf(ends)]
  const along = axes ? scalarOf(axes) : 0
  if (start === undefined || end === undefined || along === undefined) return undefined
  if (axisFromFront(along, axis + 1) !== axis || (steps && scalarOf(steps) !== 1)) return undefined
  const first = Math.max(0, Math.min(size, axisFromFront(start, size)))
  const last = Math.max(0, Math.min(size, axisFromFront(end, size)))
  return last > first ? [{ first, length: last - first }] : undefined
}
