import { OrtBackbone } from '../fallback/ortBackbone.ts'
import type { OrtRuntime } from '../fallback/ortRuntime.ts'
import type { ChatModel, UnknownModel } from '../model/chatModel.ts'
import type { Decoder } from '../model/decoder.ts'
import { GpuBackbone } from '../model/gpuBackbone.ts'
import type { ReportBytes } from '../model/loadMatrix.ts'

/** A graphics device, and whether a processor only pretends to be one. */
export interface FoundDevice {
  readonly device: GPUDevice
  readonly isSoftware: boolean
}

/** A recognised decoder on a graphics device. @throws HycoraError as `GpuBackbone.create`. */
export function openOnDevice(
  { device, isSoftware }: FoundDevice,
  decoder: Decoder,
  onBytes?: ReportBytes,
): Promise<GpuBackbone> {
  // Computing ahead of the token that is read back only costs where the same processor does both.
  const stepsAhead = isSoftware ? 1 : 2
  return GpuBackbone.create(device, decoder, { stepsAhead, ...(onBytes && { onBytes }) })
}

/**
 * A model on the processor: its decoder written anew for onnxruntime, or, where its graph is not recognised, as it was
 * exported.
 *
 * @throws HycoraError as `OrtBackbone.create` and `OrtBackbone.ofExported`.
 */
export function openOnProcessor(
  ort: OrtRuntime,
  model: Pick<ChatModel, 'decoder'> | Pick<UnknownModel, 'exported'>,
  onLayer?: (done: number, all: number) => void,
): Promise<OrtBackbone> {
  return 'decoder' in model
    ? OrtBackbone.create(ort, model.decoder, onLayer && { onLayer })
    : OrtBackbone.ofExported(ort, model.exported)
}
