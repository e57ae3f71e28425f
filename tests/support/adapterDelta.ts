import { expect } from 'vitest'

import { memorySource } from '../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../src/formats/pack.ts'
import { peftPack, readPeft } from '../../src/formats/peft.ts'
import type { PeftRole } from '../../src/formats/peft.ts'
import { tensorValues } from '../../src/formats/tensorValues.ts'
import type { Linear } from './adapterFolder.ts'

type Files = ReadonlyMap<string, Uint8Array>

/** ΔW [out, in] of one linear, from what was read: (α / rank)·(A·B)ᵀ. */
export function readDelta({ config, tensors }: PeftRole, module: string): readonly number[] {
  const [, layer, short] = /layers\.(\d+)\.\w+\.(\w+)_proj$/.exec(module)!
  const [a, b] = ['A', 'B'].map((side) => tensors.get(`layers.${layer}.${short}.lora_${side}`)!)
  const [inSize, outSize, { rank, alpha }] = [a!.shape[0]!, b!.shape[1]!, config]
  const [left, right] = [tensorValues(a!), tensorValues(b!)]
  return Array.from({ length: outSize * inSize }, (_, index) => {
    const [row, column] = [Math.floor(index / inSize), index % inSize]
    let sum = 0
    for (let k = 0; k < rank; k++) sum += left[column * rank + k]! * right[k * outSize + row]!
    return (alpha / rank) * sum
  })
}

/** ΔW [out, in] of one linear: scaling·(B·A). */
function delta({ a, b, rank }: Linear, scaling: number): readonly number[] {
  const [inSize, outSize] = [a.length / rank, b.length / rank]
  return Array.from({ length: outSize * inSize }, (_, index) => {
    const [row, column] = [Math.floor(index / inSize), index % inSize]
    let sum = 0
    for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * inSize + column]!
    return scaling * sum
  })
}

/** Reads a folder and compares every linear with scaling·(B·A); the pack made of it must be sound. */
export async function expectExact(files: Files, all: readonly Linear[], scaling: (module: string) => number) {
  const role = await readPeft(files)
  for (const one of all) {
    const [read, expected] = [readDelta(role, one.module), delta(one, scaling(one.module))]
    const wrong = expected.filter(
      (value, index) => Math.abs(read[index]! - value) > 1e-6 * (1 + Math.abs(value)),
    )
    expect({ module: one.module, wrong }).toEqual({ module: one.module, wrong: [] })
  }
  const bytes = await writePack(peftPack(role, { roleName: 'Ada', system: null, backbone: null }))
  await readPack(memorySource('made', bytes))
  return role
}

export async function fault(files: Files): Promise<{ readonly code: string; readonly message: string }> {
  return readPeft(files).then(
    () => expect.fail('it was read'),
    (error: { readonly code: string; readonly message: string }) => error,
  )
}
