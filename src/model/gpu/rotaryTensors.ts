import { uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { rotaryAngles } from '../decoder/rotary.ts'

/** The angles of each of a decoder's rotaries on the device, [positions, rotation.dim / 2, 2]. */
export async function uploadAngles(
  device: GPUDevice,
  { rotaries, rotation: { dim } }: Pick<Decoder, 'rotaries' | 'rotation'>,
  positions: number,
): Promise<readonly Tensor[]> {
  const tables = await Promise.all(rotaries.map((rotary) => rotaryAngles(rotary, positions, dim)))
  return tables.map((table) => uploadTensor(device, [positions, dim / 2, 2], table, 'rotary angles'))
}
