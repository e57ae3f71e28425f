import { check } from '../core/errors.ts'
import type { Tensor } from '../gpu/tensor.ts'

/**
 * The row stride of a matrix [rows, stride] that must have at least `columns` columns.
 *
 * @throws HycoraError `shape-mismatch` when it is no matrix or too narrow.
 */
export function expectColumns(name: string, tensor: Tensor, columns: number): number {
  const stride = tensor.shape.at(-1) ?? 0
  check(
    tensor.shape.length === 2 && stride >= columns,
    'shape-mismatch',
    () => `${name} has shape [${tensor.shape.join(', ')}], expected [rows, ≥ ${columns}]`,
  )
  return stride
}

/** Checks that a tensor has exactly `length` elements in one dimension. */
export function expectLength(name: string, tensor: Tensor, length: number): void {
  check(
    tensor.shape.length === 1 && tensor.shape[0] === length,
    'shape-mismatch',
    () => `${name} has shape [${tensor.shape.join(', ')}], expected [${length}]`,
  )
}
