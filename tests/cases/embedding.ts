import type { PackOptions } from '../support/packMatrix.ts'

export interface EmbeddingCase extends PackOptions {
  readonly vocabulary: number
  readonly columns: number
  readonly rows: number
  readonly seed: number
}

const FORMATS: readonly PackOptions[] = [
  { format: 'f32' },
  { format: 'f16' },
  { format: 'bf16' },
  { format: 'q4', blockSize: 32 },
  { format: 'q8', blockSize: 128, halfScales: false },
  { format: 'q8', blockSize: 32, zeroForm: 'floats' },
  { format: 'q4', blockSize: 64, zeroForm: 'levels' },
]

/** One column; odd; a workgroup ± 1; several workgroups; then every block size, and the real models. */
export const embeddingCases: readonly EmbeddingCase[] = [
  ...FORMATS.flatMap((format, index) =>
    [1, 31, 63, 64, 65, 200].map((columns) => ({
      ...format,
      vocabulary: 7,
      columns,
      rows: 5,
      seed: 500 + index,
    })),
  ),
  ...[16, 32, 64, 128].flatMap((blockSize) =>
    (['q4', 'q8'] as const).flatMap((format) =>
      [true, false].map((halfScales) => ({
        format,
        blockSize,
        halfScales,
        vocabulary: 11,
        columns: 2 * blockSize + 3,
        rows: 3,
        seed: 510 + blockSize,
      })),
    ),
  ),
  { format: 'f16', vocabulary: 4096, columns: 256, rows: 33, seed: 520 },
  { format: 'q8', blockSize: 32, vocabulary: 1000, columns: 576, rows: 70, seed: 521 },
]
