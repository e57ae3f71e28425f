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
