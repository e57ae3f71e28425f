import type { HypernetworkConfig } from '../../formats/packConfig.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { encode } from '../../gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { linear } from '../../kernels/linear.ts'
import { mixRows } from '../../kernels/mixRows.ts'
import type { AdapterLayout, PackTensors, Side } from './adapterLayout.ts'
import type { Projection } from '../decoder/decoder.ts'
import type { Encoder } from './encoder.ts'
import type { RoleMixes } from './roleMixes.ts'

/** The generators of all projections, bound to the encoder's output and to the slots that they fill. */
export interface Generator {
  /** Encodes the matrices of `mixes` blocks out of the encoder's first `roles` roles. */
  encode(pass: GPUComputePassEncoder, roles: number, mixes: number): void
  readonly tensors: readonly Tensor[]
}

/** What the generators read, and the buffer [slots, floats of a slot] that their matrices go to. */
interface GeneratorTensors {
  readonly encoder: Encoder
  readonly mixes: RoleMixes
  readonly slots: Tensor
}

/** Where one side's matrices lie in a slot: their first float, how many floats one has, and what a slot has in all. */
export function sidePlace(
  layout: AdapterLayout,
  side: Side,
  projection: Projection,
): { readonly base: number; readonly features: number; readonly slotSize: number } {
  const [inFeatures, outFeatures] = layout.dims[projection]
  return side === 'A'
    ? { base: layout.aBase[projection], features: inFeatures, slotSize: layout.aSize }
    : { base: layout.bBase[projection], features: outFeatures, slotSize: layout.bSize }
}

/**
 * The low-rank generators D and U of one side, for mixes of roles:
 *
 *     z = D·h + b_D      A = reshape(U·Σ_i w_i z_i + (Σ_i w_i)·b_U) / √hidden
 *
 * z carries a constant 1 as its last number and U its bias as the last column, so that mixing z mixes A exactly whatever
 * the weights sum to, and a single role is the mix of weight 1. All layers of one projection, for all mixes, are one
 * matrix product that writes straight into the slots.
 *
 * @throws HycoraError `out-of-memory`, `shader-invalid`, `shape-mismatch`.
 */
export async function createGenerator(
  gpu: TunedDevice,
  pack: PackTensors,
  layout: AdapterLayout,
  side: Side,
  { encoder, mixes, slots }: GeneratorTensors,
): Promise<Generator> {
  const { device } = gpu
  const { layers, projections } = pack.config
  const { capacity, layerIds, size } = encoder
  const width = size.generatorRank + 1
  const z = createTensor(device, [capacity, layerIds * width], 'z')
  const mixed = createTensor(device, [capacity, layerIds * width], 'mixed z')
  const zRows = { ...mixed, shape: [capacity * layerIds, width] }
  const tensors: Tensor[] = [z, mixed]
  const upload = (shape: readonly number[], values: Float32Array<ArrayBuffer>, label: string): Tensor => {
    const tensor = uploadTensor(device, shape, values, label)
    tensors.push(tensor)
    return tensor
  }

  const bind = async (projection: Projection, index: number): Promise<readonly [Dispatch, Dispatch]> => {
    const { base, slotSize } = sidePlace(layout, side, projection)
    const { name, down, up, rows } = weightsOf(pack, layout, side, projection, size)
    const blocks = { count: capacity, rows: layers, xFirstRow: index * layers, xBlockRows: layerIds }
    return Promise.all([
      linear(
        gpu,
        {
          x: encoder.h,
          weight: upload([width, size.hidden], down.weight, `${name}.down.weight`),
          bias: upload([width], down.bias, `${name}.down.bias`),
          y: z,
        },
        { blocks: { ...blocks, yOffset: index * layers * width, yBlockStride: layerIds * width } },
      ),
      linear(
        gpu,
        {
          x: zRows,
          weight: upload([rows, width], up, `${name}.up`),
          slots: mixes.slots,
          y: slots,
        },
        { scale: 1 / Math.sqrt(size.hidden), blocks: { ...blocks, yOffset: base, yBlockStride: slotSize } },
      ),
    ])
  }
  const bound = await Promise.all(projections.map(bind))
  const { sources, weights, order } = mixes
  const mixing = { x: z, sources, weights, slots: order, y: mixed }
  const mix = await mixRows(device, mixing, { accumulate: false })
  return {
    tensors,
    encode(pass, roles, count) {
      for (const [down] of bound) encode(pass, down, roles * layers)
      encode(pass, mix, count)
      for (const [, up] of bound) encode(pass, up, count * layers)
    },
  }
}

/** D and U of a projection as the GPU has them: U with the rank padded, `rows` rows of one number more than its rank. */
function weightsOf(
  pack: PackTensors,
  layout: AdapterLayout,
  side: Side,
  projection: Projection,
  { hidden, generatorRank }: HypernetworkConfig,
) {
  const name = side === 'A' ? `${projection}_down_linear` : `${projection}_up_linear`
  const { features } = sidePlace(layout, side, projection)
  const rows = features * layout.paddedRank
  const up = withBias(pack, `${name}.up`, generatorRank)
  const padded = side === 'A' ? padRows(up, features, pack.config.rank, layout.paddedRank) : up
  return {
    name,
    rows,
    down: withConstant(pack, `${name}.down`, hidden),
    up: resize(padded, rows * (generatorRank + 1)),
  }
}

/** D with a last row that gives the constant 1: weight [rank + 1, hidden], bias [rank + 1]. */
function withConstant(
  pack: PackTensors,
  name: string,
  hidden: number,
): { readonly weight: Float32Array<ArrayBuffer>; readonly bias: Float32Array<ArrayBuffer> } {
  const weight = pack.tensor(`${name}.weight`)
  const bias = pack.tensor(`${name}.bias`)
  const widerBias = resize(bias, bias.length + 1)
  widerBias[bias.length] = 1
  return { weight: resize(weight, weight.length + hidden), bias: widerBias }
}

/** U with its bias as the last column: [rows, rank + 1]. */
function withBias(pack: PackTensors, name: string, generatorRank: number): Float32Array<ArrayBuffer> {
  const weight = pack.tensor(`${name}.weight`)
  const bias = pack.tensor(`${name}.bias`)
  const wider = new Float32Array(bias.length * (generatorRank + 1))
  bias.forEach((value, row) => {
    const first = row * generatorRank
    wider.set(weight.subarray(first, first + generatorRank), row * (generatorRank + 1))
    wider[row * (generatorRank + 1) + generatorRank] = value
  })
  return wider
}

/** Spreads every group of `rank` rows over `paddedRank` rows; the rows in between are zero. */
function padRows(
  values: Float32Array<ArrayBuffer>,
  groups: number,
  rank: number,
  paddedRank: number,
): Float32Array<ArrayBuffer> {
  if (rank === paddedRank) return values
  const groupSize = values.length / groups
  const padded = new Float32Array((groups * groupSize * paddedRank) / rank)
  for (let group = 0; group < groups; group++) {
    padded.set(
      values.subarray(group * groupSize, (group + 1) * groupSize),
      (group * groupSize * paddedRank) / rank,
    )
  }
  return padded
}

/** The values followed by zeros up to a length. */
function resize(values: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const wider = new Float32Array(length)
  wider.set(values)
  return wider
}
