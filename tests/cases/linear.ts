/** 1; odd; prime; a tile (64 × 64, steps of 16); a tile ± 1; several tiles; the starter's encoder and generator. */
export const linearCases = [
  { rows: 1, inner: 1, columns: 1, seed: 1 },
  { rows: 3, inner: 5, columns: 7, seed: 2 },
  { rows: 17, inner: 31, columns: 61, seed: 3 },
  { rows: 64, inner: 16, columns: 64, seed: 4 },
  { rows: 63, inner: 15, columns: 63, seed: 5 },
  { rows: 65, inner: 17, columns: 65, seed: 6 },
  { rows: 130, inner: 48, columns: 200, seed: 7 },
  { rows: 42, inner: 128, columns: 128, seed: 8 },
  { rows: 36, inner: 29, columns: 2048, seed: 9 },
] as const

/** Sums so long that only the looser tolerance of long reductions holds. */
export const longLinearCase = { rows: 5, inner: 4096, columns: 9, seed: 20 } as const
