import type { CacheForm } from '../../core/graphicsMemory.ts'
import { createTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { fillsWords } from '../../kernels/rotaryAppend.ts'
import type { Decoder, DecoderShape } from '../decoder/decoder.ts'

type CacheShape = Pick<DecoderShape, 'layers' | 'kvHeads' | 'headDim'>

/** The form that is asked for, or floats where what is rotated fills no whole words of halves. */
export function possibleForm({ rotation }: Pick<Decoder, 'rotation'>, wanted: CacheForm): CacheForm {
  return fillsWords(rotation) ? wanted : 'floats'
}

/**
 * Keys and values of every layer [sequences, 2, kvHeads, capacity, headDim], in halves with half as many words.
 *
 * @throws HycoraError `out-of-memory`.
 */
export function createCaches(
  device: GPUDevice,
  { layers, kvHeads, headDim }: CacheShape,
  form: CacheForm,
  { capacity, sequences }: { readonly capacity: number; readonly sequences: number },
): readonly Tensor[] {
  const words = form === 'halves' ? headDim / 2 : headDim
  return Array.from({ length: layers }, (_, layer) =>
    createTensor(device, [sequences, 2, kvHeads, capacity, words], `layer ${layer} cache`),
  )
}

/** Copies all that caches hold to others that have room for more positions, or more sequences, or both. */
export function copyCaches(device: GPUDevice, from: readonly Tensor[], to: readonly Tensor[]): void {
  const encoder = device.createCommandEncoder()
  from.forEach(({ buffer, shape }, layer) => {
    const target = to[layer]
    const [sequences = 0, parts = 0, kvHeads = 0, capacity = 0, words = 0] = shape
    const [bytes, room] = [capacity, target?.shape[3] ?? 0].map((positions) => positions * words * 4)
    if (!target || !bytes || !room) return
    for (let head = 0; head < sequences * parts * kvHeads; head++) {
      encoder.copyBufferToBuffer(buffer, head * bytes, target.buffer, head * room, bytes)
    }
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
  const [, parts = 0, kvHeads = 0, capacity = 0, words = 0] = caches[0]?.shape ?? []
  const rowBytes = words * 4
  const size = (end - first) * rowBytes
  // A buffer may not be copied to itself.
  const between = createTensor(device, [end - first, words], 'keys and values on their way')
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
