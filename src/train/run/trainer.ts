import { HycoraError, check } from '../../core/errors.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import type { GpuWeights } from '../../model/gpu/gpuWeights.ts'
import type { Batch } from '../data/batches.ts'
import type { TrainConfig } from '../settings/config.ts'
import { createContrast } from '../gradients/contrast.ts'
import type { Contrast } from '../gradients/contrast.ts'
import { DecoderTraining } from '../gradients/decoderTraining.ts'
import { createHypernetworkTraining } from '../gradients/hypernetworkTraining.ts'
import type { HypernetworkTraining } from '../gradients/hypernetworkTraining.ts'
import type { NamedTensors } from '../parameters/initialise.ts'
import { roomToKeep } from './keptRoom.ts'
import { trainingNeeds } from './memory.ts'
import { createOptimiser } from '../parameters/optimiser.ts'
import type { Optimiser } from '../parameters/optimiser.ts'
import { createParameters } from '../parameters/parameters.ts'
import type { Parameters } from '../parameters/parameters.ts'
import { learningRateShare } from '../settings/schedule.ts'
import type { Trainee } from '../parameters/trainee.ts'
import { blockSizeOf } from '../gradients/trainingBuffers.ts'
import type { BatchLimits } from '../gradients/trainingBuffers.ts'

/** What one optimiser step did. */
export interface StepReport {
  readonly loss: number
  /** Mean over the step's reply tokens. */
  readonly crossEntropy: number
  /** Unweighted, mean over the micro-batches. */
  readonly contrast: number
  readonly lambda: number
  readonly learningRate: number
  /** Before clipping. */
  readonly gradientNorm: number
  readonly replyTokens: number
  /** Non-finite values were found; nothing was changed. */
  readonly isSkipped: boolean
}

export interface StepInput {
  /** Counted from 0. */
  readonly step: number
  readonly batches: readonly Batch[]
  readonly lambda: number
  /** Multiplies the learning rates; below 1 after a roll-back. */
  readonly rateFactor: number
}

interface Parts {
  readonly device: GPUDevice
  readonly trainee: Trainee
  readonly config: TrainConfig
  readonly parameters: Parameters
  readonly hypernetwork: HypernetworkTraining
  readonly decoder: DecoderTraining
  readonly contrast: Contrast | null
  readonly optimiser: Optimiser
}

function replyTokensOf({ isReply }: Batch): number {
  return isReply.reduce((sum, flag) => sum + flag, 0)
}

function nothing(): void {}

interface Losses {
  readonly crossEntropy: number
  readonly contrast: number
}

/** A pack in training on one device: parameters, their way through the frozen backbone and back, the optimiser. */
export class Trainer {
  private readonly parts: Parts

  private constructor(parts: Parts) {
    this.parts = parts
  }

  /**
   * Prepares a run on a backbone whose weights lie on the device already.
   *
   * @param limits the largest micro-batch.
   * @throws HycoraError `out-of-memory` when it does not fit.
   */
  static async create(
    gpu: TunedDevice,
    decoder: Decoder,
    weights: GpuWeights,
    trainee: Trainee,
    { config, limits }: { readonly config: TrainConfig; readonly limits: BatchLimits },
  ): Promise<Trainer> {
    const { device } = gpu
    const needs = trainingNeeds(decoder, trainee, config, limits)
    const { layout } = needs
    check(
      !needs.hasContrast || trainee.hasHeads,
      'usage',
      () => 'the start pack has no heads for the contrastive loss: set contrast.form to "off"',
    )
    // Asked first: what the run needs is not there yet.
    const keptBytes = await roomToKeep(gpu, decoder, needs, blockSizeOf(weights))
    const parameters = createParameters(device, needs)
    parameters.load((name) => trainee.tensors.get(name) ?? [])
    const hypernetwork = await createHypernetworkTraining(gpu, {
      config: trainee.config,
      layout,
      parameters,
      capacity: needs.capacity,
    })
    const adapter = {
      layout,
      slots: hypernetwork.capacity,
      binding: hypernetwork.binding,
      da: hypernetwork.aGradient,
      db: hypernetwork.bGradient,
    }
    const training = await DecoderTraining.create(gpu, decoder, weights, adapter, {
      limits,
      isDropping: config.dropout > 0,
      keptBytes,
    })
    const contrast = needs.hasContrast
      ? await createContrast(gpu, {
          form: config.contrast.form === 'batch' ? 'batch' : 'table',
          parameters,
          hidden: training.buffers.hidden,
          dHidden: training.buffers.dHidden,
          rows: limits.rows,
        })
      : null
    const optimiser = await createOptimiser(device, parameters)
    return new Trainer({
      device,
      trainee,
      config,
      parameters,
      hypernetwork,
      decoder: training,
      contrast,
      optimiser,
    })
  }

  /** Bytes of GPU memory beside the backbone's weights. */
  get bytes(): number {
    const { parameters, hypernetwork, decoder } = this.parts
    return parameters.bytes + hypernetwork.bytes + decoder.bytes
  }

  /** One optimiser step over micro-batches; the cross-entropy is the mean over the reply tokens of all of them. */
  async step({ step, batches, lambda, rateFactor }: StepInput): Promise<StepReport> {
    const { config, parameters, optimiser } = this.parts
    const replyTokens = batches.reduce((sum, batch) => sum + replyTokensOf(batch), 0)
    check(replyTokens > 0, 'usage', () => 'the batch has no reply tokens')
    this.submit((commands) => parameters.clearGradients(commands))
    const losses: Promise<Losses>[] = []
    for (const [index, batch] of batches.entries()) {
      const seed = (config.seed + 0x9e3779b9 * (step * batches.length + index + 1)) >>> 0
      const before = losses.at(-1)
      const loss = this.runBatch(batch, { replyTokens, lambda: lambda / batches.length, seed })
      // It may fail before anybody waits for it.
      loss.catch(nothing)
      losses.push(loss)
      // No more than two micro-batches wait on the device.
      await before
    }
    const share = learningRateShare(config, step) * rateFactor
    const learningRate = config.learningRate * share
    this.submit((commands) =>
      optimiser.encodeUpdate(commands, {
        learningRates: [learningRate, config.learningRateB * share],
        betas: config.betas,
        epsilon: config.epsilon,
        weightDecay: config.weightDecay,
        clip: config.clip,
        step: step + 1,
      }),
    )
    // All is read at once: where news of the device come late, each wait is a tenth of a second.
    const [{ norm, isFinite }, ...read] = await Promise.all([optimiser.readReport(), ...losses])
    const crossEntropy = read.reduce((sum, one) => sum + one.crossEntropy, 0)
    const contrast = read.reduce((sum, one) => sum + one.contrast / batches.length, 0)
    const loss = crossEntropy + lambda * contrast
    const isSkipped = !isFinite || !Number.isFinite(loss)
    return { loss, crossEntropy, contrast, lambda, learningRate, gradientNorm: norm, replyTokens, isSkipped }
  }

  /** The cross-entropy of a batch without learning from it: the mean over its reply tokens. */
  async measure(batch: Batch): Promise<{ readonly crossEntropy: number; readonly replyTokens: number }> {
    const replyTokens = replyTokensOf(batch)
    this.cast(batch, replyTokens, { seed: 0, probability: 0 })
    return { crossEntropy: await this.parts.decoder.readLoss(), replyTokens }
  }

  /** The trained tensors by the pack's names. */
  read(): Promise<NamedTensors> {
    return this.parts.parameters.read()
  }

  /** The trained parameters as bytes, for a checkpoint. */
  readValues(): Promise<Uint8Array<ArrayBuffer>> {
    return this.parts.parameters.readValues()
  }

  /** What `readValues` gave, by the pack's names. @throws HycoraError `storage-corrupt` when they are not this run's. */
  tensorsOf(values: Uint8Array<ArrayBuffer>): NamedTensors {
    return this.parts.parameters.tensorsOf(values)
  }

  /** Parameters and the optimiser's moments, for a checkpoint. */
  readState(): Promise<Uint8Array<ArrayBuffer>> {
    return this.parts.parameters.readState()
  }

  /** @throws HycoraError `storage-corrupt` when the bytes are not this run's. */
  writeState(state: Uint8Array<ArrayBuffer>): void {
    this.parts.parameters.writeState(state)
  }

  destroy(): void {
    const { parameters, hypernetwork, decoder, contrast, optimiser } = this.parts
    for (const part of [hypernetwork, decoder, contrast, optimiser, parameters]) part?.destroy()
  }

  /** Generates the batch's adapters and runs it forward. */
  private cast(
    batch: Batch,
    replyTokens: number,
    dropout: { readonly seed: number; readonly probability: number },
  ): void {
    const { hypernetwork, decoder, trainee } = this.parts
    const unique = [...new Set(batch.roles)]
    if (unique.length > hypernetwork.capacity) {
      throw new HycoraError(
        'shape-mismatch',
        `the batch has ${unique.length} roles, expected at most ${hypernetwork.capacity}`,
      )
    }
    this.submit((commands) => hypernetwork.encodeForward(commands, unique))
    decoder.forward(batch, {
      slots: batch.roles.map((role) => unique.indexOf(role)),
      scale: trainee.config.alpha / trainee.config.rank,
      tokenWeight: 1 / replyTokens,
      dropout,
    })
  }

  /** Submits a micro-batch, all of it before it returns; resolves with what it lost. */
  private async runBatch(
    batch: Batch,
    {
      replyTokens,
      lambda,
      seed,
    }: { readonly replyTokens: number; readonly lambda: number; readonly seed: number },
  ): Promise<Losses> {
    const { hypernetwork, decoder, contrast, config } = this.parts
    this.cast(batch, replyTokens, { seed, probability: config.dropout })
    if (contrast) {
      const anchors = decoder.rowsOf(batch.anchors)
      this.submit((commands) => contrast.encode(commands, { anchors, roleIds: batch.roles, lambda }))
    }
    decoder.backward()
    this.submit((commands) => hypernetwork.encodeBackward(commands))
    const [crossEntropy, distance] = await Promise.all([decoder.readLoss(), contrast?.readLoss() ?? 0])
    return { crossEntropy, contrast: distance }
  }

  private submit(encode: (commands: GPUCommandEncoder) => void): void {
    const { device } = this.parts
    const commands = device.createCommandEncoder()
    encode(commands)
    device.queue.submit([commands.finish()])
  }
}
