import { check } from '../../core/errors.ts'
import { createTensor, readBuffer } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { parameterLayout } from './parameterLayout.ts'
import type { ParameterLayout, ParameterOptions, Segment } from './parameterLayout.ts'

/**
 * All trained tensors on the GPU: one flat buffer each for values, gradients and the optimiser's two moments, laid out alike.
 * Gradients and moments exist only for what is trained.
 */
export interface Parameters {
  readonly layout: ParameterLayout
  /** [layout.length] */
  readonly values: Tensor
  /** [layout.trainedLength] each. */
  readonly gradients: Tensor
  readonly firstMoments: Tensor
  readonly secondMoments: Tensor
  readonly bytes: number
  /**
   * A tensor as the GPU has it: the pack's name, or `A` [1 | roles, aSize], `A0` [1, aSize], `B` [1 | roles, bSize].
   *
   * @throws HycoraError `format-invalid` when there is no such tensor.
   */
  value(name: string): Tensor
  /**
   * Its gradient, in which backward kernels accumulate; undefined for what is frozen.
   *
   * @throws HycoraError `format-invalid` when there is no such tensor.
   */
  gradient(name: string): Tensor | undefined
  /** Encodes that all gradients become zero, before the first micro-step of a step. */
  clearGradients(commands: GPUCommandEncoder): void
  /**
   * Takes the values from tensors by the pack's names, and forgets the moments.
   *
   * @throws HycoraError `shape-mismatch` when a tensor has another size.
   */
  load(tensor: (name: string) => ArrayLike<number>): void
  /** The values by the pack's names: the exact inverse of `load`. */
  read(): Promise<Map<string, Float32Array<ArrayBuffer>>>
  /** The values alone, as `readState` has them at its front. */
  readValues(): Promise<Uint8Array<ArrayBuffer>>
  /** What `readValues` gave, by the pack's names. @throws HycoraError `storage-corrupt` when they are of another length. */
  tensorsOf(values: Uint8Array<ArrayBuffer>): Map<string, Float32Array<ArrayBuffer>>
  /** Values and moments as bytes, for a checkpoint. */
  readState(): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Takes back what `readState` gave.
   *
   * @throws HycoraError `storage-corrupt` when the bytes are not of this layout's length.
   */
  writeState(state: Uint8Array<ArrayBuffer>): void
  destroy(): void
}

/** The values by the pack's names. @throws HycoraError `storage-corrupt` when they are not as many as the layout has. */
function tensorsOf(
  layout: ParameterLayout,
  bytes: Uint8Array<ArrayBuffer>,
): Map<string, Float32Array<ArrayBuffer>> {
  check(
    bytes.length === layout.length * 4,
    'storage-corrupt',
    () => `the parameters have ${bytes.length} bytes, expected ${layout.length * 4}`,
  )
  return unflatten(layout, new Float32Array(bytes.slice().buffer))
}

/** A tensor, and how many of its bytes a checkpoint holds. */
interface StatePart {
  readonly tensor: Tensor
  readonly bytes: number
}

function bytesOf(parts: readonly StatePart[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** What the tensors hold, one after the other. */
async function readParts(device: GPUDevice, parts: readonly StatePart[]): Promise<Uint8Array<ArrayBuffer>> {
  const read = await Promise.all(
    parts.map(({ tensor, bytes }) => readBuffer(device, tensor.buffer, 0, bytes)),
  )
  const state = new Uint8Array(bytesOf(parts))
  let offset = 0
  for (const part of read) {
    state.set(new Uint8Array(part), offset)
    offset += part.byteLength
  }
  return state
}

/** Puts back what `readParts` gave. @throws HycoraError `storage-corrupt` when it is of another length. */
function writeParts(device: GPUDevice, parts: readonly StatePart[], state: Uint8Array<ArrayBuffer>): void {
  const expected = bytesOf(parts)
  check(
    state.length === expected,
    'storage-corrupt',
    () => `the state of training has ${state.length} bytes, expected ${expected}`,
  )
  let offset = 0
  for (const { tensor, bytes } of parts) {
    device.queue.writeBuffer(tensor.buffer, 0, state, offset, bytes)
    offset += bytes
  }
}

/**
 * Creates the parameters of a run, all zero.
 *
 * @throws HycoraError `out-of-memory`; `format-unsupported` when only a role's vector is to be trained and the pack has no
 * use for one.
 */
export function createParameters(device: GPUDevice, options: ParameterOptions): Parameters {
  const layout = parameterLayout(options)
  const { length, trainedLength } = layout
  const values = createTensor(device, [length], 'parameter values')
  const gradients = createTensor(device, [trainedLength], 'parameter gradients')
  const firstMoments = createTensor(device, [trainedLength], 'first moments')
  const secondMoments = createTensor(device, [trainedLength], 'second moments')
  const valuesPart = { tensor: values, bytes: length * 4 }
  const stateful = [
    valuesPart,
    { tensor: firstMoments, bytes: trainedLength * 4 },
    { tensor: secondMoments, bytes: trainedLength * 4 },
  ]

  const segmentOf = (name: string): Segment => {
    const segment = layout.segments.get(name)
    check(segment, 'format-invalid', () => `there is no parameter ${name}`)
    return segment
  }

  return {
    layout,
    values,
    gradients,
    firstMoments,
    secondMoments,
    bytes: bytesOf(stateful) + trainedLength * 4,
    value(name) {
      const { shape, first } = segmentOf(name)
      return { buffer: values.buffer, shape, offsetBytes: first * 4 }
    },
    gradient(name) {
      const { shape, first, isTrained } = segmentOf(name)
      return isTrained ? { buffer: gradients.buffer, shape, offsetBytes: first * 4 } : undefined
    },
    clearGradients(commands) {
      clear(commands, [gradients])
    },
    load(tensor) {
      device.queue.writeBuffer(values.buffer, 0, flatten(layout, tensor))
      const commands = device.createCommandEncoder()
      clear(commands, [gradients, firstMoments, secondMoments])
      device.queue.submit([commands.finish()])
    },
    read: async () => tensorsOf(layout, await readParts(device, [valuesPart])),
    readValues: () => readParts(device, [valuesPart]),
    tensorsOf: (bytes) => tensorsOf(layout, bytes),
    readState: () => readParts(device, stateful),
    writeState: (state) => writeParts(device, stateful, state),
    destroy() {
      for (const { buffer } of [values, gradients, firstMoments, secondMoments]) buffer.destroy()
    },
  }
}

function clear(commands: GPUCommandEncoder, tensors: readonly Tensor[]): void {
  for (const { buffer } of tensors) commands.clearBuffer(buffer)
}

/** The flat values from tensors by the pack's names; what no tensor fills is zero. */
function flatten(
  layout: ParameterLayout,
  tensor: (name: string) => ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(layout.length)
  for (const { name, runs, length, first } of layout.pieces) {
    const source = tensor(name)
    check(
      source.length === runs * length,
      'shape-mismatch',
      () => `${name} has ${source.length} elements, expected ${runs * length}`,
    )
    for (let run = 0; run < runs; run++) {
      const start = first(run)
      for (let i = 0; i < length; i++) flat[start + i] = source[run * length + i] ?? 0
    }
  }
  return flat
}

/** Tensors by the pack's names from an array that is laid out as the values. */
export function unflatten(
  { pieces }: ParameterLayout,
  flat: Float32Array,
): Map<string, Float32Array<ArrayBuffer>> {
  const tensors = new Map<string, Float32Array<ArrayBuffer>>()
  for (const { name, runs, length, first } of pieces) {
    const values = new Float32Array(runs * length)
    for (let run = 0; run < runs; run++) {
      const start = first(run)
      values.set(flat.subarray(start, start + length), run * length)
    }
    tensors.set(name, values)
  }
  return tensors
}
