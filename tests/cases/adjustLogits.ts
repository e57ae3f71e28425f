/** 1; odd; the sizes around one workgroup and around all of them; the starter's and SmolLM2's vocabularies. */
export const adjustLogitsCases = [
  { vocabulary: 1, seed: 1 },
  { vocabulary: 7, seed: 2 },
  { vocabulary: 255, seed: 3 },
  { vocabulary: 257, seed: 4 },
  { vocabulary: 4096, seed: 5 },
  { vocabulary: 16385, seed: 6 },
  { vocabulary: 49152, seed: 7 },
] as const
