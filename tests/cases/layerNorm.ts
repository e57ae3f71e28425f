/** 1; odd; prime; a workgroup; a workgroup ± 1; several; the starter's, SmolLM2's and the golden encoder's sizes. */
export const layerNormCases = [
  { rows: 1, columns: 1, seed: 1 },
  { rows: 3, columns: 5, seed: 2 },
  { rows: 2, columns: 61, seed: 3 },
  { rows: 4, columns: 63, seed: 4 },
  { rows: 4, columns: 64, seed: 5 },
  { rows: 4, columns: 65, seed: 6 },
  { rows: 7, columns: 200, seed: 7 },
  { rows: 70, columns: 28, seed: 8 },
  { rows: 252, columns: 128, seed: 9 },
  { rows: 210, columns: 256, seed: 10 },
] as const
