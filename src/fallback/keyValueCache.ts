import type { DecoderShape } from '../model/decoder/decoder.ts'

/** The positions by which the cache grows. */
const STEP = 128

/** Keys or values of one layer. */
export interface CachePart {
  /** [sequences, kvHeads, capacity, headDim] */
  readonly values: Float32Array
  readonly dims: readonly number[]
}

/** The sequences that a run reads: one, or both at once. */
export type ReadSequences = 0 | 1 | 'both'

/**
 * Keys and values of all positions read, outside of onnxruntime's memory: a run gets all of them and gives back only
 * those of its own tokens. Room for a second sequence is made when it is first written.
 */
export class KeyValueCache {
  private readonly shape: DecoderShape
  private readonly parts: Record<'key' | 'value', Float32Array[]> = { key: [], value: [] }
  private capacity = 0
  private sequences = 1

  constructor(shape: DecoderShape) {
    this.shape = shape
    this.reserve(STEP)
  }

  get bytes(): number {
    const { layers, kvHeads, headDim } = this.shape
    return 2 * layers * this.sequences * kvHeads * this.capacity * headDim * 4
  }

  /** Makes room for so many positions, and for a second sequence where it is asked for. */
  reserve(positions: number, wanted = 1): void {
    if (positions <= this.capacity && wanted <= this.sequences) return
    const sequences = Math.max(this.sequences, wanted)
    const capacity = Math.max(this.capacity, Math.ceil(positions / STEP) * STEP)
    const { layers, kvHeads, headDim } = this.shape
    for (const part of Object.values(this.parts)) {
      for (let layer = 0; layer < layers; layer++) {
        const larger = new Float32Array(sequences * kvHeads * capacity * headDim)
        const old = part[layer] ?? new Float32Array(0)
        const width = this.capacity * headDim
        for (let head = 0; head * width < old.length; head++) {
          larger.set(old.subarray(head * width, (head + 1) * width), head * capacity * headDim)
        }
        part[layer] = larger
      }
    }
    this.capacity = capacity
    this.sequences = sequences
  }

  read(part: 'key' | 'value', layer: number, reading: ReadSequences): CachePart {
    const { kvHeads, headDim } = this.shape
    const all = this.parts[part][layer] ?? new Float32Array(0)
    const size = kvHeads * this.capacity * headDim
    const isBoth = reading === 'both'
    const first = isBoth ? 0 : reading
    return {
      values: all.subarray(first * size, (isBoth ? 2 : first + 1) * size),
      dims: [isBoth ? 2 : 1, kvHeads, this.capacity, headDim],
    }
  }

  /**
   * Takes keys and values of the sequences that were read.
   *
   * @param added [layers · 2 · sequences, kvHeads, positions, headDim], from position `first` on.
   * @param fresh of each sequence that was read, the positions that are new: [from, to).
   */
  write(
    reading: ReadSequences,
    first: number,
    added: Float32Array,
    fresh: readonly (readonly [from: number, to: number])[],
  ): void {
    const { layers, kvHeads, headDim } = this.shape
    const count = fresh.length
    const size = added.length / (2 * layers * count * kvHeads)
    for (let block = 0; block < 2 * layers * count; block++) {
      const [from, to] = fresh[block % count] ?? [0, 0]
      const sequence = reading === 'both' ? block % count : reading
      const part = this.parts[Math.floor(block / count) % 2 === 0 ? 'key' : 'value']
      const values = part[Math.floor(block / (2 * count))]
      for (let head = 0; head < kvHeads; head++) {
        const start = (block * kvHeads + head) * size
        const place = ((sequence * kvHeads + head) * this.capacity + from) * headDim
        values?.set(added.subarray(start + (from - first) * headDim, start + (to - first) * headDim), place)
      }
    }
  }

  /** Copies positions [first, end) of the first sequence to the second. */
  copy(first: number, end: number): void {
    const { layers, kvHeads, headDim } = this.shape
    const [width, half] = [this.capacity * headDim, kvHeads * this.capacity * headDim]
    for (const part of Object.values(this.parts)) {
      for (let layer = 0; layer < layers; layer++) {
        for (let head = 0; head < kvHeads; head++) {
          const at = head * width
          part[layer]?.copyWithin(half + at + first * headDim, at + first * headDim, at + end * headDim)
        }
      }
    }
  }
}
