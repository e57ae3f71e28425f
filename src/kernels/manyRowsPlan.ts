import { isSoftware } from '../gpu/device.ts'

/** How many rows meet a matrix: in tiles that a workgroup's lanes share, or with lanes that need nothing of each other. */
export type ManyRowsPlan = 'tile' | 'direct'

/**
 * What suits the device: a GPU takes tiles, a processor that emulates one goes without (measured on llvmpipe: 2 to 4 times
 * as fast, since barriers and shared memory are what it emulates worst).
 */
export function manyRowsPlan(device: GPUDevice): ManyRowsPlan {
  return isSoftware(device.adapterInfo) ? 'direct' : 'tile'
}
