import type { PackConfig } from '../../formats/packConfig.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { linear } from '../../kernels/linear.ts'
import { linearBackwardInput } from '../../kernels/linearBackwardInput.ts'
import { linearBackwardWeight } from '../../kernels/linearBackwardWeight.ts'
import type { AdapterLayout } from '../../model/adapter/adapterLayout.ts'
import { sidePlace } from '../../model/adapter/generator.ts'
import type { Side } from '../../model/adapter/adapterLayout.ts'
import type { EncoderTraining, RunRoles } from './encoderTraining.ts'
import type { Parameters } from '../parameters/parameters.ts'

/** The generators of one side with their backward pass. */
export interface GeneratorTraining {
  /** In order; each over roles · layers rows. */
  readonly forward: readonly Dispatch[]
  readonly backward: readonly Dispatch[]
  readonly tensors: readonly Tensor[]
}

/** What the generators of a side read and write. */
export interface GeneratorTensors {
  readonly encoder: EncoderTraining
  readonly roles: RunRoles
  /** [capacity, floats of a slot] and its gradient. */
  readonly slots: Tensor
  readonly dSlots: Tensor
}

/**
 * The low-rank generators D and U of one side, `z = D·h + b_D`, `A = reshape(U·z + b_U) / √hidden`, role i into slot i; and
 * back from the gradient of the slots to those of D, U and h.
 *
 * @param accumulate whether dh already holds the other side's gradient.
 * @throws HycoraError `out-of-memory`, `shader-invalid`, `shape-mismatch`.
 */
export async function createGeneratorTraining(
  gpu: TunedDevice,
  {
    config,
    layout,
    side,
  }: { readonly config: PackConfig; readonly layout: AdapterLayout; readonly side: Side },
  parameters: Parameters,
  { encoder, roles, slots, dSlots }: GeneratorTensors,
  { accumulate }: { readonly accumulate: boolean },
): Promise<GeneratorTraining> {
  const { layers, projections, hypernetwork } = config
  const width = hypernetwork?.generatorRank ?? 0
  const scale = 1 / Math.sqrt(hypernetwork?.hidden ?? 1)
  const { layerIds, h, dh } = encoder
  const { capacity, count } = roles
  const [z, dz] = ['z', 'z gradient'].map((label) =>
    createTensor(gpu.device, [capacity * layerIds, width], `${side} ${label}`),
  ) as [Tensor, Tensor]
  const forward: Promise<Dispatch>[] = []
  const backward: Promise<Dispatch>[] = []

  projections.forEach((projection, index) => {
    const name = side === 'A' ? `${projection}_down_linear` : `${projection}_up_linear`
    const { base, slotSize } = sidePlace(layout, side, projection)
    const rows = { count: capacity, rows: layers, xFirstRow: index * layers, xBlockRows: layerIds }
    const toZ = { ...rows, yOffset: index * layers * width, yBlockStride: layerIds * width }
    const toSlots = { ...rows, yOffset: base, yBlockStride: slotSize }
    const [down, downBias] = [`${name}.down.weight`, `${name}.down.bias`]
    const [up, upBias] = [`${name}.up.weight`, `${name}.up.bias`]
    const [downWeight, upWeight] = [parameters.value(down), parameters.value(up)]
    forward.push(
      linear(gpu, { x: h, weight: downWeight, bias: parameters.value(downBias), y: z }, { blocks: toZ }),
      linear(
        gpu,
        { x: z, weight: upWeight, bias: parameters.value(upBias), y: slots },
        { scale, blocks: toSlots },
      ),
    )
    backward.push(
      linearBackwardInput(gpu, { dy: dSlots, count, weight: upWeight, dx: dz }, { scale, blocks: toSlots }),
      linearBackwardInput(gpu, { dy: dz, count, weight: downWeight, dx: dh }, { accumulate, blocks: toZ }),
    )
    for (const [layer, tensors, options] of [
      [`${name}.up`, { dy: dSlots, count, x: z }, { scale, blocks: toSlots }],
      [`${name}.down`, { dy: dz, count, x: h }, { blocks: toZ }],
    ] as const) {
      const [dweight, dbias] = [parameters.gradient(`${layer}.weight`), parameters.gradient(`${layer}.bias`)]
      if (dweight && dbias) backward.push(linearBackwardWeight(gpu, { ...tensors, dweight, dbias }, options))
    }
  })
  return {
    forward: await Promise.all(forward),
    backward: await Promise.all(backward),
    tensors: [z, dz],
  }
}
