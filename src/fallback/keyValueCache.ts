import type { DecoderShape } from '../model/decoder/decoder.ts'

/** The positions by which the cache grows. */
const STEP = 128

/** Keys or values of one layer. */
export interface CachePart {
  /** [kvHeads, capacity, headDim] */
  readonly values: Float32Array
  readonly dims: readonly number[]
}

/**
 * Keys and values of all positions read, outside of onnxruntime's memory: a run gets all of them and gives back only
 * those of its own tokens.
 */
export class KeyValueCache {
  private readonly shape: DecoderShape
  private readonly parts: Record<'key' | 'value', Float32Array[]> = { key: [], value: [] }
  private capacity = 0

  constructor(shape: DecoderShape) {
    this.shape = shape
    this.reserve(STEP)
  }

  get bytes(): number {
    const { layers, kvHeads, headDim } = this.shape
    return 2 * layers * kvHeads * this.capacity * headDim * 4
  }

  /** Makes room for so many positions. */
  reserve(positions: number): void {
    if (positions <= this.capacity) return
    const capacity = Math.ceil(positions / STEP) * STEP
    const { layers, kvHeads, headDim } = this.shape
    for (const part of Object.values(this.parts)) {
      for (let layer = 0; layer < layers; layer++) {
        const larger = new Float32Array(kvHeads * capacity * headDim)
        const old = part[layer] ?? new Float32Array(0)
        for (let head = 0; head < kvHeads; head++) {
          const start = head * this.capacity * headDim
          larger.set(old.subarray(start, start + this.capacity * headDim), head * capacity * headDim)
        }
        part[layer] = larger
      }
    }
    this.capacity = capacity
  }

  read(part: 'key' | 'value', layer: number): CachePart {
    const { kvHeads, headDim } = this.shape
    const values = this.parts[part][layer] ?? new Float32Array(0)
    return { values, dims: [1, kvHeads, this.capacity, headDim] }
  }

  /** Takes keys and values [layers · 2, kvHeads, tokens, headDim] of the positions from `first` on. */
  write(first: number, added: Float32Array): void {
    const { layers, kvHeads, headDim } = this.shape
    const size = added.length / (2 * layers * kvHeads)
    for (let at = 0; at < 2 * layers * kvHeads; at++) {
      const part = this.parts[Math.floor(at / kvHeads) % 2 === 0 ? 'key' : 'value']
      const start = ((at % kvHeads) * this.capacity + first) * headDim
      part[Math.floor(at / (2 * kvHeads))]?.set(added.subarray(at * size, (at + 1) * size), start)
    }
  }
}
