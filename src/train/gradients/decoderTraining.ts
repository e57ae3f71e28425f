import { check } from '../../core/errors.ts'
import { encode } from '../../gpu/kernel.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, readBuffer } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { addRmsNorm } from '../../kernels/addRmsNorm.ts'
import { DROPOUT_WORDS, packDropout } from '../../kernels/operands/dropout.ts'
import { rmsNormBackward } from '../../kernels/rmsNormBackward.ts'
import { packRows } from '../../kernels/operands/stepRows.ts'
import type { StepRow } from '../../kernels/operands/stepRows.ts'
import { unitsOfStream } from '../../model/decoder/decoder.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import { embedBands } from '../../model/gpu/bands.ts'
import type { GpuWeights } from '../../model/gpu/gpuWeights.ts'
import { uploadAngles } from '../../model/gpu/rotaryTensors.ts'
import { packTokens } from '../data/batches.ts'
import type { Batch, PackedTokens } from '../data/batches.ts'
import { planAddition, planBlockTraining } from './blockTraining.ts'
import type { BlockTraining } from './blockTraining.ts'
import type { TrainedAdapter } from './groupTraining.ts'
import { planHead } from './headTraining.ts'
import type { HeadChunk } from './headTraining.ts'
import {
  HEAD_ROWS,
  blockSizeOf,
  createTrainingBuffers,
  furtherNorms,
  layerBuffers,
  tensorsOf,
} from './trainingBuffers.ts'
import type { BatchLimits, TrainingBuffers, TrainingSizes } from './trainingBuffers.ts'

interface Plan {
  readonly embedding: readonly Dispatch[]
  readonly blocks: readonly BlockTraining[]
  readonly finalNorm: Dispatch
  readonly finalNormBackward: Dispatch
  readonly head: readonly HeadChunk[]
}

/** How a micro-batch is played: a slot and a scale for each of its rows. */
export interface BatchCasting {
  readonly slots: readonly number[]
  /** α / rank. */
  readonly scale: number
  /** Weight of each reply token in the loss: one over the reply tokens of the whole step. */
  readonly tokenWeight: number
  readonly dropout: { readonly seed: number; readonly probability: number }
}

/** How large micro-batches may be, whether adapters drop inputs, and what kept activations may take. */
export type DecoderTrainingOptions = Pick<TrainingSizes, 'limits' | 'keptBytes'> & {
  readonly isDropping: boolean
}

/**
 * Forward and backward through the frozen decoder. The first layers keep their activations, as many as memory is set aside
 * for; of the others each layer's input is kept, and everything else is computed again in front of the layer's gradient.
 */
export class DecoderTraining {
  readonly buffers: TrainingBuffers
  private readonly device: GPUDevice
  private readonly plan: Plan
  private readonly dropout: Tensor
  private readonly angles: readonly Tensor[]
  private readonly limits: BatchLimits
  private packed: PackedTokens = { order: [], lengths: [], first: [], count: 0 }
  private replyRows = 0

  private constructor(
    device: GPUDevice,
    parts: {
      buffers: TrainingBuffers
      plan: Plan
      dropout: Tensor
      angles: readonly Tensor[]
      limits: BatchLimits
    },
  ) {
    this.device = device
    this.buffers = parts.buffers
    this.plan = parts.plan
    this.dropout = parts.dropout
    this.angles = parts.angles
    this.limits = parts.limits
  }

  /**
   * Binds all kernels for batches up to `limits`.
   *
   * @throws HycoraError `out-of-memory` when the buffers do not fit, `shader-invalid`.
   */
  static async create(
    gpu: TunedDevice,
    decoder: Decoder,
    weights: GpuWeights,
    adapter: TrainedAdapter,
    { isDropping, ...sized }: DecoderTrainingOptions,
  ): Promise<DecoderTraining> {
    const { device } = gpu
    const { binding } = adapter
    const { limits } = sized
    const sizes = {
      shape: decoder,
      ...furtherNorms(decoder),
      paddedRank: binding.paddedRank,
      blockSize: blockSizeOf(weights),
      ...sized,
    }
    const buffers = createTrainingBuffers(device, sizes)
    const angles = await uploadAngles(device, decoder, limits.tokens)
    const dropout = createTensor(device, [DROPOUT_WORDS], 'dropout')
    const context = { gpu, shape: decoder, buffers, adapter, angles, dropout, isDropping, limits }
    const last = weights.blocks.length - 1
    const { step, residual, hidden, dHidden, dResidual } = buffers
    const addition = planAddition(weights.blocks[last] ?? null, last, { adapter, buffers })
    const units = unitsOfStream(decoder)
    const { epsilon } = units
    const noParts = { adapter: binding, count: 0, aOffset: 0, aPartStride: 0 }
    const [embed, blocks, finalNorm, finalNormBackward, head] = await Promise.all([
      Promise.all(
        embedBands(device, weights.embedding, { tokens: buffers.tokens, y: residual }, units.embedding),
      ),
      Promise.all(
        weights.blocks.map((block, layer) =>
          planBlockTraining(context, block, layer, weights.blocks[layer - 1] ?? null),
        ),
      ),
      addRmsNorm(
        gpu,
        addition?.adapter ?? binding,
        { step, gain: weights.finalNorm, residual, y: hidden },
        addition?.added ?? null,
        { epsilon },
      ),
      rmsNormBackward(
        device,
        { dy: dHidden, x: buffers.checkpoints.at(-1) ?? residual, gain: weights.finalNorm, dx: dResidual },
        { epsilon, accumulate: false },
      ),
      planHead(gpu, buffers, weights.head, noParts, dropout),
    ])
    const plan = { embedding: embed, blocks, finalNorm, finalNormBackward, head }
    return new DecoderTraining(device, { buffers, plan, dropout, angles, limits })
  }

  /** Bytes of GPU memory that training takes beside the weights and the adapter. */
  get bytes(): number {
    const tensors = [...tensorsOf(this.buffers), ...this.angles, this.dropout]
    return tensors.reduce((sum, { buffer }) => sum + buffer.size, 0)
  }

  /**
   * Runs a micro-batch forward, up to the losses, and the head backward: `dHidden` holds the cross-entropy's gradient
   * afterwards.
   *
   * @throws HycoraError `shape-mismatch` when the batch is larger than the limits.
   */
  forward(batch: Batch, casting: BatchCasting): void {
    const { limits, plan, buffers } = this
    check(
      batch.rows <= limits.rows && batch.tokens <= limits.tokens,
      'shape-mismatch',
      () =>
        `the batch is ${batch.rows} × ${batch.tokens}, expected at most ${limits.rows} × ${limits.tokens}`,
    )
    this.writeBatch(batch, casting)
    this.run(plan.embedding)
    plan.blocks.forEach(({ enter, attention, ffn }, layer) => {
      this.run([enter])
      this.copyResidual(buffers.residual, buffers.checkpoints[layer])
      this.run(attention)
      this.copyResidual(buffers.residual, layerBuffers(buffers, layer).between)
      this.run(ffn)
    })
    this.run([plan.finalNorm])
    this.copyResidual(buffers.residual, buffers.checkpoints.at(-1))
    this.clear(buffers.dHidden)
    const chunks = Math.ceil(this.replyRows / HEAD_ROWS)
    for (let chunk = 0; chunk < chunks; chunk++) {
      const rows = Math.min(HEAD_ROWS, this.replyRows - chunk * HEAD_ROWS)
      const { step, dispatches } = plan.head[chunk] ?? { step: buffers.step, dispatches: [] }
      this.device.queue.writeBuffer(step.buffer, 0, Uint32Array.of(rows))
      this.run(dispatches, rows)
    }
  }

  /** Takes `dHidden` back through all layers, adding to the gradients of A and B. */
  backward(): void {
    const { plan, buffers } = this
    this.run([plan.finalNormBackward])
    const last = plan.blocks.length - 1
    for (const [layer, { reenter, attention, ffnAgain, backward }] of [
      ...plan.blocks.entries(),
    ].toReversed()) {
      // The last layer's activations are still there.
      if (layer !== last && !buffers.kept[layer]) {
        this.copyResidual(buffers.checkpoints[layer], buffers.residual)
        this.run([reenter, ...attention])
        this.copyResidual(buffers.residual, buffers.between)
        this.run(ffnAgain)
      }
      this.run(backward)
    }
  }

  /** Where the last micro-batch's anchors lie among the rows of `hidden`. */
  rowsOf(anchors: readonly number[]): number[] {
    return anchors.map((anchor, index) => (this.packed.first[index] ?? 0) + anchor)
  }

  /** The cross-entropy of the last micro-batch: the weighted sum over its reply tokens. */
  async readLoss(): Promise<number> {
    const { replyRows } = this
    const bytes = await readBuffer(this.device, this.buffers.losses.buffer, 0, Math.max(4, replyRows * 4))
    return new Float32Array(bytes, 0, replyRows).reduce((sum, loss) => sum + loss, 0)
  }

  destroy(): void {
    const heads = this.plan.head.map(({ step }) => step)
    for (const { buffer } of [...tensorsOf(this.buffers), ...heads, ...this.angles, this.dropout])
      buffer.destroy()
  }

  private writeBatch(batch: Batch, { slots, scale, tokenWeight, dropout }: BatchCasting): void {
    const { queue } = this.device
    const { buffers } = this
    const packed = packTokens(batch, slots)
    this.packed = packed
    const ids = new Uint32Array(packed.count)
    const rows: StepRow[] = []
    const replyRows: number[] = []
    const targets: number[] = []
    for (const [sequence, index] of packed.order.entries()) {
      const [first = 0, length = 0] = [packed.first[index], packed.lengths[index]]
      const source = index * batch.tokens
      ids.set(batch.ids.subarray(source, source + length), first)
      for (let position = 0; position < length; position++) {
        rows[first + position] = { position, slot: slots[index] ?? 0, scale, sequence }
        if (position + 1 < length && batch.isReply[source + position + 1]) {
          replyRows.push(first + position)
          targets.push(batch.ids[source + position + 1] ?? 0)
        }
      }
    }
    this.replyRows = replyRows.length
    queue.writeBuffer(buffers.step.buffer, 0, packRows(rows))
    queue.writeBuffer(buffers.tokens.buffer, 0, ids)
    queue.writeBuffer(buffers.replyRows.buffer, 0, Uint32Array.from(replyRows))
    queue.writeBuffer(buffers.targets.buffer, 0, Uint32Array.from(targets))
    queue.writeBuffer(buffers.weights.buffer, 0, new Float32Array(replyRows.length).fill(tokenWeight))
    queue.writeBuffer(this.dropout.buffer, 0, packDropout(dropout.seed, dropout.probability))
  }

  /** One submit a layer: a long one would keep the screen from being drawn, or lose the device. */
  private run(dispatches: readonly Dispatch[], rows = this.packed.count): void {
    const encoder = this.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (const dispatch of dispatches) encode(pass, dispatch, rows)
    pass.end()
    this.device.queue.submit([encoder.finish()])
  }

  private copyResidual(from: Tensor | undefined, to: Tensor | undefined): void {
    if (!from || !to) return
    const columns = from.shape[1] ?? 0
    const encoder = this.device.createCommandEncoder()
    encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, this.packed.count * columns * 4)
    this.device.queue.submit([encoder.finish()])
  }

  private clear({ buffer }: Tensor): void {
    const encoder = this.device.createCommandEncoder()
    encoder.clearBuffer(buffer)
    this.device.queue.submit([encoder.finish()])
  }
}
