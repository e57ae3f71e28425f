import { Random } from '../../src/core/random.ts'

/** Seeded standard normal values, rounded to float32 so that the reference computes on the same inputs. */
export function normals(seed: number, count: number, scale = 1): Float32Array<ArrayBuffer> {
  const random = new Random(seed)
  return Float32Array.from({ length: count }, () => random.nextNormal() * scale)
}
