import { joinFloats } from '../core/bytes.ts'
import type { Pack } from '../formats/pack.ts'
import type { ProjectionDims } from '../model/adapter/adapterLayout.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import { isAdapted } from '../model/adapter/cpuAdapter.ts'
import type { AdapterMatrices } from '../model/adapter/cpuAdapter.ts'
import { PROJECTIONS } from '../model/decoder/decoder.ts'
import type { AdapterFeeds } from './decoderGraph.ts'
import { adapterInput } from './linearLayers.ts'
import type { OrtRuntime, OrtTensor } from './ortRuntime.ts'

/** A pack that plays, with its matrices. */
export interface Attached {
  readonly pack: Pack
  readonly matrices: AdapterMatrices
}

/**
 * A [layers, in, rank] and B [layers, rank, out] of a casting as tensors; of rank 0 where nobody plays or the pack leaves
 * a projection as it is.
 */
export function adapterFeeds(
  ort: OrtRuntime,
  { layers, dims }: { readonly layers: number; readonly dims: Partial<ProjectionDims> },
  attached: Attached | null,
  casting: Casting | null,
): AdapterFeeds {
  const feeds: Record<string, OrtTensor> = {}
  for (const projection of PROJECTIONS) {
    const widths = dims[projection]
    if (!widths) continue
    const isPlayed = attached && casting && isAdapted(attached.pack, projection)
    const rank = isPlayed ? attached.pack.config.rank : 0
    const stack = (
      of: (matrices: AdapterMatrices, casting: Casting, layer: number) => Float32Array,
    ): Float32Array =>
      isPlayed
        ? joinFloats(Array.from({ length: layers }, (_, layer) => of(attached.matrices, casting, layer)))
        : new Float32Array(0)
    const a = stack((matrices, played, layer) => matrices.mixA(played, layer, projection))
    const b = stack((matrices, played, layer) => matrices.b(played, layer, projection))
    feeds[adapterInput('A', projection)] = new ort.Tensor('float32', a, [layers, widths[0], rank])
    feeds[adapterInput('B', projection)] = new ort.Tensor('float32', b, [layers, rank, widths[1]])
  }
  return feeds
}
