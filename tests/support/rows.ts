import { sizeOf, uploadTensor } from '../../src/gpu/tensor.ts'
import type { Tensor } from '../../src/gpu/tensor.ts'

/** Uploads rows [rows, columns] with a wider stride; the rest of each row is zero. */
export function uploadRows(
  device: GPUDevice,
  values: ArrayLike<number>,
  columns: number,
  stride: number,
  label: string,
): Tensor {
  const shape = [values.length / columns, stride]
  const tensor = uploadTensor(device, shape, new Float32Array(sizeOf(shape)), label)
  writeRows(device, tensor, values, columns)
  return tensor
}

/** Writes rows [rows, columns] into a tensor [rows, stride], leaving the rest of each row as it is. */
export function writeRows(
  device: GPUDevice,
  { buffer, shape }: Tensor,
  values: ArrayLike<number>,
  columns: number,
): void {
  const stride = shape[1]!
  const dense = Float32Array.from(values)
  for (let row = 0; row < dense.length / columns; row++) {
    device.queue.writeBuffer(buffer, row * stride * 4, dense, row * columns, columns)
  }
}

/** Columns `first` to `first + columns` of every row of a matrix with the given stride. */
export function columnsOf(
  values: Float32Array,
  stride: number,
  first: number,
  columns: number,
): Float32Array<ArrayBuffer> {
  const rows = values.length / stride
  const picked = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    picked.set(values.subarray(row * stride + first, row * stride + first + columns), row * columns)
  }
  return picked
}

/** Matrices of as many rows side by side. */
export function joinColumns(rows: number, matrices: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const widths = matrices.map((matrix) => matrix.length / rows)
  const joined = new Float32Array(matrices.reduce((total, matrix) => total + matrix.length, 0))
  let next = 0
  for (let row = 0; row < rows; row++) {
    matrices.forEach((matrix, index) => {
      joined.set(matrix.subarray(row * widths[index]!, (row + 1) * widths[index]!), next)
      next += widths[index]!
    })
  }
  return joined
}
