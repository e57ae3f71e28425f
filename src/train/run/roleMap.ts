import type { RoleMap } from '../../core/training.ts'
import { joinFloats } from '../../core/bytes.ts'
import type { Pack } from '../../formats/pack.ts'
import type { PackProjection } from '../../formats/packConfig.ts'
import { openAdapterMatrices } from '../../model/adapter/cpuAdapter.ts'
import type { AdapterMatrices } from '../../model/adapter/cpuAdapter.ts'

/**
 * The cosine from which on two roles can hardly be told apart. Ordinary training leaves all of them alike, 0.6 to 0.9 on
 * average, and the nearest two of the shipped companies at 0.81 and 0.90.
 */
const HARDLY_APART = 0.98
const POWER_STEPS = 50

function dot(one: Float64Array, other: Float64Array): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0)
}

/** All the numbers end to end, scaled to length 1; zeros stay zeros. */
function unitOf(parts: readonly Float32Array[]): Float32Array {
  const joined = joinFloats(parts)
  const norm = Math.sqrt(joined.reduce((sum, value) => sum + value * value, 0)) || 1
  return joined.map((value) => value / norm)
}

/**
 * What a role has of its own in the middle layer: A, B or both of every projection, end to end, each scaled to length 1. What
 * is shared, A₀ beside a generated A among it, would make all roles look alike.
 */
function ownOf(pack: Pack, matrices: AdapterMatrices, role: number): Float64Array {
  const { layers, projections, sources } = pack.config
  const layer = Math.floor(layers / 2)
  const casting = { parts: [{ role, weight: 1 }], strength: 1 }
  const a = (projection: PackProjection): Float32Array => {
    const whole = matrices.plainA(casting, layer, projection)
    if (sources.A !== 'hyper+static') return whole
    const fixed = pack.tensor(`layers.${layer}.${projection}.lora_A0`)
    return whole.map((value, index) => value - (fixed[index] ?? 0))
  }
  return Float64Array.from(
    joinFloats([
      ...(sources.A === 'shared' ? [] : [unitOf(projections.map(a))]),
      ...(sources.B === 'shared'
        ? []
        : [unitOf(projections.map((projection) => matrices.b(casting, layer, projection)))]),
    ]),
  )
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

/** How near the roles of a pack are to each other, by what each has of its own in the middle layer. */
export function mapRoles(pack: Pack): RoleMap {
  const { sources } = pack.config
  const isShared = sources.A === 'shared' && sources.B === 'shared'
  const names = pack.roles.slice(0, pack.rows).map(({ name }) => name)
  const matrices = openAdapterMatrices(pack)
  const vectors = names.map((_, role) => ownOf(pack, matrices, role))
  const norms = vectors.map((vector) => Math.sqrt(dot(vector, vector)) || 1)
  const count = names.length
  const cosines = new Float32Array(count * count).fill(1)
  let alike: RoleMap['alike'] = null
  let nearest = HARDLY_APART
  for (const [i, one] of vectors.entries()) {
    for (const [j, other] of vectors.entries()) {
      if (i === j || isShared) continue
      const cosine = dot(one, other) / ((norms[i] ?? 1) * (norms[j] ?? 1))
      cosines[i * count + j] = cosine
      if (cosine <= nearest) continue
      nearest = cosine
      alike = [names[i] ?? '', names[j] ?? '']
    }
  }
  return { names, cosines, points: principalPoints(vectors), alike, isShared }
}
