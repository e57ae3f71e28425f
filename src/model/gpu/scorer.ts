import { submit } from '../../gpu/kernel.ts'
import { createTensor, readTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { crossEntropy } from '../../kernels/crossEntropy.ts'
import { gatherRows } from '../../kernels/gatherRows.ts'
import { stepWords } from '../../kernels/operands/stepRows.ts'
import type { PlacedAdapter } from '../adapter/adapter.ts'
import { projectBands } from './bands.ts'
import type { BandedMatrix } from './bands.ts'
import { bytesOfTensors } from './workspace.ts'
import type { Workspace } from './workspace.ts'

/** Rows that go through the head at once: a logits row is as wide as the vocabulary. */
const ROWS = 32

/** A row of the last forward pass and the token whose probability it gives. */
export interface ScoredRow {
  readonly row: number
  readonly target: number
}

/** Turns final hidden states into log-probabilities, so that no logits leave the GPU. */
export interface Scorer {
  readonly bytes: number
  /** Computes rows of `workspace.normed` as the queue leaves it now. */
  add(rows: readonly ScoredRow[]): void
  /** The log-probabilities of all rows added since the last time, in their order. */
  read(): Promise<Float32Array>
  destroy(): void
}

export interface ScorerParts {
  readonly gpu: TunedDevice
  readonly head: BandedMatrix
  readonly adapter: PlacedAdapter
  readonly workspace: Workspace
  readonly hidden: number
  readonly vocabulary: number
  /** The most rows between two readings. */
  readonly capacity: number
}

/** Creates a scorer for a workspace; 32 rows of logits are all that it needs. */
export async function createScorer(parts: ScorerParts): Promise<Scorer> {
  const { gpu, head, adapter, workspace, hidden, vocabulary, capacity } = parts
  const { device } = gpu
  const create = (label: string, ...shape: number[]): Tensor => createTensor(device, shape, label)
  const index = create('scored rows', ROWS)
  const targets = create('scored tokens', ROWS)
  const weights = create('score weights', ROWS)
  const step = create('score step', stepWords(ROWS))
  const picked = create('scored states', ROWS, workspace.normed.shape.at(-1) ?? hidden)
  const logits = create('scored logits', ROWS, vocabulary)
  const loss = create('losses', ROWS)
  const result = create('scores', capacity)
  device.queue.writeBuffer(weights.buffer, 0, new Float32Array(ROWS).fill(1))
  const noParts = { adapter: adapter.binding, count: 0, aOffset: 0, aPartStride: 0 }
  const [gather, headed, entropy] = await Promise.all([
    gatherRows(device, { x: workspace.normed, index, y: picked }, { columns: hidden }),
    projectBands(gpu, head, noParts, { step, x: picked, y: logits }, { rows: 'many' }),
    crossEntropy(device, { targets, weights, logits, loss }),
  ])
  const dispatches = [gather, ...headed, entropy]
  const tensors = [index, targets, weights, step, picked, logits, loss, result]
  let filled = 0

  const addFew = (rows: readonly ScoredRow[]): void => {
    const { queue } = device
    queue.writeBuffer(
      index.buffer,
      0,
      Uint32Array.from(rows, ({ row }) => row),
    )
    queue.writeBuffer(
      targets.buffer,
      0,
      Uint32Array.from(rows, ({ target }) => target),
    )
    queue.writeBuffer(step.buffer, 0, Uint32Array.of(rows.length))
    submit(device, dispatches, rows.length)
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(loss.buffer, 0, result.buffer, 4 * filled, 4 * rows.length)
    queue.submit([encoder.finish()])
    filled += rows.length
  }

  return {
    bytes: bytesOfTensors(tensors),
    add(rows) {
      for (let first = 0; first < rows.length; first += ROWS) addFew(rows.slice(first, first + ROWS))
    },
    async read() {
      const losses = (await readTensor(device, result)).slice(0, filled)
      filled = 0
      return losses.map((value) => -value)
    },
    destroy() {
      for (const { buffer } of tensors) buffer.destroy()
    },
  }
}
