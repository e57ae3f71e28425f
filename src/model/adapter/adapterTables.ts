import { check } from '../../core/errors.ts'
import type { AdapterLayout } from './adapterLayout.ts'
import { aOffset, bOffset } from './adapterLayout.ts'
import type { PackTensors } from './adapterLayout.ts'

/**
 * Checks that a pack's adapters have the sizes of a layout.
 *
 * @throws HycoraError `model-incompatible` naming what differs.
 */
export function checkLayout({ config }: PackTensors, layout: AdapterLayout): void {
  check(
    config.rank === layout.rank && config.layers === layout.layers,
    'model-incompatible',
    () =>
      `the pack has rank ${config.rank} and ${config.layers} layers, ` +
      `expected ${layout.rank} and ${layout.layers}`,
  )
  for (const [projection, dims] of config.dims) {
    const expected = layout.dims[projection]
    check(
      dims[0] === expected[0] && dims[1] === expected[1],
      'model-incompatible',
      () => `the pack has ${projection} [${dims.join(', ')}], the backbone [${expected.join(', ')}]`,
    )
  }
}

/**
 * Stored A of `rows` roles as slots: `layers.{l}.{p}.{suffix}` [rows, in, rank] → [rows, aSize], the rank padded with
 * zeros.
 */
export function tableOfA(
  pack: PackTensors,
  layout: AdapterLayout,
  suffix: 'lora_A' | 'lora_A0' | 'lora_A_table',
  rows: number,
): Float32Array<ArrayBuffer> {
  const { rank, paddedRank } = layout
  const slots = new Float32Array(rows * layout.aSize)
  for (const [projection, [inFeatures]] of pack.config.dims) {
    for (let layer = 0; layer < layout.layers; layer++) {
      const values = pack.tensor(`layers.${layer}.${projection}.${suffix}`)
      const offset = aOffset(layout, projection, layer)
      for (let row = 0; row < rows * inFeatures; row++) {
        const slot = Math.floor(row / inFeatures) * layout.aSize
        slots.set(
          values.subarray(row * rank, (row + 1) * rank),
          slot + offset + (row % inFeatures) * paddedRank,
        )
      }
    }
  }
  return slots
}

/** Stored B of `rows` roles as slots: `layers.{l}.{p}.{suffix}` [rows, rank, out] → [rows, bSize]. */
export function tableOfB(
  pack: PackTensors,
  layout: AdapterLayout,
  suffix: 'lora_B' | 'lora_B_table',
  rows: number,
): Float32Array<ArrayBuffer> {
  const slots = new Float32Array(rows * layout.bSize)
  for (const [projection, [, outFeatures]] of pack.config.dims) {
    const size = layout.rank * outFeatures
    for (let layer = 0; layer < layout.layers; layer++) {
      const values = pack.tensor(`layers.${layer}.${projection}.${suffix}`)
      const offset = bOffset(layout, projection, layer)
      for (let row = 0; row < rows; row++) {
        slots.set(values.subarray(row * size, (row + 1) * size), row * layout.bSize + offset)
      }
    }
  }
  return slots
}
