import { createTensor } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { paddedWidth } from '../kernels/packedMatrix.ts'
import type { DecoderShape } from '../model/decoder.ts'
import type { GpuWeights } from '../model/gpuWeights.ts'
import { STEP_ROW_WORDS } from '../model/workspace.ts'

/** Reply rows whose logits are there at once; their indices begin at a multiple of 256 bytes. */
export const HEAD_ROWS = 64

/** The largest micro-batch that a trainer takes. */
export interface BatchLimits {
  readonly rows: number
  /** Tokens of a row. */
  readonly tokens: number
}

/** Everything that a training pass writes, sized once. Rows are those of the batch times its tokens. */
export interface TrainingBuffers {
  readonly tokens: Tensor
  readonly step: Tensor
  /** The residual stream in front of each layer and behind the last. */
  readonly checkpoints: readonly Tensor[]
  readonly residual: Tensor
  readonly attentionInput: Tensor
  readonly qkv: Tensor
  readonly query: Tensor
  readonly cache: Tensor
  readonly attended: Tensor
  readonly attentionOutput: Tensor
  readonly ffnInput: Tensor
  readonly gateUp: Tensor
  readonly activated: Tensor
  readonly ffnOutput: Tensor
  /** After the final norm. */
  readonly hidden: Tensor
  readonly dHidden: Tensor
  /** Gradient of the residual stream, with the columns of du behind it. */
  readonly dResidual: Tensor
  readonly dNormed: Tensor
  readonly dActivated: Tensor
  readonly dGateUp: Tensor
  readonly dAttended: Tensor
  readonly dQuery: Tensor
  readonly dCache: Tensor
  /** Per row and query head: log-sum-exp and Σ dy·y. */
  readonly attentionStats: Tensor
  readonly dQkv: Tensor
  /** Index of each row whose next token is a reply token, that token, and its weight in the loss. */
  readonly replyRows: Tensor
  readonly targets: Tensor
  readonly weights: Tensor
  readonly losses: Tensor
  readonly gathered: Tensor
  readonly dGathered: Tensor
  readonly logits: Tensor
}

/**
 * Creates the buffers of a training pass. With R rows times tokens, H the hidden size and L layers, the large ones are the
 * checkpoints, 4·(L + 1)·R·H bytes, about 4·R·(6·H + 7·ffn) bytes of activations and gradients of one layer, and the
 * logits, 4·64·vocabulary bytes.
 *
 * @throws HycoraError `out-of-memory` when one of them does not fit into a binding.
 */
export function createTrainingBuffers(
  device: GPUDevice,
  shape: DecoderShape,
  weights: GpuWeights,
  rank: number,
  limits: BatchLimits,
): TrainingBuffers {
  const { hidden, heads, kvHeads, headDim, ffn, vocabulary, layers } = shape
  const block = Math.max(
    weights.head.blockSize,
    ...weights.blocks.flatMap(({ qkv, o, gateUp, down }) =>
      [qkv, o, gateUp, down].map(({ matrix }) => matrix.blockSize),
    ),
  )
  const rows = limits.rows * limits.tokens
  const replyRows = Math.ceil(rows / HEAD_ROWS) * HEAD_ROWS
  const create = (label: string, columns: number): Tensor => createTensor(device, [rows, columns], label)
  const list = (label: string): Tensor => createTensor(device, [replyRows], label)
  const cacheShape = [limits.rows, 2, kvHeads, limits.tokens, headDim]
  const attention = heads * headDim
  const qkv = attention + 2 * kvHeads * headDim
  return {
    tokens: createTensor(device, [rows], 'training tokens'),
    step: createTensor(device, [1 + STEP_ROW_WORDS * rows], 'training step'),
    checkpoints: Array.from({ length: layers + 1 }, (_, layer) => create(`checkpoint ${layer}`, hidden)),
    residual: create('residual', hidden),
    attentionInput: create('attention input', paddedWidth(hidden, block)),
    qkv: create('qkv', qkv + 3 * rank),
    query: create('query', attention),
    cache: createTensor(device, cacheShape, 'training cache'),
    attended: create('attended', paddedWidth(attention, block)),
    attentionOutput: create('attention output', hidden + rank),
    ffnInput: create('feed-forward input', paddedWidth(hidden, block)),
    gateUp: create('gate and up', 2 * (ffn + rank)),
    activated: create('activated', paddedWidth(ffn, block)),
    ffnOutput: create('feed-forward output', hidden + rank),
    hidden: create('hidden', paddedWidth(hidden, block)),
    dHidden: create('d hidden', hidden),
    dResidual: create('d residual', hidden + rank),
    dNormed: create('d normed', hidden),
    dActivated: create('d activated', ffn),
    dGateUp: create('d gate and up', 2 * (ffn + rank)),
    dAttended: create('d attended', attention),
    dQuery: create('d query', attention),
    dCache: createTensor(device, cacheShape, 'd cache'),
    attentionStats: createTensor(device, [rows, heads, 2], 'attention statistics'),
    dQkv: create('d qkv', qkv + 3 * rank),
    replyRows: list('reply rows'),
    targets: list('targets'),
    weights: list('loss weights'),
    losses: list('losses'),
    gathered: createTensor(device, [HEAD_ROWS, paddedWidth(hidden, block)], 'gathered'),
    dGathered: createTensor(device, [HEAD_ROWS, hidden], 'd gathered'),
    logits: createTensor(device, [HEAD_ROWS, vocabulary], 'training logits'),
  }
}
