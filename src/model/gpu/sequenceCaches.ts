import { createTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { DecoderShape } from '../decoder/decoder.ts'

type CacheShape = Pick<DecoderShape, 'layers' | 'kvHeads' | 'headDim'>

/** Keys and values of every layer [sequences, 2, kvHeads, capacity, headDim]. @throws HycoraError `out-of-memory`. */
export function createCaches(
  device: GPUDevice,
  { layers, kvHeads, headDim }: CacheShape,
  capacity: number,
  sequences: number,
): readonly Tensor[] {
  return Array.from({ length: layers }, (_, layer) =>
    createTensor(device, [sequences, 2, kvHeads, capacity, headDim], `layer ${layer} cache`),
  )
}

/** Copies all that the caches of one sequence hold to the first one of others. */
export function copyFirstSequence(device: GPUDevice, from: readonly Tensor[], to: readonly Tensor[]): void {
  const encoder = device.createCommandEncoder()
  from.forEach(({ buffer }, layer) => {
    const target = to[layer]
    if (target) encoder.copyBufferToBuffer(buffer, 0, target.buffer, 0, buffer.size)
  })
  device.queue.submit([encoder.finish()])
}

/** Copies the keys and values of positions [first, end) from the first sequence to the second. */
export function copyPositions(
  device: GPUDevice,
  caches: readonly Tensor[],
  first: number,
  end: number,
): void {
  const [, parts = 0, kvHeads = 0, capacity = 0, headDim = 0] = caches[0]?.shape ?? []
  const rowBytes = headDim * 4
  const size = (end - first) * rowBytes
  // A buffer may not be copied to itself.
  const between = createTensor(device, [end - first, headDim], 'keys and values on their way')
  const encoder = device.createCommandEncoder()
  for (const { buffer } of caches) {
    for (let head = 0; head < parts * kvHeads; head++) {
      const from = (head * capacity + first) * rowBytes
      const to = ((parts * kvHeads + head) * capacity + first) * rowBytes
      encoder.copyBufferToBuffer(buffer, from, between.buffer, 0, size)
      encoder.copyBufferToBuffer(between.buffer, 0, buffer, to, size)
    }
  }
  device.queue.submit([encoder.finish()])
  between.buffer.destroy()
}
