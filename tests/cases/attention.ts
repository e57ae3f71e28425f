export interface AttentionCase {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly positions: readonly number[]
  readonly seed: number
  /** Standard deviation of the queries: a large one makes the softmax a maximum. */
  readonly spread: number
  /** 1/√headDim where left out. */
  readonly scoreScale?: number
  /** All positions where left out. */
  readonly window?: number
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, position) => position)

/** A workgroup of 64 positions ± 1, a chunk of 1024 ± 1, several chunks of 256, rows at unequal positions; heads of real models, narrow and wide; another scale; windows of 1, of less than four rows reach over, within a chunk and over several. */
export const attentionCases: readonly AttentionCase[] = [
  { heads: 1, kvHeads: 1, headDim: 16, positions: [0], spread: 1, seed: 900 },
  { heads: 1, kvHeads: 1, headDim: 4, positions: [1], spread: 1, seed: 901 },
  { heads: 4, kvHeads: 2, headDim: 64, positions: [0, 1, 63, 64, 65, 200], spread: 1, seed: 902 },
  { heads: 9, kvHeads: 3, headDim: 64, positions: [0, 1, 63, 64, 65, 200], spread: 1, seed: 903 },
  { heads: 9, kvHeads: 3, headDim: 64, positions: [500], spread: 1, seed: 904 },
  { heads: 4, kvHeads: 2, headDim: 64, positions: upTo(70), spread: 1, seed: 905 },
  { heads: 2, kvHeads: 1, headDim: 128, positions: [200, 3, 64], spread: 1, seed: 906 },
  { heads: 3, kvHeads: 3, headDim: 80, positions: [66, 127, 128], spread: 1, seed: 907 },
  { heads: 2, kvHeads: 2, headDim: 256, positions: [63, 100], spread: 1, seed: 908 },
  { heads: 2, kvHeads: 2, headDim: 16, positions: [1023, 1024, 2100], spread: 1, seed: 910 },
  { heads: 2, kvHeads: 1, headDim: 64, positions: [130], spread: 30, seed: 909 },
  { heads: 4, kvHeads: 2, headDim: 64, positions: upTo(9), spread: 1, scoreScale: 0.3, seed: 911 },
  { heads: 4, kvHeads: 2, headDim: 64, positions: upTo(70), spread: 1, window: 1, seed: 912 },
  { heads: 2, kvHeads: 1, headDim: 16, positions: upTo(70), spread: 1, window: 3, seed: 913 },
  { heads: 2, kvHeads: 1, headDim: 256, positions: upTo(41), spread: 1, window: 17, seed: 914 },
  { heads: 2, kvHeads: 2, headDim: 16, positions: [3, 1023, 2100], spread: 1, window: 1500, seed: 915 },
  { heads: 4, kvHeads: 2, headDim: 64, positions: [0, 64, 200], spread: 1, window: 65, seed: 916 },
]
