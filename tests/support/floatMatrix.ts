import { memorySource } from '../../src/formats/memorySource.ts'
import type { WeightMatrix } from '../../src/model/decoder/decoder.ts'

/** A matrix [out, in] of float32, its values by rows or by columns. */
export function floatMatrix(
  values: Float32Array<ArrayBuffer>,
  { out, in: width }: { readonly out: number; readonly in: number },
  layout: 'out-in' | 'in-out' = 'out-in',
): WeightMatrix {
  const bytes = new Uint8Array(values.buffer)
  const source = memorySource('floats', bytes)
  const shape = layout === 'out-in' ? [out, width] : [width, out]
  const stored = {
    name: 'floats',
    dataType: 'f32',
    shape,
    source,
    offset: 0,
    sizeBytes: bytes.length,
  } as const
  return { out, in: width, firstOut: 0, stored: { kind: 'float', layout, values: stored } }
}
