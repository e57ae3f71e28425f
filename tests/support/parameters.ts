import type { PackConfig } from '../../src/formats/packConfig.ts'
import { adapterLayout } from '../../src/model/adapter/adapterLayout.ts'
import type { AdapterLayout, ProjectionDims } from '../../src/model/adapter/adapterLayout.ts'
import { PROJECTIONS } from '../../src/model/decoder/decoder.ts'
import type { Parameters as TrainedParameters } from '../../src/train/parameters/parameters.ts'
import { unflatten } from '../../src/train/parameters/parameters.ts'
import { readTensor } from '../../src/gpu/tensor.ts'

/** The slots of a pack on a backbone that has all projections, those that the pack leaves out [8, 8]. */
export function layoutOf(config: PackConfig): AdapterLayout {
  const dims = Object.fromEntries(PROJECTIONS.map((name) => [name, config.dims.get(name) ?? [8, 8]]))
  return adapterLayout(config.rank, config.layers, dims as unknown as ProjectionDims)
}

/** The gradients by the pack's names, for parameters of which all are trained. */
export async function readGradients(
  device: GPUDevice,
  { layout, gradients }: TrainedParameters,
): Promise<Map<string, Float32Array>> {
  return unflatten(layout, await readTensor(device, gradients))
}
