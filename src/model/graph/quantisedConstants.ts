import type { OnnxNode } from '../../formats/onnx.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import { DATA_TYPES } from '../../formats/onnxTensor.ts'
import { axisFromFront, hasOnly, intAttribute, intsAttribute, operatorOf } from './node.ts'
import type { ConstantValue, NumbersSite, QuantisedValue, Value, WeightSite } from './values.ts'

type Inputs = readonly (Value | undefined)[]

/** Bits of a code by its type, and whether its zero lies in the middle once it is read as unsigned. */
const CODES: ReadonlyMap<number, { readonly bits: 2 | 4 | 8; readonly isSigned: boolean }> = new Map([
  [DATA_TYPES.u8, { bits: 8, isSigned: false }],
  [DATA_TYPES.i8, { bits: 8, isSigned: true }],
  [DATA_TYPES.u4, { bits: 4, isSigned: false }],
  [DATA_TYPES.i4, { bits: 4, isSigned: true }],
  [DATA_TYPES.u2, { bits: 2, isSigned: false }],
  [DATA_TYPES.i2, { bits: 2, isSigned: true }],
])

/** DequantizeLinear of a constant matrix: one scale for all, for each index of an axis, or for blocks along it. */
export function dequantised(node: OnnxNode, inputs: Inputs): QuantisedValue | undefined {
  if (operatorOf(node) !== 'DequantizeLinear') return undefined
  if (!hasOnly(node, ['axis', 'block_size', 'output_dtype'])) return undefined
  const [codes, scales, zeros] = inputs
  if (codes?.kind !== 'constant' || codes.dims.length !== 2) return undefined
  return quantisedBy(codes, scales, zeros, {
    axis: axisFromFront(intAttribute(node, 'axis') ?? 1, 2),
    blockSize: intAttribute(node, 'block_size') ?? 0,
  })
}

/** A matrix of codes with its scales and zero points; undefined where their shapes do not belong together. */
export function quantisedBy(
  codes: ConstantValue,
  scales: Value | undefined,
  zeros: Value | undefined,
  along: { readonly axis: number; readonly blockSize: number },
): QuantisedValue | undefined {
  if (scales?.kind !== 'constant' || !CODES.has(codes.tensor.dataType)) return undefined
  if (zeros && (zeros.kind !== 'constant' || !isSameShape(zeros, scales))) return undefined
  const { dims, isTransposed } = codes
  const common = {
    kind: 'quantised' as const,
    codes: codes.tensor,
    scales: scales.tensor,
    zeros: zeros?.tensor ?? null,
    dims,
    isTransposed,
  }
  if (scales.dims.every((dim) => dim === 1)) return { ...common, axis: null, blockSize: 0 }
  if (along.axis !== 0 && along.axis !== 1) return undefined
  const axis = isTransposed === (along.axis === 1) ? 0 : 1
  if (along.blockSize === 0) {
    const isVector = scales.dims.length === 1 && scales.dims[0] === dims[along.axis]
    return isVector ? { ...common, axis, blockSize: 1 } : undefined
  }
  const expected = dims.map((dim, at) => (at === along.axis ? Math.ceil(dim / along.blockSize) : dim))
  const isGrid = scales.dims.length === 2 && scales.dims.every((dim, at) => dim === expected[at])
  if (!isGrid || scales.isTransposed !== isTransposed) return undefined
  return { ...common, axis, blockSize: along.blockSize }
}

function isSameShape(a: ConstantValue, b: ConstantValue): boolean {
  const isSameRank = a.dims.length === b.dims.length && a.dims.every((dim, at) => dim === b.dims[at])
  return isSameRank && a.isTransposed === b.isTransposed
}

/** A dequantised constant seen through an operator that moves no element, or that transposes it. */
export function quantisedView(node: OnnxNode, value: QuantisedValue): Value | undefined {
  switch (operatorOf(node)) {
    case 'Identity':
    case 'Cast':
      return value
    case 'Transpose': {
      const [first, second] = intsAttribute(node, 'perm') ?? [1, 0]
      return first === 1 && second === 0 ? transposedQuantised(value) : undefined
    }
    default:
      return undefined
  }
}

/** A dequantised constant seen the other way round. */
export function transposedQuantised(value: QuantisedValue): QuantisedValue {
  return { ...value, dims: value.dims.toReversed(), isTransposed: !value.isTransposed }
}

/** The weights [in, out] that a dequantised constant is; undefined where blocks lie across its rows. */
export function quantisedSite(value: QuantisedValue): WeightSite | undefined {
  const { codes, isTransposed, axis, blockSize } = value
  const kind = CODES.get(codes.dataType)
  const [width = 0, out = 0] = value.dims
  if (!kind) return undefined
  const alongRow = isTransposed ? 1 : 0
  if (axis !== null && axis !== alongRow && blockSize !== 1) return undefined
  const size = axis === alongRow ? blockSize : width
  const blocks = Math.ceil(width / size)
  const numbers = (tensor: OnnxTensor): NumbersSite => {
    const elements = tensor.dims.reduce((product, dim) => product * dim, 1)
    const strides = { tensor, elements, share: 1 }
    if (axis === null) return { ...strides, rowStride: 0, blockStride: 0 }
    if (axis !== alongRow) return { ...strides, rowStride: 1, blockStride: 0 }
    if (tensor.dims.length === 1) return { ...strides, rowStride: 0, blockStride: 1 }
    return isTransposed
      ? { ...strides, rowStride: blocks, blockStride: 1 }
      : { ...strides, rowStride: 1, blockStride: out }
  }
  return {
    kind: 'blocks',
    bits: kind.bits,
    blockSize: size,
    codes,
    elements: width * out,
    rowStride: isTransposed ? width : 1,
    columnStride: isTransposed ? 1 : out,
    isHighFirst: false,
    levels: null,
    scales: numbers(value.scales),
    zeros: value.zeros ? numbers(value.zeros) : kind.isSigned ? 2 ** (kind.bits - 1) : 0,
    out,
    in: width,
  }
}
