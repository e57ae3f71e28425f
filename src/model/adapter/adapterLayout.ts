import { recordOf } from '../../core/record.ts'
import type { Pack } from '../../formats/pack.ts'
import { PROJECTIONS } from '../decoder/decoder.ts'
import type { Projection } from '../decoder/decoder.ts'

/** What the hyper-network reads of a persona pack. */
export type PackTensors = Pick<Pack, 'config' | 'rows' | 'tensor'>

/** Which matrices: A [in, rank] or B [rank, out]. */
export type Side = 'A' | 'B'

/** Input and output width of each adapted linear layer. */
export type ProjectionDims = Readonly<Record<Projection, readonly [inFeatures: number, outFeatures: number]>>

/**
 * Where every A and B lies in the adapter's two buffers, in floats.
 *
 * A slot of the A buffer holds one role: for each projection, layer by layer, A [in, paddedRank]; so all layers of one
 * projection are contiguous and come out of one matrix product. A slot of the B buffer holds B [paddedRank, out] in the
 * same order. The rank is padded with zeros to a multiple of 4, so that kernels read four columns at once.
 */
export interface AdapterLayout {
  readonly rank: number
  readonly paddedRank: number
  readonly layers: number
  readonly dims: ProjectionDims
  readonly aBase: Readonly<Record<Projection, number>>
  readonly bBase: Readonly<Record<Projection, number>>
  /** Floats of one slot. */
  readonly aSize: number
  readonly bSize: number
}

/** The layout of a pack's adapter by itself; a projection that it does not adapt has no width. */
export function packLayout({ rank, layers, dims }: Pack['config']): AdapterLayout {
  return adapterLayout(
    rank,
    layers,
    recordOf(PROJECTIONS, (name) => dims.get(name) ?? [0, 0]),
  )
}

/** The layout of an adapter of a given rank on a backbone. */
export function adapterLayout(rank: number, layers: number, dims: ProjectionDims): AdapterLayout {
  const paddedRank = Math.ceil(rank / 4) * 4
  const aBase = { q: 0, k: 0, v: 0, o: 0, up: 0, down: 0, gate: 0 }
  const bBase = { ...aBase }
  let aSize = 0
  let bSize = 0
  for (const projection of PROJECTIONS) {
    const [inFeatures, outFeatures] = dims[projection]
    aBase[projection] = aSize
    bBase[projection] = bSize
    aSize += layers * inFeatures * paddedRank
    bSize += layers * outFeatures * paddedRank
  }
  return { rank, paddedRank, layers, dims, aBase, bBase, aSize, bSize }
}

/** Offset of A [in, paddedRank] of one linear layer within a slot. */
export function aOffset(layout: AdapterLayout, projection: Projection, layer: number): number {
  return layout.aBase[projection] + layer * layout.dims[projection][0] * layout.paddedRank
}

/** Offset of B [paddedRank, out] of one linear layer within a slot. */
export function bOffset(layout: AdapterLayout, projection: Projection, layer: number): number {
  return layout.bBase[projection] + layer * layout.dims[projection][1] * layout.paddedRank
}
