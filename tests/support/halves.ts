import { floatToHalf, halfToFloat } from '../../src/core/half.ts'

/** The nearest values that are halves. */
export function rounded(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  return Float32Array.from(values, (value) => halfToFloat(floatToHalf(value)))
}
