/**
 * How many sets of logits and settings for each vocabulary: tiny, two tokens a share, the starter's, SmolLM2's, and the
 * largest of the models in use.
 */
export const sampleTokenCases = [
  { vocabulary: 7, cases: 80, seed: 1 },
  { vocabulary: 320, cases: 80, seed: 2 },
  { vocabulary: 4096, cases: 60, seed: 3 },
  { vocabulary: 49152, cases: 12, seed: 4 },
  { vocabulary: 262144, cases: 1, seed: 5 },
] as const
