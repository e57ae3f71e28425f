import { tryRoom } from '../../gpu/trialRoom.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import { KEPT_BYTES, keptActivations } from '../gradients/trainingBuffers.ts'
import { trainingBytes, trainingSizes } from './memory.ts'
import type { TrainingNeeds } from './memory.ts'

/** Left to whatever else a page allocates while it trains. */
const SPARE_BYTES = 2 ** 28

/** Devices whose largest buffer is smaller are those of phones, which end a page that takes much. */
const LARGE_BUFFER = 2 ** 30

/**
 * Bytes that a run may keep of activations: those of all layers where the card gives so much beside everything else that the
 * run needs, of as many as there is room for where it gives less. A processor, whose memory others use, and a phone keep
 * 256 MiB at most.
 */
export async function roomToKeep(
  { device, isSoftware }: TunedDevice,
  decoder: Decoder,
  needs: TrainingNeeds,
  blockSize: number,
): Promise<number> {
  const sizes = trainingSizes(decoder, needs, blockSize)
  const { layers, floats } = keptActivations({ ...sizes, keptBytes: Infinity })
  const all = 4 * layers * floats
  if (isSoftware) return Math.min(all, KEPT_BYTES)
  const wanted = device.limits.maxBufferSize < LARGE_BUFFER ? Math.min(all, KEPT_BYTES) : all
  const beside = trainingBytes(decoder, needs, blockSize, 0) + SPARE_BYTES
  const given = await tryRoom(device, beside + wanted)
  return Math.min(wanted, Math.max(0, given - beside))
}
