import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'

import { memorySource } from '../../src/formats/memorySource.ts'
import { readSafetensorsHeader } from '../../src/formats/safetensors.ts'

export interface ReadTensor {
  readonly shape: readonly number[]
  readonly values: Float64Array
}

/** A golden file: its metadata, and every F64, F32 or I64 tensor widened to float64. */
export async function readTensors(path: string): Promise<{
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: ReadonlyMap<string, ReadTensor>
}> {
  const bytes = new Uint8Array(await readFile(path))
  const header = await readSafetensorsHeader(memorySource(basename(path), bytes))
  const tensors = new Map<string, ReadTensor>()
  for (const [name, { dtype, shape, offset, sizeBytes }] of header.tensors) {
    const { buffer } = bytes.slice(offset, offset + sizeBytes)
    if (dtype === 'F64') tensors.set(name, { shape, values: new Float64Array(buffer) })
    else if (dtype === 'F32')
      tensors.set(name, { shape, values: Float64Array.from(new Float32Array(buffer)) })
    else if (dtype === 'I64') {
      tensors.set(name, { shape, values: Float64Array.from(new BigInt64Array(buffer), Number) })
    }
  }
  return { metadata: header.metadata, tensors }
}
