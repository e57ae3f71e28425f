import type { KernelTime } from '../core/cardResult.ts'
import { check } from '../core/errors.ts'
import { encode } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { readBuffer } from '../gpu/tensor.ts'
import { median } from './timing.ts'

const QUERY_RESOLVE = 0x200 | 0x4 // GPUBufferUsage QUERY_RESOLVE | COPY_SRC, spelled out: Node has no such global
const STAMP_BYTES = 8
/** The most that one query set holds. */
const MOST_STAMPS = 4096

/**
 * Times each kernel of a token by itself, every dispatch in a pass of its own between two timestamps: what that adds, the
 * kernels do not have in a token, so that the sum is more than a token takes. Browsers round timestamps.
 *
 * @param device asked for with `timestamp-query`.
 * @param rounds tokens; the middle one counts of each kernel.
 */
export async function timeKernels(
  device: GPUDevice,
  dispatches: readonly Dispatch[],
  rounds: number,
): Promise<KernelTime[]> {
  const count = 2 * dispatches.length
  check(
    count <= MOST_STAMPS,
    'usage',
    () => `${dispatches.length} dispatches are more than can be timed at once`,
  )
  const querySet = device.createQuerySet({ type: 'timestamp', count })
  const resolved = device.createBuffer({ size: count * STAMP_BYTES, usage: QUERY_RESOLVE })
  const times = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    const encoder = device.createCommandEncoder()
    dispatches.forEach((dispatch, index) => {
      const pass = encoder.beginComputePass({
        timestampWrites: {
          querySet,
          beginningOfPassWriteIndex: 2 * index,
          endOfPassWriteIndex: 2 * index + 1,
        },
      })
      encode(pass, dispatch, 1)
      pass.end()
    })
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0)
    device.queue.submit([encoder.finish()])
    const stamps = new BigUint64Array(await readBuffer(device, resolved, 0, count * STAMP_BYTES))
    const sums = new Map<string, number>()
    dispatches.forEach(({ label }, index) => {
      const span = Number((stamps[2 * index + 1] ?? 0n) - (stamps[2 * index] ?? 0n)) / 1000
      sums.set(label, (sums.get(label) ?? 0) + Math.max(0, span))
    })
    for (const [label, sum] of sums) times.set(label, [...(times.get(label) ?? []), sum])
  }
  querySet.destroy()
  resolved.destroy()
  const all = [...times].map(([kernel, sums]) => ({
    kernel,
    dispatches: dispatches.filter(({ label }) => label === kernel).length,
    microseconds: Number(median(sums).toPrecision(4)),
  }))
  return all.toSorted((a, b) => b.microseconds - a.microseconds)
}
