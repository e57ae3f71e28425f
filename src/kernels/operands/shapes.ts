import { check } from '../../core/errors.ts'
import type { Tensor } from '../../gpu/tensor.ts'

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

/**
 * Checks that kernels can read a length by fours.
 *
 * @throws HycoraError `shape-mismatch` when it is no multiple of 4.
 */
export function expectVectors(name: string, length: number): void {
  check(length % 4 === 0, 'shape-mismatch', () => `${name} has ${length} elements, expected a multiple of 4`)
}

/**
 * The size of a matrix, which must have the given rows and columns where they are given.
 *
 * @throws HycoraError `shape-mismatch` when it is no matrix or of another size.
 */
export function expectMatrix(
  name: string,
  { shape }: Tensor,
  rows?: number,
  columns?: number,
): readonly [rows: number, columns: number] {
  const [ownRows = 0, ownColumns = 0] = shape
  check(
    shape.length === 2 && (rows ?? ownRows) === ownRows && (columns ?? ownColumns) === ownColumns,
    'shape-mismatch',
    () => `${name} has shape [${shape.join(', ')}], expected [${rows ?? 'rows'}, ${columns ?? 'columns'}]`,
  )
  return [ownRows, ownColumns]
}
