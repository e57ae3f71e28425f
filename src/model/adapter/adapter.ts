import { check } from '../../core/errors.ts'
import { recordOf } from '../../core/record.ts'
import type { Pack } from '../../formats/pack.ts'
import { checkParents } from '../../formats/packRoles.ts'
import { createTensor, placeholder } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { AdapterBinding } from '../../kernels/operands/adapterBinding.ts'
import { adapterLayout } from './adapterLayout.ts'
import type { AdapterLayout, ProjectionDims } from './adapterLayout.ts'
import type { Casting } from '../decoder/backbone.ts'
import { PROJECTIONS } from '../decoder/decoder.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { createHypernetwork, uploadB } from './hypernetwork.ts'

/** Generated A matrices that stay on the GPU; the least recently played makes room. */
const MAX_SLOTS = 16

/** The adapter's buffers as the kernels see them, with where each projection lies; null without a pack. */
export interface PlacedAdapter {
  readonly binding: AdapterBinding
  readonly layout: AdapterLayout | null
}

/** The attached pack on the GPU: A per casting, generated once and kept; B. */
export interface Adapter {
  readonly placed: PlacedAdapter
  readonly bytes: number
  /** α / rank. */
  readonly scaling: number
  /** How many castings have a slot at a time. */
  readonly slots: number
  /** The slot that holds the A of a casting, generated now where it is not there yet; @throws as `checkParents`. */
  slotFor(casting: Casting): number
  destroy(): void
}

/** What stands where no pack is attached: no rank, nothing to multiply. */
export function emptyAdapter(device: GPUDevice): Adapter {
  const nothing = placeholder(device)
  return {
    placed: {
      binding: { paddedRank: 0, a: nothing, aSlotStride: 0, b: nothing, bSlotStride: 0 },
      layout: null,
    },
    bytes: 0,
    scaling: 0,
    slots: 0,
    slotFor: () => 0,
    destroy: () => nothing.buffer.destroy(),
  }
}

/** Slot and scale of whoever plays; nobody multiplies nothing. @throws HycoraError as `Adapter.slotFor`. */
export function playing(
  adapter: Adapter,
  casting: Casting | null,
): { readonly slot: number; readonly scale: number } {
  if (!casting) return { slot: 0, scale: 0 }
  return { slot: adapter.slotFor(casting), scale: adapter.scaling * casting.strength }
}

/** Input and output width of each linear layer of a backbone; all blocks are alike. */
export function dimsOf(decoder: Decoder): ProjectionDims {
  const linears = decoder.blocks[0]?.linears
  return recordOf(PROJECTIONS, (name) => [linears?.[name].weight.in ?? 0, linears?.[name].weight.out ?? 0])
}

/**
 * Checks that a pack's shapes are the backbone's.
 *
 * @throws HycoraError `model-incompatible` naming the first difference.
 */
export function expectFits(pack: Pack, decoder: Decoder): void {
  expectDims(pack, decoder.layers, dimsOf(decoder))
}

/**
 * Checks a pack's shapes against those of the linear layers that a backbone is known to have.
 *
 * @throws HycoraError `model-incompatible` naming the first difference.
 */
export function expectDims(pack: Pack, ownLayers: number, own: Partial<ProjectionDims>): void {
  const { layers, projections, dims } = pack.config
  const name = pack.backbone.name || 'another backbone'
  check(
    layers === ownLayers,
    'model-incompatible',
    () => `the pack is made for ${name} with ${layers} layers, this backbone has ${ownLayers}`,
  )
  for (const projection of projections) {
    const [packIn, packOut] = dims.get(projection) ?? [0, 0]
    const [ownIn, ownOut] = own[projection] ?? [0, 0]
    check(
      packIn === ownIn && packOut === ownOut,
      'model-incompatible',
      () =>
        `the pack is made for ${name}: its ${projection} projection is ${packIn} → ${packOut}, this backbone's ${ownIn} → ${ownOut}`,
    )
  }
}

function keyOf({ parts }: Casting): string {
  return parts.map(({ role, weight }) => `${role}:${weight}`).join(' ')
}

/**
 * Brings a pack to the GPU.
 *
 * @throws HycoraError `model-incompatible` when its shapes are not the backbone's.
 */
export async function createAdapter(gpu: TunedDevice, decoder: Decoder, pack: Pack): Promise<Adapter> {
  const { device } = gpu
  expectFits(pack, decoder)
  const layout = adapterLayout(pack.config.rank, decoder.layers, dimsOf(decoder))
  const b = await uploadB(gpu, pack, layout)
  const isBShared = pack.config.sources.B === 'shared'
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  const largest = Math.max(layout.aSize, isBShared ? 0 : layout.bSize) * 4
  const slots = Math.max(1, Math.min(MAX_SLOTS, Math.floor(limit / largest)))
  const a = createTensor(device, [slots, layout.aSize], 'adapter A')
  const hypernetwork = await createHypernetwork(gpu, pack, layout, a)
  // A slot of B goes with a slot of A where B differs by role; else all read the one B.
  const slottedB: Tensor = isBShared ? b : createTensor(device, [slots, layout.bSize], 'adapter B')
  const slotOf = new Map<string, number>()

  const fill = (casting: Casting, slot: number): void => {
    const weights = casting.parts.map(({ role, weight }) => ({ roleId: role, weight }))
    const [only] = weights
    if (weights.length === 1 && only?.weight === 1) hypernetwork.generate([{ roleId: only.roleId, slot }])
    else hypernetwork.blend(weights, slot)
    if (!isBShared && only) {
      const encoder = device.createCommandEncoder()
      const size = layout.bSize * 4
      encoder.copyBufferToBuffer(b.buffer, only.roleId * size, slottedB.buffer, slot * size, size)
      device.queue.submit([encoder.finish()])
    }
  }

  return {
    placed: {
      layout,
      binding: {
        paddedRank: layout.paddedRank,
        a,
        aSlotStride: layout.aSize,
        b: slottedB,
        bSlotStride: isBShared ? 0 : layout.bSize,
      },
    },
    bytes: a.buffer.size + slottedB.buffer.size + (isBShared ? 0 : b.buffer.size) + hypernetwork.sizeBytes,
    scaling: pack.config.alpha / pack.config.rank,
    slots,
    slotFor(casting) {
      checkParents(pack.config.sources.B, casting.parts.length)
      const key = keyOf(casting)
      const known = slotOf.get(key)
      // A Map keeps insertion order: the first key is the one played least recently.
      slotOf.delete(key)
      const oldest = slotOf.size >= slots ? slotOf.keys().next().value : undefined
      const slot = known ?? (oldest === undefined ? slotOf.size : (slotOf.get(oldest) ?? 0))
      if (known === undefined) {
        if (oldest !== undefined) slotOf.delete(oldest)
        fill(casting, slot)
      }
      slotOf.set(key, slot)
      return slot
    },
    destroy() {
      hypernetwork.destroy()
      for (const { buffer } of new Set([a, b, slottedB])) buffer.destroy()
    },
  }
}
