import type { OnnxNode } from '../../formats/onnx.ts'
import { DATA_TYPES } from '../../formats/onnxTensor.ts'
import { axisFromFront, floatAttribute, hasOnly, intAttribute, operatorOf } from './node.ts'
import { quantisedSite, transposedQuantised } from './quantisedConstants.ts'
import type { ConstantValue, NumbersSite, Value, WeightSite } from './values.ts'

const FLOAT_TYPES: readonly number[] = [DATA_TYPES.f32, DATA_TYPES.f16, DATA_TYPES.bf16]

type Inputs = readonly (Value | undefined)[]
type BlockSite = Extract<WeightSite, { kind: 'blocks' }>

/** The weights of a linear layer, and the bias that its node adds. */
export interface LinearSite {
  readonly weight: WeightSite
  readonly bias: Value | undefined
}

/** What MatMul, Gemm, MatMulNBits or MatMulBnb4 multiplies its first input with; undefined where that is no known matrix. */
export function linearSite(node: OnnxNode, inputs: Inputs): LinearSite | undefined {
  switch (operatorOf(node)) {
    case 'MatMul': {
      const weight = matrixSite(inputs[1])
      return weight && { weight, bias: undefined }
    }
    case 'Gemm':
      return gemmSite(node, inputs)
    case 'com.microsoft.MatMulBnb4':
      return levelSite(node, inputs)
    default:
      return blockSite(node, inputs)
  }
}

/** The table of a Gather or a GatherBlockQuantized along its rows, as the matrix [vocabulary, hidden] of a tied head. */
export function tableSite(node: OnnxNode, inputs: Inputs): WeightSite | undefined {
  if (operatorOf(node) !== 'Gather') return gatheredBlocks(node, inputs)
  if ((intAttribute(node, 'axis') ?? 0) !== 0) return undefined
  // A table [vocabulary, hidden] is a matrix of as many outputs, so it is the constant's transpose.
  return matrixSite(turned(inputs[0]))
}

/** A constant matrix seen the other way round. */
function turned(value: Value | undefined): Value | undefined {
  if (value?.kind === 'quantised') return transposedQuantised(value)
  if (value?.kind !== 'constant') return undefined
  return { ...value, dims: value.dims.toReversed(), isTransposed: !value.isTransposed }
}

/** A matrix given as a constant [in, out]; one seen through a transposition is stored [out, in]. */
function matrixSite(value: Value | undefined): WeightSite | undefined {
  if (value?.kind === 'quantised') return quantisedSite(value)
  if (value?.kind !== 'constant' || value.dims.length !== 2) return undefined
  if (!FLOAT_TYPES.includes(value.tensor.dataType)) return undefined
  const [rows = 0, columns = 0] = value.dims
  return {
    kind: 'float',
    tensor: value.tensor,
    layout: value.isTransposed ? 'out-in' : 'in-out',
    in: rows,
    out: columns,
  }
}

function gemmSite(node: OnnxNode, inputs: Inputs): LinearSite | undefined {
  const [, matrix, bias] = inputs
  if ((floatAttribute(node, 'alpha') ?? 1) !== 1 || (intAttribute(node, 'transA') ?? 0) !== 0)
    return undefined
  if (bias && (floatAttribute(node, 'beta') ?? 1) !== 1) return undefined
  const weight = matrixSite(intAttribute(node, 'transB') === 1 ? turned(matrix) : matrix)
  return weight && { weight, bias }
}

const BLOCK_ATTRIBUTES = ['K', 'N', 'bits', 'block_size', 'accuracy_level', 'weight_prepacked']
const BLOCK_SIZES = [16, 32, 64, 128, 256]

/** com.microsoft.MatMulNBits: rows of whole blocks, zero points padded to a byte a row. */
function blockSite(node: OnnxNode, inputs: Inputs): LinearSite | undefined {
  const [, codes, scales, zeros, , bias] = inputs
  if (!hasOnly(node, BLOCK_ATTRIBUTES) || (intAttribute(node, 'weight_prepacked') ?? 0) !== 0)
    return undefined
  const size = { in: intAttribute(node, 'K') ?? 0, out: intAttribute(node, 'N') ?? 0 }
  const weight = rowsOfBlocks(node, { codes, scales, zeros }, size, 'middle')
  return weight && { weight, bias }
}

/** Quantiles of a normal distribution; reference: Dettmers et al., "QLoRA", 2023, appendix E. */
const NORMAL_LEVELS = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
].map(Math.fround)
const FLOAT_HALF = [0, 0.0052083334, 0.6666667, 1, 0.33333334, 0.5, 0.16666667, 0.25]
/** Four-bit floats: a sign, two bits of exponent, one of fraction. */
const FLOAT_LEVELS = [...FLOAT_HALF, ...FLOAT_HALF.map((level) => -level)].map(Math.fround)

/** com.microsoft.MatMulBnb4: codes of all rows in one run, cut into blocks without regard to where a row ends. */
function levelSite(node: OnnxNode, inputs: Inputs): LinearSite | undefined {
  const [codes, scales] = [plain(inputs[1]), plain(inputs[2])]
  if (!codes || !scales || !hasOnly(node, ['K', 'N', 'block_size', 'quant_type', 'transB', 'training_mode']))
    return undefined
  const [width, out] = [intAttribute(node, 'K') ?? 0, intAttribute(node, 'N') ?? 0]
  const stored = intAttribute(node, 'block_size') ?? 0
  const levels = [FLOAT_LEVELS, NORMAL_LEVELS][intAttribute(node, 'quant_type') ?? 1]
  if (!levels || !(stored > 0) || (intAttribute(node, 'transB') ?? 1) !== 1) return undefined
  // Within a row, blocks of what divides both: each lies in one of the stored ones.
  const blockSize = greatestDivisor(width, stored)
  const numbers = { rowStride: width, blockStride: blockSize, share: stored }
  const weight: BlockSite = {
    kind: 'blocks',
    bits: 4,
    blockSize,
    codes: codes.tensor,
    elements: width * out,
    rowStride: width,
    columnStride: 1,
    isHighFirst: true,
    levels,
    scales: { ...numbers, tensor: scales.tensor, elements: Math.ceil((width * out) / stored) },
    zeros: 0,
    out,
    in: width,
  }
  return { weight, bias: undefined }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

/** com.microsoft.GatherBlockQuantized: as the rows of MatMulNBits, or codes with a type of their own. */
function gatheredBlocks(node: OnnxNode, inputs: Inputs): WeightSite | undefined {
  const [codes, , scales, zeros] = inputs
  if (codes?.kind !== 'constant' || codes.dims.length !== 2) return undefined
  if (!hasOnly(node, ['bits', 'block_size', 'gather_axis', 'quantize_axis'])) return undefined
  if ((intAttribute(node, 'gather_axis') ?? 0) !== 0) return undefined
  if (axisFromFront(intAttribute(node, 'quantize_axis') ?? 1, 2) !== 1) return undefined
  const [out = 0, columns = 0] = codes.dims
  const isBytes = codes.tensor.dataType === DATA_TYPES.u8
  const width = isBytes ? (columns * 8) / (intAttribute(node, 'bits') ?? 4) : columns
  const isSigned = codes.tensor.dataType === DATA_TYPES.i4
  return rowsOfBlocks(
    node,
    { codes, scales, zeros },
    { in: width, out },
    isBytes || isSigned ? 'middle' : 'none',
  )
}

/** A constant that nothing has turned. */
function plain(value: Value | undefined): ConstantValue | undefined {
  return value?.kind === 'constant' && !value.isTransposed ? value : undefined
}

/** Block-quantised rows from their constants; the sizes are checked where the tensors are opened. */
function rowsOfBlocks(
  node: OnnxNode,
  parts: { codes: Value | undefined; scales: Value | undefined; zeros: Value | undefined },
  { in: width, out }: { in: number; out: number },
  defaultZero: 'middle' | 'none',
): BlockSite | undefined {
  const bits = intAttribute(node, 'bits') ?? 4
  const blockSize = intAttribute(node, 'block_size') ?? 0
  if ((bits !== 2 && bits !== 4 && bits !== 8) || !BLOCK_SIZES.includes(blockSize)) return undefined
  const [codes, scales, zeros] = [plain(parts.codes), plain(parts.scales), plain(parts.zeros)]
  if (!codes || !scales || (parts.zeros && !zeros)) return undefined
  const blocks = Math.ceil(width / blockSize)
  const numbers = (value: ConstantValue, rowStride: number): NumbersSite => {
    return { tensor: value.tensor, rowStride, blockStride: 1, share: 1, elements: out * rowStride }
  }
  // Packed zero points fill whole bytes a row; those of a type of their own run on.
  const packedStride = (Math.ceil((blocks * bits) / 8) * 8) / bits
  return {
    kind: 'blocks',
    bits,
    blockSize,
    codes: codes.tensor,
    elements: out * blocks * blockSize,
    rowStride: blocks * blockSize,
    columnStride: 1,
    isHighFirst: false,
    levels: null,
    scales: numbers(scales, blocks),
    zeros: zeros
      ? numbers(zeros, zeros.tensor.dataType === DATA_TYPES.u8 ? packedStride : blocks)
      : defaultZero === 'middle'
        ? 2 ** (bits - 1)
        : 0,
    out,
    in: width,
  }
}
