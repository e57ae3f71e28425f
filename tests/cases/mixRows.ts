export const mixRowsCases = [
  { sources: 1, columns: 1, seed: 1 },
  { sources: 3, columns: 127, seed: 2 },
  { sources: 4, columns: 128, seed: 3 },
  { sources: 5, columns: 1009, seed: 4 },
] as const
