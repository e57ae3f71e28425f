import { joinFloats } from '../core/bytes.ts'
import type { Pack } from '../formats/pack.ts'
import { openAdapterMatrices } from '../model/cpuAdapter.ts'
import type { AdapterMatrices } from '../model/cpuAdapter.ts'
import type { RoleMap } from './protocol.ts'

/** Mean cosine between different roles beyond which they count as one. */
const COLLAPSED = 0.98
const POWER_STEPS = 50

function dot(one: Float64Array, other: Float64Array): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0)
}

/** A of every projection in the middle layer, end to end. */
function vectorOf(pack: Pack, matrices: AdapterMatrices, role: number): Float64Array {
  const layer = Math.floor(pack.config.layers / 2)
  const parts = pack.config.projections.map((projection) =>
    matrices.mixA({ parts: [{ role, weight: 1 }], strength: 1 }, layer, projection),
  )
  return Float64Array.from(joinFloats(parts))
}

/** The two largest principal components of the rows, from their Gram matrix by power iteration. */
function principalPoints(vectors: readonly Float64Array[]): Float32Array {
  const count = vectors.length
  const width = vectors[0]?.length ?? 0
  const mean = new Float64Array(width)
  for (const vector of vectors)
    vector.forEach((value, index) => (mean[index] = (mean[index] ?? 0) + value / count))
  const centred = vectors.map((vector) => vector.map((value, index) => value - (mean[index] ?? 0)))
  const gram = centred.map((one) => Float64Array.from(centred, (other) => dot(one, other)))
  const points = new Float32Array(2 * count)
  const found: Float64Array[] = []
  for (const axis of [0, 1]) {
    // A fixed start keeps the axes where they were from one look to the next.
    let direction = Float64Array.from({ length: count }, (_, index) => Math.cos((axis + 1) * (index + 1)))
    let size = 0
    for (let step = 0; step < POWER_STEPS; step++) {
      for (const other of found) {
        const share = dot(direction, other)
        direction = direction.map((value, index) => value - share * (other[index] ?? 0))
      }
      const next = Float64Array.from(gram, (row) => dot(row, direction))
      size = Math.sqrt(dot(next, next))
      direction = size > 0 ? next.map((value) => value / size) : next
    }
    found.push(direction)
    direction.forEach((value, index) => (points[2 * index + axis] = value * Math.sqrt(size)))
  }
  return points
}

/** How near the roles of a pack are to each other, by their A in the middle layer. */
export function mapRoles(pack: Pack): RoleMap {
  const roles = pack.roles.slice(0, pack.rows)
  const matrices = openAdapterMatrices(pack)
  const vectors = roles.map((_, role) => vectorOf(pack, matrices, role))
  const norms = vectors.map((vector) => Math.sqrt(dot(vector, vector)) || 1)
  const count = roles.length
  const cosines = new Float32Array(count * count)
  let sum = 0
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const [one, other] = [vectors[i], vectors[j]]
      const cosine = one && other ? dot(one, other) / ((norms[i] ?? 1) * (norms[j] ?? 1)) : 0
      cosines[i * count + j] = cosine
      if (i !== j) sum += cosine
    }
  }
  return {
    names: roles.map(({ name }) => name),
    cosines,
    points: principalPoints(vectors),
    isCollapsed: count > 1 && sum / (count * (count - 1)) > COLLAPSED,
  }
}
