/** The sizes of a decoder that decide what it takes of a graphics card's memory. */
export interface MemoryShape {
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly ffn: number
  readonly vocabulary: number
  readonly maxPositions: number
}

/** The most sequences that a backbone reads at once. */
export const MAX_SEQUENCES = 2
/** Rows (tokens) that go through the decoder at once while a prompt is read. */
export const CHUNK_ROWS = 64
/** Positions that the keys and values have room for at first; a chat that outgrows them gets twice as many. */
export const FIRST_POSITIONS = 1024
/** What the keys and values of all sequences may take, where nothing else is said. */
export const CACHE_BYTES = 512 * 2 ** 20

/** How keys and values are kept: rounded to halves, as chats have them, or as they are computed. */
export type CacheForm = 'halves' | 'floats'

const NUMBER_BYTES: Readonly<Record<CacheForm, number>> = { halves: 2, floats: 4 }

/** Bytes of the keys and values of one position in one layer. */
export function positionBytes(
  { kvHeads, headDim }: Pick<MemoryShape, 'kvHeads' | 'headDim'>,
  form: CacheForm = 'halves',
): number {
  return 2 * kvHeads * headDim * NUMBER_BYTES[form]
}

/** How many positions the keys and values of a decoder have room for: in the cache, and a layer's in one binding. */
export function contextOf(
  shape: Pick<MemoryShape, 'layers' | 'kvHeads' | 'headDim' | 'maxPositions'>,
  maxBindingBytes: number,
  { cacheBytes = CACHE_BYTES, form }: { readonly cacheBytes?: number; readonly form?: CacheForm } = {},
): number {
  const rowBytes = MAX_SEQUENCES * positionBytes(shape, form)
  const fitting = Math.floor(cacheBytes / (shape.layers * rowBytes))
  return Math.min(shape.maxPositions, fitting, Math.floor(maxBindingBytes / rowBytes))
}

/**
 * What a decoder takes of a graphics card's memory, with weights of `weightBytes`, before anything is allocated:
 *
 *     weights                                         as they are stored
 *     2 sequences · layers · context · 2·kvHeads·headDim·2     keys and values
 *     64 rows · (3H + 2(h + 2k)d + 2hd + 3F)·4 + 8V   activations and logits of a pass
 *     4·context·d                                     angles
 */
export function graphicsNeeds(shape: MemoryShape, weightBytes: number, maxBindingBytes: number): number {
  const { layers, hidden, heads, kvHeads, headDim, ffn, vocabulary } = shape
  const context = contextOf(shape, maxBindingBytes)
  const cache = MAX_SEQUENCES * layers * context * positionBytes(shape)
  const row = 3 * hidden + (3 * heads + 2 * kvHeads) * headDim + 3 * ffn
  const workspace = 4 * CHUNK_ROWS * row + 8 * vocabulary + 4 * context * headDim
  return weightBytes + cache + workspace
}
