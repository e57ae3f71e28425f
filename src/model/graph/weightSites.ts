import type { OnnxNode } from '../../formats/onnx.ts'
import { DATA_TYPES } from '../../formats/onnxTensor.ts'
import { axisFromFront, floatAttribute, hasOnly, intAttribute, operatorOf } from './node.ts'
import type { ConstantValue, NumbersSite, Value, WeightSite } from './values.ts'

type Inputs = readonly (Value | undefined)[]
type BlockSite = Extract<WeightSite, { kind: 'blocks' }>

/** The weights of a linear layer, and the bias that its node adds. */
export interface LinearSite {
  readonly weight: WeightSite
  readonly bias: Value | undefined
}

/** What MatMul, Gemm or MatMulNBits multiplies its first input with; undefined where that is no known matrix. */
export function linearSite(node: OnnxNode, inputs: Inputs): LinearSite | undefined {
  switch (operatorOf(node)) {
    case 'MatMul': {
      const weight = matrixSite(inputs[1])
      return weight && { weight, bias: undefined }
    }
    case 'Gemm':
      return gemmSite(node, inputs)
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
  if (value?.kind !== 'constant') return undefined
  return { ...value, dims: value.dims.toReversed(), isTransposed: !value.isTransposed }
}

/** A matrix given as a constant [in, out]; one seen through a transposition is stored [out, in]. */
function matrixSite(value: Value | undefined): WeightSite | undefined {
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
  const [, codes, scales, zeros, groupIndex, bias] = inputs
  if (groupIndex || !hasOnly(node, BLOCK_ATTRIBUTES) || (intAttribute(node, 'weight_prepacked') ?? 0) !== 0)
    return undefined
  const size = { in: intAttribute(node, 'K') ?? 0, out: intAttribute(node, 'N') ?? 0 }
  const weight = rowsOfBlocks(node, { codes, scales, zeros }, size, 'middle')
  return weight && { weight, bias }
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
