import { writeFile } from 'node:fs/promises'

import { HycoraError } from '../core/errors.ts'
import { writeSafetensors } from '../formats/safetensors.ts'

export interface NamedValues {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Writes F32 tensors as a safetensors file. */
export async function writeTensorFile(path: string, tensors: readonly NamedValues[]): Promise<void> {
  const entries = tensors.map(({ name, shape, values }) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    return [name, { dtype: 'F32', shape, bytes }] as const
  })
  try {
    await writeFile(path, writeSafetensors(new Map(entries), new Map()))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HycoraError('usage', `${path} cannot be written: ${reason}`)
  }
}
