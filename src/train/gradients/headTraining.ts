import type { Dispatch } from '../../gpu/kernel.ts'
import { columnsFrom, createTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { crossEntropy } from '../../kernels/crossEntropy.ts'
import { gatherRows } from '../../kernels/gatherRows.ts'
import type { ProjectedParts } from '../../kernels/operands/adapterBinding.ts'
import { projectBackward } from '../../kernels/projectBackward.ts'
import { scatterAddRows } from '../../kernels/scatterAddRows.ts'
import { stepWords } from '../../kernels/operands/stepRows.ts'
import { placedBands, projectBands } from '../../model/gpu/bands.ts'
import type { BandedMatrix } from '../../model/gpu/bands.ts'
import { HEAD_ROWS } from './trainingBuffers.ts'
import type { TrainingBuffers } from './trainingBuffers.ts'

/** The head, the loss and its gradient for up to `HEAD_ROWS` reply rows: never more logits than these exist. */
export interface HeadChunk {
  /** Its own `step`: the kernels take the number of rows from it. */
  readonly step: Tensor
  readonly dispatches: readonly Dispatch[]
}

function partOf(list: Tensor, chunk: number): Tensor {
  return { buffer: list.buffer, shape: [HEAD_ROWS], offsetBytes: chunk * HEAD_ROWS * 4 }
}

async function planChunk(
  gpu: TunedDevice,
  buffers: TrainingBuffers,
  head: BandedMatrix,
  parts: ProjectedParts,
  dropout: Tensor,
  chunk: number,
): Promise<HeadChunk> {
  const { device } = gpu
  const { hidden, dHidden, gathered, dGathered, logits } = buffers
  const step = createTensor(device, [stepWords(1)], `head step ${chunk}`)
  const index = partOf(buffers.replyRows, chunk)
  const columns = head[0]?.in ?? 0
  const [gather, projections, entropy, back, scatter] = await Promise.all([
    gatherRows(device, { x: hidden, index, y: gathered }, { columns }),
    projectBands(gpu, head, parts, { step, x: gathered, y: logits }, { rows: 'many' }),
    crossEntropy(device, {
      targets: partOf(buffers.targets, chunk),
      weights: partOf(buffers.weights, chunk),
      logits,
      loss: partOf(buffers.losses, chunk),
    }),
    Promise.all(
      placedBands(head).map(({ band, first }) => {
        const tensors = { step, dy: columnsFrom(logits, first), dropout, dx: dGathered }
        return projectBackward(gpu, band, parts, tensors, { salt: 0 })
      }),
    ),
    scatterAddRows(device, { x: dGathered, index, y: dHidden }, { columns }),
  ])
  // What each band gives is added to the rows that it belongs to.
  const behind = back.flatMap((dispatch) => [dispatch, scatter])
  return { step, dispatches: [gather, ...projections, entropy, ...behind] }
}

/** Binds the head for as many chunks as the largest batch may need. */
export function planHead(
  gpu: TunedDevice,
  buffers: TrainingBuffers,
  head: BandedMatrix,
  parts: ProjectedParts,
  dropout: Tensor,
): Promise<readonly HeadChunk[]> {
  const chunks = (buffers.replyRows.shape[0] ?? 0) / HEAD_ROWS
  return Promise.all(
    Array.from({ length: chunks }, (_, chunk) => planChunk(gpu, buffers, head, parts, dropout, chunk)),
  )
}
