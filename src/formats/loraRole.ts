import { check } from '../core/errors.ts'
import type { PackConfig, PackProjection } from './packConfig.ts'

/**
 * One role, or one blend, as plain low-rank matrices: ΔW = (strength·α / rank)·(A·B)ᵀ. The matrices come from whoever can
 * generate them; one layer's are in memory at a time.
 */
export interface LoraRole {
  readonly name: string
  readonly config: Pick<PackConfig, 'rank' | 'alpha' | 'layers' | 'projections' | 'dims'>
  /** 1 is the trained strength. */
  readonly strength: number
  /** A [in, rank], a blend's already mixed. */
  a(layer: number, projection: PackProjection): Float32Array
  /** B [rank, out]. */
  b(layer: number, projection: PackProjection): Float32Array
}

/** A pair of matrices as PEFT and llama.cpp keep them: A [rank, in], B [out, rank]. */
export interface LoraPair {
  readonly layer: number
  readonly projection: PackProjection
  readonly inSize: number
  readonly outSize: number
  readonly a: Float32Array
  readonly b: Float32Array
}

/**
 * The α that goes into a file: strength·α, so that folding the strength in rounds nothing. Formats ask for a positive one,
 * hence a strength that is not goes into A instead.
 */
export function foldedAlpha({ config, strength }: LoraRole): number {
  return strength > 0 ? config.alpha * strength : config.alpha
}

/** Every pair of a role, layer by layer. @throws HycoraError `usage` when the strength is not finite. */
export function* loraPairs(role: LoraRole): Generator<LoraPair> {
  const { config, strength } = role
  check(Number.isFinite(strength), 'usage', () => `the strength of ${role.name} is not a finite number`)
  for (let layer = 0; layer < config.layers; layer++) {
    for (const projection of config.projections) {
      const [inSize, outSize] = config.dims.get(projection) ?? [0, 0]
      const a = transpose(role.a(layer, projection), inSize, config.rank)
      const b = transpose(role.b(layer, projection), config.rank, outSize)
      yield {
        layer,
        projection,
        inSize,
        outSize,
        a: strength > 0 ? a : a.map((value) => value * strength),
        b,
      }
    }
  }
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  check(values.length === rows * columns, 'shape-mismatch', () => {
    return `a matrix of the role has ${values.length} values, expected ${rows} × ${columns}`
  })
  const result = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column] ?? 0
    }
  }
  return result
}
