/** 1; odd; prime; a tile (16 × 16, steps of 64); a tile ± 1; several tiles; the encoder's and z's gradient. */
export const linearBackwardCases = [
  { rows: 1, inner: 1, columns: 1, seed: 2010 },
  { rows: 3, inner: 5, columns: 7, seed: 2011 },
  { rows: 17, inner: 31, columns: 61, seed: 2012 },
  { rows: 16, inner: 16, columns: 64, seed: 2013 },
  { rows: 15, inner: 17, columns: 63, seed: 2014 },
  { rows: 65, inner: 15, columns: 65, seed: 2015 },
  { rows: 130, inner: 48, columns: 100, seed: 2016 },
  { rows: 42, inner: 128, columns: 128, seed: 2017 },
  { rows: 12, inner: 28, columns: 2048, seed: 2018 },
] as const
