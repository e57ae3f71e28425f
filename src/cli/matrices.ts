import { createTensor, readTensor } from '../gpu/tensor.ts'
import { aOffset, packLayout } from '../model/adapter/adapterLayout.ts'
import { createHypernetwork } from '../model/adapter/hypernetwork.ts'
import { castRole } from '../model/adapter/roles.ts'
import { parseArguments, required } from './arguments.ts'
import { openPack } from './engine.ts'
import { openNodeDevice } from './gpu.ts'
import { writeTensorFile } from './tensorFile.ts'
import type { NamedValues } from './tensorFile.ts'

/** `matrices`: every A of a role, as a file. */
export async function matrices(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, { values: ['pack', 'role', 'out'], flags: [] })
  const out = required(options, 'out')
  const pack = await openPack(required(options, 'pack'))
  const { parts } = castRole(pack, required(options, 'role'), 1)
  const { rank, layers, projections } = pack.config
  const layout = packLayout(pack.config)
  const gpu = await openNodeDevice()
  const { device } = gpu
  const a = createTensor(device, [1, layout.aSize], 'adapter A')
  const hypernetwork = await createHypernetwork(gpu, pack, layout, a)
  hypernetwork.blend(
    parts.map(({ role, weight }) => ({ roleId: role, weight })),
    0,
  )
  const values = await readTensor(device, a)
  const tensors: NamedValues[] = []
  for (const projection of projections) {
    const [inFeatures] = layout.dims[projection]
    for (let layer = 0; layer < layers; layer++) {
      const start = aOffset(layout, projection, layer)
      // The rank is padded in the GPU's layout; the file has the pack's own.
      const matrix = Float32Array.from({ length: inFeatures * rank }, (_, index) => {
        const [i, j] = [Math.floor(index / rank), index % rank]
        return values[start + i * layout.paddedRank + j] ?? 0
      })
      tensors.push({ name: `layers.${layer}.${projection}.A`, shape: [inFeatures, rank], values: matrix })
    }
  }
  await writeTensorFile(out, tensors)
}
