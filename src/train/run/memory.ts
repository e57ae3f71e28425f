import type { PackConfig } from '../../formats/packConfig.ts'
import { sizeOf } from '../../gpu/tensor.ts'
import { dimsOf } from '../../model/adapter/adapter.ts'
import { adapterLayout } from '../../model/adapter/adapterLayout.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import type { TrainConfig } from '../settings/config.ts'
import { parameterLayout } from '../parameters/parameterLayout.ts'
import type { ParameterOptions } from '../parameters/parameterLayout.ts'
import type { Trainee } from '../parameters/trainee.ts'
import { furtherNorms, keptActivations, trainingShapes } from '../gradients/trainingBuffers.ts'
import type { BatchLimits, TrainingSizes } from '../gradients/trainingBuffers.ts'

/** What a run lays out on the GPU. */
export interface TrainingNeeds extends ParameterOptions {
  readonly limits: BatchLimits
  /** Roles of a micro-batch at most. */
  readonly capacity: number
}

/** What a run on a backbone needs, for micro-batches up to `limits`. */
export function trainingNeeds(
  decoder: Decoder,
  trainee: Trainee,
  config: TrainConfig,
  limits: BatchLimits,
): TrainingNeeds {
  const { roles, hasHeads, onlyRole } = trainee
  return {
    config: trainee.config,
    layout: adapterLayout(trainee.config.rank, decoder.layers, dimsOf(decoder)),
    roles: roles.length,
    hasHeads,
    hasContrast: config.contrast.form !== 'off',
    ...(onlyRole !== null && { onlyRole }),
    limits,
    capacity: Math.min(limits.rows, roles.length),
  }
}

/**
 * Floats that the hyper-network keeps for one role and layer: the encoder's activations and their gradients, and what each
 * side's generators make of them.
 */
function encoderFloats({ hypernetwork: size, roleEmbedding, sources }: PackConfig): number {
  if (!size) return 0
  const { layerEmbedding, hidden, residualBlocks, generatorRank, layernormInput, layernormOutput } = size
  const input = ((roleEmbedding ?? 0) + layerEmbedding) * (layernormInput ? 4 : 2)
  const stream = hidden * (4 + 3 * residualBlocks + Number(layernormOutput))
  const sides = Number(sources.A.startsWith('hyper')) + Number(sources.B === 'hyper')
  return 2 + input + stream + 2 * sides * generatorRank
}

/** The sizes of a run's passes through the decoder, but for what it keeps. */
export function trainingSizes(
  decoder: Decoder,
  { layout, limits }: Pick<TrainingNeeds, 'layout' | 'limits'>,
  blockSize: number,
): TrainingSizes {
  return { shape: decoder, ...furtherNorms(decoder), paddedRank: layout.paddedRank, blockSize, limits }
}

/**
 * Bytes of GPU memory that a run takes beside the backbone's weights, before anything is allocated:
 *
 *     4·(P + 3·P′)                          parameters; of those that train P′ the gradient and two moments
 *     8·roles·(|A| + |B|)                   matrices of a batch's roles and their gradients, where they are not shared
 *     4·roles·projections·L·encoder         the hyper-network's activations
 *     4·(L + 1)·R·H + 4·Σ trainingShapes    the decoder's layer inputs, and one layer's activations and gradients
 *     4·keptActivations                     the activations of the layers that keep theirs, `keptBytes` at most
 */
export function trainingBytes(
  decoder: Decoder,
  needs: TrainingNeeds,
  blockSize: number,
  keptBytes: number,
): number {
  const { config, layout, limits, capacity } = needs
  const { A, B } = config.sources
  const { length, trainedLength } = parameterLayout(needs)
  const slots = (A === 'shared' ? 0 : layout.aSize) + (B === 'shared' ? 0 : layout.bSize)
  const generated = encoderFloats(config) * config.projections.length * config.layers
  const checkpoints = (decoder.layers + 1) * limits.rows * limits.tokens * decoder.hidden
  const sizes = trainingSizes(decoder, needs, blockSize)
  const kept = keptActivations({ ...sizes, keptBytes })
  const single = Object.values(trainingShapes(sizes)).reduce((sum, shape) => sum + sizeOf(shape), 0)
  const passes = single + kept.layers * kept.floats
  return 4 * (length + 3 * trainedLength + capacity * (2 * slots + generated) + checkpoints + passes)
}
