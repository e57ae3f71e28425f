import type { OnnxNode } from '../../formats/onnx.ts'
import { embeddingOf, isRows, projectedBy } from './linearRules.ts'
import { axisFromFront, hasOnly, intAttribute, operatorOf } from './node.ts'
import { quantisedBy, quantisedSite, transposedQuantised } from './quantisedConstants.ts'
import type { ConstantValue, HiddenValue, Value } from './values.ts'

type Inputs = readonly (Value | undefined)[]

/** Gather of rows of codes that DequantizeLinear follows. */
export function gatheredCodes(node: OnnxNode, [table, ids]: Inputs): Value | undefined {
  if (operatorOf(node) !== 'Gather' || (intAttribute(node, 'axis') ?? 0) !== 0) return undefined
  if (ids?.kind !== 'ids' || table?.kind !== 'constant' || table.dims.length !== 2) return undefined
  return { kind: 'gathered', table, ids }
}

/** DequantizeLinear of gathered rows, with one scale for the whole table: the embeddings. */
export function dequantisedRows(node: OnnxNode, [rows, scales, zeros]: Inputs): Value | undefined {
  if (rows?.kind !== 'gathered' || !hasOnly(node, ['axis', 'output_dtype'])) return undefined
  const table = quantisedBy(rows.table, scales, zeros, { axis: axisFromFront(-1, 2), blockSize: 0 })
  // Scales along an axis would be along that of the gathered rows.
  const site = table?.axis === null ? quantisedSite(transposedQuantised(table)) : undefined
  return site && embeddingOf(rows.ids, site)
}

/** DynamicQuantizeLinear of rows: codes, scale and zero point. Our kernels leave the rows as they are. */
export function roundedRows(x: Value | undefined): readonly Value[] | undefined {
  if (!isRows(x)) return undefined
  return (['codes', 'scale', 'zero'] as const).map((part) => ({ kind: 'rounded', part, of: x }))
}

/** The rows of which a value is `part`. */
function rowsOf(value: Value | undefined, part: 'codes' | 'scale' | 'zero'): HiddenValue | undefined {
  return value?.kind === 'rounded' && value.part === part ? value.of : undefined
}

/** MatMulInteger of rounded rows and a constant matrix. */
export function integerProduct([x, matrix, zero, zeros]: Inputs): Value | undefined {
  const of = rowsOf(x, 'codes')
  if (!of || rowsOf(zero, 'zero') !== of || matrix?.kind !== 'constant') return undefined
  if (zeros && zeros.kind !== 'constant') return undefined
  return { kind: 'integerProduct', of, codes: matrix, zeros: zeros ?? null }
}

/** Mul of both scales, and Mul of the product of integers with that: the linear layer. */
export function scaledProduct(_: OnnxNode, [a, b]: Inputs): Value | undefined {
  return productScale(a, b) ?? productScale(b, a) ?? scaledBoth(a, b) ?? scaledBoth(b, a)
}

function productScale(rows: Value | undefined, scales: Value | undefined): Value | undefined {
  const of = rowsOf(rows, 'scale')
  return of && scales?.kind === 'constant' ? { kind: 'productScale', of, scales } : undefined
}

function scaledBoth(product: Value | undefined, scale: Value | undefined): Value | undefined {
  if (product?.kind !== 'integerProduct' || scale?.kind !== 'productScale' || product.of !== scale.of)
    return undefined
  return linearOf(product.of, product.codes, { scales: scale.scales, zeros: product.zeros })
}

/** com.microsoft.MatMulIntegerToFloat: product, scales and bias in one. */
export function integerLinear(
  _: OnnxNode,
  [x, matrix, scale, scales, zero, zeros, bias]: Inputs,
): Value | undefined {
  const of = rowsOf(x, 'codes')
  const isOne = of && rowsOf(scale, 'scale') === of && rowsOf(zero, 'zero') === of
  if (!isOne || matrix?.kind !== 'constant' || scales?.kind !== 'constant') return undefined
  return linearOf(of, matrix, { scales, zeros, bias })
}

/** com.microsoft.DynamicQuantizeMatMul: the rounding as well. */
export function dynamicLinear(_: OnnxNode, [x, matrix, scales, zeros, bias]: Inputs): Value | undefined {
  if (!isRows(x) || matrix?.kind !== 'constant') return undefined
  return linearOf(x, matrix, { scales, zeros, bias })
}

function linearOf(
  x: HiddenValue,
  matrix: ConstantValue,
  {
    scales,
    zeros,
    bias,
  }: {
    readonly scales: Value | undefined
    readonly zeros: Value | null | undefined
    readonly bias?: Value | undefined
  },
): Value | undefined {
  if (matrix.dims.length !== 2) return undefined
  const quantised = quantisedBy(matrix, scales, zeros ?? undefined, { axis: 1, blockSize: 0 })
  const weight = quantised && quantisedSite(quantised)
  return weight && projectedBy(x, { weight, bias })
}
