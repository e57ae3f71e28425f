import { check } from '../core/errors.ts'
import { floatToHalf, halvesToFloats } from '../core/half.ts'
import type { SafetensorsTensor } from './safetensors.ts'

/** The elements of an F32, F16 or BF16 tensor as unsigned integers: a view where the bytes are aligned. */
export function tensorBits({ dtype, bytes }: SafetensorsTensor): Uint32Array | Uint16Array {
  const size = dtype === 'F32' ? 4 : 2
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  const { buffer, byteOffset, length } = aligned
  return size === 2
    ? new Uint16Array(buffer, byteOffset, length / 2)
    : new Uint32Array(buffer, byteOffset, length / 4)
}

/** The values of an F32, F16 or BF16 tensor, exactly; a view of the file where it can be, so never write to it. */
export function tensorValues(tensor: SafetensorsTensor): Float32Array {
  const bits = tensorBits(tensor)
  if (bits instanceof Uint32Array) return new Float32Array(bits.buffer, bits.byteOffset, bits.length)
  if (tensor.dtype === 'F16') return halvesToFloats(bits)
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer)
}

/** The bytes of a tensor as numbers, where its type has another width than those of `tensorBits`; null for no plain floats. */
function otherFloats({ dtype, bytes }: SafetensorsTensor): Float32Array | null {
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes.slice().buffer))
  if (dtype === 'F8_E5M2') return halvesToFloats(Uint16Array.from(bytes, (byte) => byte << 8))
  return dtype === 'F8_E4M3' ? Float32Array.from(bytes, eightBits) : null
}

/** A float of eight bits: sign, four of exponent with bias 7, three of fraction; no infinities. */
function eightBits(byte: number): number {
  const sign = byte & 0x80 ? -1 : 1
  const [exponent, fraction] = [(byte >> 3) & 15, byte & 7]
  if (exponent === 15 && fraction === 7) return NaN
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7)
}

/**
 * A tensor of any type of plain floats as F32, exactly but for F64, which is rounded; F32 and F16 as they are, null for
 * every other type.
 */
export function plainFloats(tensor: SafetensorsTensor): SafetensorsTensor | null {
  if (tensor.dtype === 'F32' || tensor.dtype === 'F16') return tensor
  if (tensor.dtype === 'BF16') return widened(tensor)
  const values = otherFloats(tensor)
  return values && floatTensor(tensor.shape, values)
}

/** An F32 tensor of these values. */
export function floatTensor(shape: readonly number[], values: Float32Array): SafetensorsTensor {
  const { buffer, byteOffset, byteLength } = values
  return { dtype: 'F32', shape, bytes: new Uint8Array(buffer, byteOffset, byteLength) }
}

/** The same values as F32, exactly; the tensor itself where it is F32. */
export function widened(tensor: SafetensorsTensor): SafetensorsTensor {
  return tensor.dtype === 'F32' ? tensor : floatTensor(tensor.shape, tensorValues(tensor))
}

/**
 * The values rounded to the nearest halves; the tensor itself where it is F16.
 *
 * @throws HycoraError `usage` when a value is too large for a half.
 */
export function halved(tensor: SafetensorsTensor, name: string): SafetensorsTensor {
  if (tensor.dtype === 'F16') return tensor
  const halves = Uint16Array.from(tensorValues(tensor), floatToHalf)
  const isFinite = halves.every((half) => (half & 0x7c00) !== 0x7c00)
  check(isFinite, 'usage', () => `${name} holds a value beyond 65,504, which F16 cannot hold`)
  return { dtype: 'F16', shape: tensor.shape, bytes: new Uint8Array(halves.buffer) }
}

/** The transpose of a matrix [m, n], its elements moved bit by bit. */
export function transposed(tensor: SafetensorsTensor): SafetensorsTensor {
  const [rows = 0, columns = 0] = tensor.shape
  const from = tensorBits(tensor)
  const to = from instanceof Uint32Array ? new Uint32Array(from.length) : new Uint16Array(from.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      to[column * rows + row] = from[row * columns + column] ?? 0
    }
  }
  return { dtype: tensor.dtype, shape: [columns, rows], bytes: new Uint8Array(to.buffer) }
}

/** Whether no value of an F32 or F16 tensor is infinite or no number; told by the bits. */
export function isAllFinite(tensor: SafetensorsTensor): boolean {
  const beyond = tensor.dtype === 'F32' ? 0x7f800000 : 0x7c00
  return tensorBits(tensor).every((bits) => (bits & beyond) !== beyond)
}

/** A matrix with zeros behind its rows and columns, up to a shape; the tensor itself where it has that shape. */
export function resized(tensor: SafetensorsTensor, shape: readonly [number, number]): SafetensorsTensor {
  const [rows = 0, columns = 0] = tensor.shape
  if (rows === shape[0] && columns === shape[1]) return tensor
  const from = tensorBits(tensor)
  const size = shape[0] * shape[1]
  const to = from instanceof Uint32Array ? new Uint32Array(size) : new Uint16Array(size)
  for (let row = 0; row < rows; row++) {
    to.set(from.subarray(row * columns, (row + 1) * columns), row * shape[1])
  }
  return { dtype: tensor.dtype, shape, bytes: new Uint8Array(to.buffer) }
}
