import type { GateActivation } from '../../kernels/operands/gatedOperands.ts'
import type { ByteSource } from '../../core/bytes.ts'
import { PACK_PROJECTIONS } from '../../formats/packConfig.ts'
import type { PackProjection } from '../../formats/packConfig.ts'

/** How an element of a stored tensor is written; those of less than a byte lie side by side, low bits first. */
export type ElementType = 'f32' | 'f16' | 'bf16' | 'u8' | 'u4' | 'u2'

/** Bits of an element. */
export const ELEMENT_BITS: Readonly<Record<ElementType, number>> = {
  f32: 32,
  f16: 16,
  bf16: 16,
  u8: 8,
  u4: 4,
  u2: 2,
}

/** Where the bytes of a stored tensor lie; nothing is copied until somebody reads `source`. */
export interface StoredTensor {
  /** The initializer's name, for messages. */
  readonly name: string
  readonly dataType: ElementType
  readonly shape: readonly number[]
  readonly source: ByteSource
  readonly offset: number
  readonly sizeBytes: number
}

/** A float matrix as stored: `out-in` is [out, in] row-major, `in-out` its transpose. */
export interface FloatMatrix {
  readonly kind: 'float'
  readonly layout: 'in-out' | 'out-in'
  readonly values: StoredTensor
}

/** One number a block: that of row n, block b is element ⌊(n·rowStride + b·blockStride) / share⌋. */
export interface BlockNumbers {
  readonly values: StoredTensor
  readonly rowStride: number
  readonly blockStride: number
  /** How many neighbouring blocks have one element in common where blocks run on from row to row, else 1. */
  readonly share: number
}

/**
 * Quantised in blocks along a row: w[n, k] = (value(code[n, k]) − zero[n, k / blockSize]) · scale[n, k / blockSize],
 * where code[n, k] is element n·rowStride + k·columnStride of `codes` and value the code itself, or the level that it
 * names. A row of one block may be shorter than `blockSize`.
 */
export interface BlockMatrix {
  readonly kind: 'blocks'
  readonly blockSize: number
  readonly codes: StoredTensor
  readonly rowStride: number
  readonly columnStride: number
  /** The 16 values of 4-bit codes, with zero 0; null where codes are numbers. */
  readonly levels: readonly number[] | null
  readonly scales: BlockNumbers
  readonly zeros: BlockNumbers | number
}

/** Rows [firstOut, firstOut + out) of a stored matrix that may hold several projections side by side. */
export interface WeightMatrix {
  readonly out: number
  readonly in: number
  readonly firstOut: number
  readonly stored: FloatMatrix | BlockMatrix
}

export interface WeightVector {
  readonly values: StoredTensor
  readonly first: number
  readonly length: number
  /** Added to every value, as Gemma adds 1 to its gains; 0 where left out. */
  readonly plus?: number
}

/** y = x·Wᵀ + bias */
export interface Linear {
  readonly weight: WeightMatrix
  readonly bias: WeightVector | null
}

/** The adapted linear layers of a block, in the order of the paper's layer ids. */
export const PROJECTIONS = PACK_PROJECTIONS
export type Projection = PackProjection

/**
 * Gains of the RMS norms of queries and keys before their rotation: as many as a head is wide, of each head, or as the
 * projection is, of all heads together.
 */
export interface HeadNorms {
  readonly query: WeightVector
  readonly key: WeightVector
}

/** Gains of the norms of what attention and MLP add to the residual stream. */
export interface OutputNorms {
  readonly attention: WeightVector
  readonly mlp: WeightVector
}

export interface DecoderBlock {
  /** In front of attention and in front of the MLP; null where these read the residual stream as it is. */
  readonly inputNorm: WeightVector | null
  readonly postAttentionNorm: WeightVector | null
  /** null where the outputs are added as they are. */
  readonly outputNorms: OutputNorms | null
  /** null where queries and keys are taken as they are. */
  readonly headNorms: HeadNorms | null
  /** Which of the decoder's rotaries turns queries and keys; null where what a token sees is all that tells positions. */
  readonly rotary: number | null
  /** How many tokens back a token sees, itself included; null where it sees all. */
  readonly window: number | null
  readonly linears: Readonly<Record<Projection, Linear>>
}

/** Which dimensions of a head are rotated, two by two. */
export interface HeadRotation {
  /** The first so many, an even number. */
  readonly dim: number
  /** Whether neighbours are pairs; else a dimension and the one half of `dim` behind it. */
  readonly isInterleaved: boolean
}

/** Rotary positions: by θ (angles computed on the host), or by tables [positions, rotation.dim / 2] of the graph. */
export type RotarySource =
  | { readonly kind: 'theta'; readonly theta: number }
  | { readonly kind: 'tables'; readonly cos: StoredTensor; readonly sin: StoredTensor }

export interface DecoderShape {
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly ffn: number
  readonly vocabulary: number
}

/** How many numbers the weights of a decoder of this shape have, one for both where head and embedding are tied. */
export function parameterCount(shape: DecoderShape): number {
  const { layers, hidden, heads, kvHeads, headDim, ffn, vocabulary } = shape
  const attention = hidden * headDim * (2 * heads + 2 * kvHeads)
  return layers * (attention + 3 * hidden * ffn) + vocabulary * hidden
}

/** What families multiply beside their weights; 1 in most. */
export interface Multipliers {
  /** The embeddings. */
  readonly embedding: number
  /** What attention and MLP add to the residual stream. */
  readonly residual: number
  readonly logits: number
}

/**
 * The residual stream x in units of its multiplier m, x = m·x′: `x′ += addition` needs no factor, embeddings are multiplied by
 * `embedding / m`, and `x / √(mean x² + ε) = x′ / √(mean x′² + ε / m²)`.
 */
export function unitsOfStream({ normEpsilon, multipliers }: Pick<Decoder, 'normEpsilon' | 'multipliers'>): {
  readonly embedding: number
  readonly epsilon: number
} {
  const { embedding, residual } = multipliers
  return { embedding: embedding / residual, epsilon: normEpsilon / residual ** 2 }
}

/** A decoder of a known family as recognised in a graph: which stored tensor plays which part. */
export interface Decoder extends DecoderShape {
  /** `model_type` of config.json, or the empty string for a bare graph. */
  readonly architecture: string
  readonly normEpsilon: number
  readonly multipliers: Multipliers
  readonly activation: GateActivation
  /** Of queries times keys: 1/√headDim in most. */
  readonly scoreScale: number
  /** That of blocks that see all tokens first; at least one. */
  readonly rotaries: readonly RotarySource[]
  /** Of the blocks that rotate. */
  readonly rotation: HeadRotation
  /** The most positions that config or graph allow. */
  readonly maxPositions: number
  readonly embedding: WeightMatrix
  readonly blocks: readonly DecoderBlock[]
  readonly finalNorm: WeightVector
  readonly head: WeightMatrix
}
