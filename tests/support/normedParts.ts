import type { ProjectionNormCase } from '../cases/projectionNorm.ts'
import type { NormedPart } from '../reference/projectionNorm.ts'
import { normals } from './values.ts'

/** Widths of queries, keys and values, or of the one output that is none of these. */
export function widthsOf({ heads, kvHeads, headDim }: ProjectionNormCase): readonly number[] {
  return kvHeads > 0 ? [heads * headDim, kvHeads * headDim, kvHeads * headDim] : [heads * headDim]
}

/** Values, bias, u and gains of each part of a case; B is still to come. */
export function normedParts(shape: ProjectionNormCase) {
  const groups = [shape.queryGroup, shape.keyGroup]
  return widthsOf(shape).map((width, part): Omit<NormedPart, 'b'> & Record<'values' | 'u', Float32Array> => ({
    values: normals(shape.seed + part, shape.rows * width),
    bias: normals(shape.seed + 3 + part, width),
    u: normals(shape.seed + 6 + part, shape.rows * shape.rank),
    gain: part < groups.length ? normals(shape.seed + 9 + part, groups[part]! * shape.headDim) : null,
  }))
}
