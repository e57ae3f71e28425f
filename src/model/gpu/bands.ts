import { columnsFrom } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { embedding } from '../../kernels/embedding.ts'
import type { ProjectedParts } from '../../kernels/operands/adapterBinding.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import { project } from '../../kernels/project.ts'
import type { ProjectOptions } from '../../kernels/project.ts'

/** A matrix in bands of rows, each small enough for a binding of its own; one where the whole is. */
export type BandedMatrix = readonly PackedMatrix[]

/** Rows of all bands but the last are a multiple of this, so that what they give may be bound by itself. */
export const BAND_ROWS = 64

/** Each band with the number of its first row in the whole. */
export function placedBands(bands: BandedMatrix): readonly { band: PackedMatrix; first: number }[] {
  let first = 0
  return bands.map((band) => {
    const placed = { band, first }
    first += band.out
    return placed
  })
}

/** The embedding of tokens, a dispatch for each band. @throws HycoraError as `embedding`. */
export function embedBands(
  device: GPUDevice,
  table: BandedMatrix,
  tensors: { readonly tokens: Tensor; readonly y: Tensor },
  factor: number,
): readonly Promise<Dispatch>[] {
  return placedBands(table).map(({ band, first }) => embedding(device, band, tensors, { factor, first }))
}

/** The projection without an adapter, each band into its columns of `y`. @throws HycoraError as `project`. */
export function projectBands(
  gpu: TunedDevice,
  matrix: BandedMatrix,
  noParts: ProjectedParts,
  { step, x, y }: { readonly step: Tensor; readonly x: Tensor; readonly y: Tensor },
  options: ProjectOptions,
): Promise<readonly Dispatch[]> {
  return Promise.all(
    placedBands(matrix).map(({ band, first }) =>
      project(gpu, band, noParts, { step, x, y: columnsFrom(y, first) }, options),
    ),
  )
}
