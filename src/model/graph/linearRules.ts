import type { OnnxNode } from '../../formats/onnx.ts'
import { DATA_TYPES } from '../../formats/onnxTensor.ts'
import type { Dimension } from './dimension.ts'
import { fixed } from './dimension.ts'
import {
  axisFromFront,
  floatAttribute,
  hasOnly,
  intAttribute,
  integersOf,
  intsAttribute,
  operatorOf,
  scalarOf,
  vectorOf,
} from './node.ts'
import type { HiddenValue, LinearOutput, Value, WeightSite } from './values.ts'

/** Whether the last axis holds the features of a row, whatever stands before it. */
export function isRows(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && (value.layout === 'btf' || value.layout === 'rf')
}

/** A value of the same rows with `features` of them. */
export function withFeatures(value: HiddenValue, features: number): readonly Dimension[] {
  return [...value.dims.slice(0, -1), fixed(features)]
}

/** A matrix given as a constant [in, out]; one seen through a transposition is stored [out, in]. */
function floatSite(value: Value | undefined): WeightSite | undefined {
  if (value?.kind !== 'constant' || value.dims.length !== 2) return undefined
  const { dataType } = value.tensor
  if (dataType !== DATA_TYPES.f32 && dataType !== DATA_TYPES.f16) return undefined
  const [rows = 0, columns = 0] = value.dims
  return {
    kind: 'float',
    tensor: value.tensor,
    layout: value.isTransposed ? 'out-in' : 'in-out',
    in: rows,
    out: columns,
  }
}

/** MatMul, Gemm and MatMulNBits on rows, by a constant matrix. */
export function linearLayer(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [x] = inputs
  if (!isRows(x)) return undefined
  const { meaning } = x
  if (meaning.kind !== 'normed' && meaning.kind !== 'attended' && meaning.kind !== 'gated') return undefined
  const site = siteOf(node, inputs)
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

function siteOf(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): { weight: WeightSite; bias: Value | undefined } | undefined {
  switch (operatorOf(node)) {
    case 'MatMul': {
      const weight = floatSite(inputs[1])
      return weight && { weight, bias: undefined }
    }
    case 'Gemm':
      return gemmSite(node, inputs)
    default:
      return blockSite(node, inputs)
  }
}

function gemmSite(node: OnnxNode, inputs: readonly (Value | undefined)[]): ReturnType<typeof siteOf> {
  const [, matrix, bias] = inputs
  if ((floatAttribute(node, 'alpha') ?? 1) !== 1 || (intAttribute(node, 'transA') ?? 0) !== 0)
    return undefined
  if (bias && (floatAttribute(node, 'beta') ?? 1) !== 1) return undefined
  if (intAttribute(node, 'transB') !== 1 || matrix?.kind !== 'constant') {
    const weight = floatSite(matrix)
    return weight && { weight, bias }
  }
  const weight = floatSite({ ...matrix, dims: matrix.dims.toReversed(), isTransposed: !matrix.isTransposed })
  return weight && { weight, bias }
}

const BLOCK_ATTRIBUTES = ['K', 'N', 'bits', 'block_size', 'accuracy_level', 'weight_prepacked']

function blockSite(node: OnnxNode, inputs: readonly (Value | undefined)[]): ReturnType<typeof siteOf> {
  const [, codes, scales, zeroPoints, groupIndex, bias] = inputs
  const size = { in: intAttribute(node, 'K') ?? 0, out: intAttribute(node, 'N') ?? 0 }
  const bits = intAttribute(node, 'bits') ?? 4
  if (groupIndex || !hasOnly(node, BLOCK_ATTRIBUTES) || (intAttribute(node, 'weight_prepacked') ?? 0) !== 0) {
    return undefined
  }
  const weight = blocksOf(node, { codes, scales, zeroPoints }, { ...size, bits, defaultZero: 'middle' })
  return weight && { weight, bias }
}

/** Block-quantised weights from their constants; the sizes are checked where the tensors are opened. */
function blocksOf(
  node: OnnxNode,
  parts: { codes: Value | undefined; scales: Value | undefined; zeroPoints: Value | undefined },
  shape: { in: number; out: number; bits: number; defaultZero: 'middle' | 'none' },
): WeightSite | undefined {
  const { codes, scales, zeroPoints } = parts
  const { bits } = shape
  const blockSize = intAttribute(node, 'block_size') ?? 0
  if ((bits !== 4 && bits !== 8) || ![16, 32, 64, 128, 256].includes(blockSize)) return undefined
  if (codes?.kind !== 'constant' || codes.isTransposed) return undefined
  if (scales?.kind !== 'constant' || scales.isTransposed) return undefined
  if (zeroPoints && (zeroPoints.kind !== 'constant' || zeroPoints.isTransposed)) return undefined
  return {
    kind: 'blocks',
    node,
    bits,
    blockSize,
    codes: codes.tensor,
    scales: scales.tensor,
    zeroPoints: zeroPoints?.tensor ?? null,
    defaultZero: shape.defaultZero,
    in: shape.in,
    out: shape.out,
  }
}

/** The token embedding: Gather of a float table, or GatherBlockQuantized. */
export function embeddedTokens(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [table, ids] = inputs
  if (ids?.kind !== 'ids') return undefined
  const site = operatorOf(node) === 'Gather' ? gatheredTable(node, table) : gatheredBlocks(node, inputs)
  if (!site) return undefined
  return {
    kind: 'hidden',
    layout: ids.dims.length === 1 ? 'rf' : 'btf',
    dims: [...ids.dims, fixed(site.in)],
    meaning: { kind: 'residual', depth: 0, hidden: site.in, origin: { kind: 'embedding', table: site } },
  }
}

function gatheredTable(node: OnnxNode, table: Value | undefined): WeightSite | undefined {
  if ((intAttribute(node, 'axis') ?? 0) !== 0 || table?.kind !== 'constant') return undefined
  // A table [vocabulary, hidden] is a matrix of as many outputs, so it is the constant's transpose.
  return floatSite({ ...table, dims: table.dims.toReversed(), isTransposed: !table.isTransposed })
}

function gatheredBlocks(node: OnnxNode, inputs: readonly (Value | undefined)[]): WeightSite | undefined {
  const [codes, , scales, zeroPoints] = inputs
  if (codes?.kind !== 'constant' || codes.dims.length !== 2) return undefined
  if (!hasOnly(node, ['bits', 'block_size', 'gather_axis', 'quantize_axis'])) return undefined
  if ((intAttribute(node, 'gather_axis') ?? 0) !== 0) return undefined
  if (axisFromFront(intAttribute(node, 'quantize_axis') ?? 1, 2) !== 1) return undefined
  const [rows = 0, columns = 0] = codes.dims
  const isBytes = codes.tensor.dataType === DATA_TYPES.u8
  const bits = intAttribute(node, 'bits') ?? 4
  return blocksOf(
    node,
    { codes, scales, zeroPoints },
    {
      out: rows,
      in: isBytes ? (columns * 8) / bits : columns,
      bits,
      defaultZero: isBytes || codes.tensor.dataType === DATA_TYPES.i4 ? 'middle' : 'none',
    },
  )
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
  if (tensor.dataType !== DATA_TYPES.f32 && tensor.dataType !== DATA_TYPES.f16) return undefined
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
