import type { PackOptions } from '../support/packMatrix.ts'

export interface ProjectCase extends PackOptions {
  readonly out: number
  readonly in: number
  readonly rows: number
  readonly seed: number
}

/** 1; odd; prime; a tile (16 outputs, 32 rows); a tile ± 1; several tiles. */
const SHAPES: readonly (readonly [out: number, inFeatures: number, rows: number])[] = [
  [1, 1, 1],
  [3, 5, 2],
  [17, 31, 3],
  [15, 63, 1],
  [16, 64, 1],
  [17, 65, 2],
  [32, 32, 32],
  [31, 33, 31],
  [33, 31, 33],
  [100, 257, 70],
]

const shapes = (options: PackOptions): ProjectCase[] =>
  SHAPES.map(([out, inFeatures, rows], index) => ({
    ...options,
    out,
    in: inFeatures,
    rows,
    seed: 100 + index,
  }))

/** Every size of block in both forms; each size and each form with scales in halves and in floats. */
const BLOCKS = ([16, 32, 64, 128] as const).flatMap((blockSize, size) =>
  (['q4', 'q8'] as const).flatMap((format, form) => {
    const halfScales = (size + form) % 2 === 0
    return [
      // A last block that is nearly empty, then one that is full.
      { format, blockSize, halfScales, out: 37, in: 2 * blockSize + 5, rows: 1, seed: 200 + blockSize },
      { format, blockSize, halfScales, out: 34, in: 3 * blockSize, rows: 33, seed: 201 + blockSize },
    ]
  }),
)

/** Zero points between codes, levels in their place, and blocks that hold a whole row. */
const OTHER_BLOCKS: readonly ProjectCase[] = [
  { format: 'q4', blockSize: 16, zeroForm: 'floats', out: 35, in: 37, rows: 2, seed: 250 },
  {
    format: 'q4',
    blockSize: 32,
    zeroForm: 'floats',
    halfScales: false,
    out: 33,
    in: 96,
    rows: 34,
    seed: 251,
  },
  { format: 'q8', blockSize: 64, zeroForm: 'floats', out: 18, in: 130, rows: 1, seed: 252 },
  {
    format: 'q4',
    blockSize: 64,
    zeroForm: 'levels',
    halfScales: false,
    out: 37,
    in: 192,
    rows: 2,
    seed: 254,
  },
  { format: 'q8', blockSize: 96, halfScales: false, out: 33, in: 95, rows: 35, seed: 255 },
  { format: 'q4', blockSize: 576, out: 35, in: 576, rows: 2, seed: 256 },
]

/** The starter's and SmolLM2's layers: queries with keys and values, output, gate with up, down. */
const MODELS: readonly ProjectCase[] = [
  { format: 'f16', out: 512, in: 256, rows: 1, seed: 300 },
  { format: 'f32', out: 1408, in: 256, rows: 2, seed: 301 },
  { format: 'q4', blockSize: 32, out: 256, in: 704, rows: 1, seed: 302 },
  { format: 'f16', out: 4096, in: 256, rows: 1, seed: 303 },
  { format: 'q4', blockSize: 32, out: 960, in: 576, rows: 2, seed: 304 },
  { format: 'q4', blockSize: 32, halfScales: false, out: 3072, in: 576, rows: 1, seed: 305 },
  { format: 'q8', blockSize: 32, out: 576, in: 1536, rows: 33, seed: 306 },
]

export const projectCases: readonly ProjectCase[] = [
  ...shapes({ format: 'f32' }),
  ...shapes({ format: 'f16' }),
  ...shapes({ format: 'q4', blockSize: 32 }),
  ...shapes({ format: 'bf16' }),
  ...BLOCKS,
  ...OTHER_BLOCKS,
  ...MODELS,
  // As many outputs as Gemma 3 has tokens.
  { format: 'f16', out: 262_144, in: 8, rows: 1, seed: 290 },
]

export interface AdapterCase {
  readonly out: number
  readonly in: number
  readonly rows: number
  readonly rank: number
  readonly parts: number
  readonly slots: number
  readonly seed: number
}

export const adapterCases: readonly AdapterCase[] = [
  { out: 5, in: 7, rows: 1, rank: 4, parts: 1, slots: 1, seed: 400 },
  { out: 16, in: 64, rows: 2, rank: 8, parts: 3, slots: 2, seed: 401 },
  { out: 33, in: 65, rows: 5, rank: 12, parts: 2, slots: 3, seed: 402 },
  { out: 31, in: 97, rows: 33, rank: 8, parts: 1, slots: 4, seed: 403 },
  { out: 64, in: 128, rows: 70, rank: 12, parts: 3, slots: 5, seed: 404 },
  { out: 512, in: 256, rows: 4, rank: 8, parts: 3, slots: 3, seed: 405 },
  { out: 576, in: 1536, rows: 3, rank: 8, parts: 1, slots: 2, seed: 406 },
  // More rank columns than the workgroups of the outputs can take.
  { out: 48, in: 40, rows: 2, rank: 64, parts: 3, slots: 2, seed: 407 },
]
