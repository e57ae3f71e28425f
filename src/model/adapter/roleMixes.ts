import { check } from '../../core/errors.ts'
import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { NOWHERE } from '../../kernels/linear.ts'

/** What one slot is to hold: a weighted sum of source rows. */
export interface RoleMix {
  readonly slot: number
  readonly terms: readonly { readonly source: number; readonly weight: number }[]
}

/** The mixes of the next run on the GPU, at most `capacity` of at most `terms` sources each. */
export interface RoleMixes {
  readonly capacity: number
  readonly terms: number
  /** u32 [capacity, terms] */
  readonly sources: Tensor
  /** [capacity, terms]; 0 where a mix has fewer terms. */
  readonly weights: Tensor
  /** u32 [capacity]: where each mix goes, `NOWHERE` beyond the last. */
  readonly slots: Tensor
  /** u32 [capacity]: 0, 1, 2, …; for results that stay in the order of the mixes. */
  readonly order: Tensor
}

export function createRoleMixes(device: GPUDevice, capacity: number, terms: number): RoleMixes {
  return {
    capacity,
    terms,
    sources: createTensor(device, [capacity, terms], 'mix sources'),
    weights: createTensor(device, [capacity, terms], 'mix weights'),
    slots: createTensor(device, [capacity], 'mix slots'),
    order: uploadTensor(
      device,
      [capacity],
      Uint32Array.from({ length: capacity }, (_, i) => i),
      'mix order',
    ),
  }
}

/**
 * Writes the mixes of the next submit.
 *
 * @throws HycoraError `shape-mismatch` when there are more mixes or terms than there is room for.
 */
export function writeRoleMixes(device: GPUDevice, target: RoleMixes, mixes: readonly RoleMix[]): void {
  const { capacity, terms } = target
  check(
    mixes.length <= capacity && mixes.every((mix) => mix.terms.length <= terms),
    'shape-mismatch',
    () => `${mixes.length} mixes of roles, expected at most ${capacity} of at most ${terms} roles each`,
  )
  const sources = new Uint32Array(capacity * terms)
  const weights = new Float32Array(capacity * terms)
  const slots = new Uint32Array(capacity).fill(NOWHERE)
  mixes.forEach((mix, block) => {
    slots[block] = mix.slot
    mix.terms.forEach(({ source, weight }, term) => {
      sources[block * terms + term] = source
      weights[block * terms + term] = weight
    })
  })
  device.queue.writeBuffer(target.sources.buffer, 0, sources)
  device.queue.writeBuffer(target.weights.buffer, 0, weights)
  device.queue.writeBuffer(target.slots.buffer, 0, slots)
}

export function tensorsOfMixes({ sources, weights, slots, order }: RoleMixes): readonly Tensor[] {
  return [sources, weights, slots, order]
}
