import { readFileSync } from 'node:fs'

export interface GoldenTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  /** Floats widened to float64, integers as numbers. */
  readonly data: Float64Array
}

/** Reads a safetensors file of goldens whole; F64, F32, I64 and I32. */
export function readSafetensors(path: string): Map<string, GoldenTensor> {
  const file = readFileSync(path)
  const headerBytes = Number(file.readBigUInt64LE(0))
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(file.toString('utf8', 8, 8 + headerBytes))
  const readers: Record<string, [number, (offset: number) => number]> = {
    F64: [8, (offset) => file.readDoubleLE(offset)],
    F32: [4, (offset) => file.readFloatLE(offset)],
    I64: [8, (offset) => Number(file.readBigInt64LE(offset))],
    I32: [4, (offset) => file.readInt32LE(offset)],
  }
  const tensors = new Map<string, GoldenTensor>()
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const { dtype, shape, data_offsets } = entry
    const [size, read] = readers[dtype]!
    const start = 8 + headerBytes + data_offsets[0]
    const count = (data_offsets[1] - data_offsets[0]) / size
    tensors.set(name, {
      dtype,
      shape,
      data: Float64Array.from({ length: count }, (_, i) => read(start + i * size)),
    })
  }
  return tensors
}
