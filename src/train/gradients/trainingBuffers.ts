import { recordOf } from '../../core/record.ts'
import { createTensor, sizeOf } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { paddedWidth, widestBlock } from '../../kernels/operands/packedMatrix.ts'
import { stepWords } from '../../kernels/operands/stepRows.ts'
import type { Decoder, DecoderShape } from '../../model/decoder/decoder.ts'
import { multipliedMatrices } from '../../model/gpu/gpuWeights.ts'
import type { GpuWeights } from '../../model/gpu/gpuWeights.ts'

/** Reply rows whose logits are there at once; their indices begin at a multiple of 256 bytes. */
export const HEAD_ROWS = 64

/** Bytes that kept activations may take where nothing is known of the device: what does not fit is computed again. */
export const KEPT_BYTES = 2 ** 28

/** The largest micro-batch that a trainer takes. */
export interface BatchLimits {
  readonly rows: number
  /** Tokens of a row. */
  readonly tokens: number
}

/** What a layer's forward pass leaves for its backward pass. */
const ACTIVATIONS = [
  'attentionInput',
  'qkv',
  'query',
  'cache',
  'attended',
  'attentionOutput',
  'between',
  'ffnInput',
  'gateUp',
  'activated',
  'ffnOutput',
] as const

type Activations = Readonly<Record<(typeof ACTIVATIONS)[number], Tensor>>

/** Everything that a training pass writes, sized once. Rows are those of the batch times its tokens. */
export interface TrainingBuffers {
  readonly tokens: Tensor
  readonly step: Tensor
  /** The residual stream in front of each layer and behind the last. */
  readonly checkpoints: readonly Tensor[]
  /** Activations of the first layers, each of its own; the other layers share those below. */
  readonly kept: readonly Activations[]
  readonly residual: Tensor
  readonly attentionInput: Tensor
  readonly qkv: Tensor
  /** Queries, keys and values behind the norms of heads; null where there are none. */
  readonly heads: Tensor | null
  readonly query: Tensor
  readonly cache: Tensor
  readonly attended: Tensor
  readonly attentionOutput: Tensor
  /** The residual stream between attention and FFN. */
  readonly between: Tensor
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
  /** Gradient of `heads`. */
  readonly dHeads: Tensor | null
  /** An output of attention or MLP behind its norm; null where there is none. */
  readonly added: Tensor | null
  /** Gradient of an output before its norm, with the columns of du behind it. */
  readonly dOutput: Tensor | null
  /** Index of each row whose next token is a reply token, that token, and its weight in the loss. */
  readonly replyRows: Tensor
  readonly targets: Tensor
  readonly weights: Tensor
  readonly losses: Tensor
  readonly gathered: Tensor
  readonly dGathered: Tensor
  readonly logits: Tensor
}

/** What the sizes of a training pass hang on. */
export interface TrainingSizes {
  readonly shape: DecoderShape
  readonly hasHeadNorms: boolean
  readonly hasOutputNorms: boolean
  /** Of the adapter. */
  readonly paddedRank: number
  /** The largest block of a quantised weight matrix; 0 without any. */
  readonly blockSize: number
  readonly limits: BatchLimits
  /** Bytes that kept activations may take; without it 256 MiB. */
  readonly keptBytes?: number
}

/** What only decoders with norms of heads need. */
const OF_HEAD_NORMS = ['heads', 'dHeads'] as const

type Single = Exclude<keyof TrainingBuffers, 'checkpoints' | 'kept'>
type Further = (typeof OF_HEAD_NORMS)[number] | 'added' | 'dOutput'
type Shapes = Readonly<Record<Exclude<Single, Further>, readonly number[]>> &
  Readonly<Partial<Record<Further, readonly number[]>>>

/**
 * The shapes of all buffers of a training pass. With R rows times tokens, H the hidden size and L layers, the large ones are
 * the checkpoints, 4·(L + 1)·R·H bytes, about 4·R·(15·H + 6·ffn) bytes of activations and gradients of one layer, and the
 * logits, 4·64·vocabulary bytes.
 */
export function trainingShapes(sizes: TrainingSizes): Shapes {
  const { shape, hasHeadNorms, hasOutputNorms, paddedRank, blockSize, limits } = sizes
  const { hidden, heads, kvHeads, headDim, ffn, vocabulary } = shape
  const rows = limits.rows * limits.tokens
  const replyRows = [Math.ceil(rows / HEAD_ROWS) * HEAD_ROWS]
  const cache = [limits.rows, 2, kvHeads, limits.tokens, headDim]
  const attention = heads * headDim
  const qkv = attention + 2 * kvHeads * headDim
  const read = (columns: number): readonly number[] => [rows, paddedWidth(columns, blockSize)]
  return {
    tokens: [rows],
    step: [stepWords(rows)],
    residual: [rows, hidden],
    attentionInput: read(hidden),
    qkv: [rows, qkv + 3 * paddedRank],
    query: [rows, attention],
    cache,
    attended: read(attention),
    attentionOutput: [rows, hidden + paddedRank],
    between: [rows, hidden],
    ffnInput: read(hidden),
    gateUp: [rows, 2 * (ffn + paddedRank)],
    activated: read(ffn),
    ffnOutput: [rows, hidden + paddedRank],
    hidden: read(hidden),
    dHidden: [rows, hidden],
    dResidual: [rows, hidden + paddedRank],
    dNormed: [rows, hidden],
    dActivated: [rows, ffn],
    dGateUp: [rows, 2 * (ffn + paddedRank)],
    dAttended: [rows, attention],
    dQuery: [rows, attention],
    dCache: cache,
    attentionStats: [rows, heads, 2],
    dQkv: [rows, qkv + 3 * paddedRank],
    ...(hasHeadNorms && recordOf(OF_HEAD_NORMS, () => [rows, qkv])),
    ...(hasOutputNorms && { added: [rows, hidden], dOutput: [rows, hidden + paddedRank] }),
    replyRows,
    targets: replyRows,
    weights: replyRows,
    losses: replyRows,
    gathered: [HEAD_ROWS, paddedWidth(hidden, blockSize)],
    dGathered: [HEAD_ROWS, hidden],
    logits: [HEAD_ROWS, vocabulary],
  }
}

/**
 * How many layers, from the first on, keep their activations, and what those of one take: as many as fit, but never the
 * last, whose are still there when the backward pass begins with it.
 */
export function keptActivations(sizes: TrainingSizes): { readonly layers: number; readonly floats: number } {
  const shapes = trainingShapes(sizes)
  const floats = ACTIVATIONS.reduce((sum, name) => sum + sizeOf(shapes[name]), 0)
  const fitting = Math.floor((sizes.keptBytes ?? KEPT_BYTES) / (4 * floats))
  return { layers: Math.max(0, Math.min(sizes.shape.layers - 1, fitting)), floats }
}

/** The buffers as one layer sees them. */
export function layerBuffers(buffers: TrainingBuffers, layer: number): TrainingBuffers {
  return { ...buffers, ...buffers.kept[layer] }
}

/** All tensors of a training pass. */
export function tensorsOf({ checkpoints, kept, ...single }: TrainingBuffers): Tensor[] {
  return [
    ...checkpoints,
    ...kept.flatMap((activations) => Object.values(activations)),
    ...Object.values(single).filter((tensor) => tensor !== null),
  ]
}

/** Which norms the blocks of a decoder have beside those in front of attention and MLP. */
export function furtherNorms({
  blocks,
}: Pick<Decoder, 'blocks'>): Pick<TrainingSizes, 'hasHeadNorms' | 'hasOutputNorms'> {
  return {
    hasHeadNorms: blocks.some(({ headNorms }) => headNorms),
    hasOutputNorms: blocks.some(({ outputNorms }) => outputNorms),
  }
}

/** The largest block of the weights that activations are multiplied with. */
export function blockSizeOf(weights: GpuWeights): number {
  return widestBlock(multipliedMatrices(weights))
}

/**
 * Creates the buffers of a training pass.
 *
 * @throws HycoraError `out-of-memory` when one of them does not fit into a binding.
 */
export function createTrainingBuffers(device: GPUDevice, sizes: TrainingSizes): TrainingBuffers {
  const { shape, limits } = sizes
  const shapes = trainingShapes(sizes)
  const single = Object.entries(shapes).map(([name, columns]) => [
    name,
    createTensor(device, columns, `training ${name}`),
  ])
  const kept = Array.from({ length: keptActivations(sizes).layers }, (_, layer) => {
    return recordOf(ACTIVATIONS, (name) => createTensor(device, shapes[name], `${name} ${layer}`))
  })
  const inputs = Array.from({ length: shape.layers + 1 }, (_, layer) =>
    createTensor(device, [limits.rows * limits.tokens, shape.hidden], `checkpoint ${layer}`),
  )
  const made = Object.fromEntries(single) as Record<Exclude<Single, Further>, Tensor>
  return { heads: null, dHeads: null, added: null, dOutput: null, ...made, checkpoints: inputs, kept }
}
