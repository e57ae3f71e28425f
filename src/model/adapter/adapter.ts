import { check } from '../../core/errors.ts'
import { recordOf } from '../../core/record.ts'
import type { Pack } from '../../formats/pack.ts'
import { checkParents } from '../../formats/packRoles.ts'
import { bindableBytes, createTensor, placeholder, sizeOf } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { AdapterBinding } from '../../kernels/operands/adapterBinding.ts'
import { adapterLayout } from './adapterLayout.ts'
import type { AdapterLayout, ProjectionDims } from './adapterLayout.ts'
import type { Casting } from '../decoder/backbone.ts'
import { PROJECTIONS } from '../decoder/decoder.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { createHypernetwork, uploadB } from './hypernetwork.ts'
import type { Hypernetwork } from './hypernetwork.ts'

/** Generated A matrices that stay on the GPU at most; the least recently played makes room. */
const MAX_SLOTS = 16
/** As many as may play in one pass: who answers, and who guidance leads away from. */
const FIRST_SLOTS = 2

/** The adapter's buffers as the kernels see them, with where each projection lies; null without a pack. */
export interface PlacedAdapter {
  readonly binding: AdapterBinding
  readonly layout: AdapterLayout | null
}

/** The attached pack on the GPU: A per casting, generated once and kept; B. */
export interface Adapter {
  /** What kernels are bound to; another after `useSlots`. */
  readonly placed: PlacedAdapter
  readonly bytes: number
  /** α / rank. */
  readonly scaling: number
  /** How many castings may have a slot at a time. */
  readonly slots: number
  /** How many have one without taking another's. */
  readonly room: number
  /** How many slots all that have one and these need. */
  slotsFor(castings: readonly Casting[]): number
  /**
   * Twice as many slots, or `least`, as far as there may be so many, with all that they hold now; null where there are enough.
   *
   * @throws HycoraError `out-of-memory`.
   */
  createSlots(least: number): RoleSlots | null
  /** Takes slots in the place of those before, which it gives back; whoever is bound to these must be bound anew. */
  useSlots(slots: RoleSlots): RoleSlots
  /** The slot that holds the A of a casting, generated now where it is not there yet; @throws as `checkParents`. */
  slotFor(casting: Casting): number
  destroy(): void
}

/** Matrices of castings: A [slots, floats], and B alike where roles have one of their own. */
export interface RoleSlots {
  readonly a: Tensor
  readonly b: Tensor | null
}

/** Frees slots that nobody uses. */
export function destroySlots({ a, b }: RoleSlots): void {
  a.buffer.destroy()
  b?.buffer.destroy()
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
    room: 0,
    slotsFor: () => 0,
    createSlots: () => null,
    useSlots: (slots) => slots,
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

/** The most slots of matrices that a device binds at once. */
function mostSlots(device: GPUDevice, { aSize, bSize }: AdapterLayout, isBShared: boolean): number {
  const largest = Math.max(aSize, isBShared ? 0 : bSize) * 4
  return Math.max(1, Math.min(MAX_SLOTS, Math.floor(bindableBytes(device) / largest)))
}

/** Slots, or as many more as before, which they are copied to. */
function createRoleSlots(
  device: GPUDevice,
  { aSize, bSize }: AdapterLayout,
  { count, isBShared, before }: { count: number; isBShared: boolean; before?: RoleSlots },
): RoleSlots {
  const a = createTensor(device, [count, aSize], 'adapter A')
  const b = isBShared ? null : createTensor(device, [count, bSize], 'adapter B')
  if (before) {
    const encoder = device.createCommandEncoder()
    const copy = (from: Tensor, to: Tensor): void =>
      encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, sizeOf(from.shape) * 4)
    copy(before.a, a)
    if (before.b && b) copy(before.b, b)
    device.queue.submit([encoder.finish()])
  }
  return { a, b }
}

/** Which slot holds which casting; of all that are taken, the one played least recently makes room. */
class SlotOrder {
  private readonly slotOf = new Map<string, number>()

  /** How many have a slot, and these. */
  sizeWith(castings: readonly Casting[]): number {
    return new Set([...this.slotOf.keys(), ...castings.map(keyOf)]).size
  }

  /** The slot of a casting that plays now, and whether it is there already. */
  take(casting: Casting, slots: number): { readonly slot: number; readonly isKnown: boolean } {
    const key = keyOf(casting)
    const known = this.slotOf.get(key)
    // A Map keeps insertion order: the first key is the one played least recently.
    this.slotOf.delete(key)
    const oldest =
      known === undefined && this.slotOf.size >= slots ? this.slotOf.entries().next().value : undefined
    if (oldest) this.slotOf.delete(oldest[0])
    const slot = known ?? oldest?.[1] ?? this.slotOf.size
    this.slotOf.set(key, slot)
    return { slot, isKnown: known !== undefined }
  }
}

/** What the matrices of a casting come from: A is generated in a place of its own, B lies there role by role. */
interface SlotSources {
  readonly hypernetwork: Hypernetwork
  readonly generated: Tensor
  readonly b: Tensor
}

/** Brings a casting's matrices to a slot. */
function fillSlot(
  device: GPUDevice,
  { hypernetwork, generated, b }: SlotSources,
  { parts }: Casting,
  { slots, slot }: { readonly slots: RoleSlots; readonly slot: number },
): void {
  const weights = parts.map(({ role, weight }) => ({ roleId: role, weight }))
  const [only] = weights
  if (weights.length === 1 && only?.weight === 1) hypernetwork.generate([{ roleId: only.roleId, slot: 0 }])
  else hypernetwork.blend(weights, 0)
  const encoder = device.createCommandEncoder()
  const copy = (from: Tensor, row: number, to: Tensor): void => {
    const bytes = 4 * (to.shape[1] ?? 0)
    encoder.copyBufferToBuffer(from.buffer, row * bytes, to.buffer, slot * bytes, bytes)
  }
  copy(generated, 0, slots.a)
  // A slot of B goes with a slot of A where B differs by role; else all read the one B.
  if (slots.b && only) copy(b, only.roleId, slots.b)
  device.queue.submit([encoder.finish()])
}

/** Slots as kernels see them; B is that of all roles where these have none of their own. */
function placedIn(layout: AdapterLayout, slots: RoleSlots, b: Tensor): PlacedAdapter {
  const binding = {
    paddedRank: layout.paddedRank,
    a: slots.a,
    aSlotStride: layout.aSize,
    b: slots.b ?? b,
    bSlotStride: slots.b ? layout.bSize : 0,
  }
  return { layout, binding }
}

/**
 * Brings a pack to the GPU, with room for the matrices of so many castings. They are generated in a place of their own and
 * copied to a slot, so that slots may be exchanged for more of them.
 *
 * @throws HycoraError `model-incompatible` when its shapes are not the backbone's.
 */
export async function createAdapter(
  gpu: TunedDevice,
  decoder: Decoder,
  pack: Pack,
  firstSlots = FIRST_SLOTS,
): Promise<Adapter> {
  const { device } = gpu
  expectFits(pack, decoder)
  const layout = adapterLayout(pack.config.rank, decoder.layers, dimsOf(decoder))
  const b = await uploadB(gpu, pack, layout)
  const isBShared = pack.config.sources.B === 'shared'
  const most = mostSlots(device, layout, isBShared)
  const generated = createTensor(device, [1, layout.aSize], 'generated A')
  const hypernetwork = await createHypernetwork(gpu, pack, layout, generated)
  let slots = createRoleSlots(device, layout, { count: Math.min(most, firstSlots), isBShared })
  const order = new SlotOrder()
  const room = (): number => slots.a.shape[0] ?? 0

  return {
    get placed() {
      return placedIn(layout, slots, b)
    },
    get bytes() {
      const tensors = [generated, b, slots.a, ...(slots.b ? [slots.b] : [])]
      return tensors.reduce((sum, { buffer }) => sum + buffer.size, hypernetwork.sizeBytes)
    },
    scaling: pack.config.alpha / pack.config.rank,
    slots: most,
    get room() {
      return room()
    },
    slotsFor: (castings) => order.sizeWith(castings),
    createSlots(least) {
      const count = Math.min(most, Math.max(least, 2 * room()))
      if (least <= room() || count === room()) return null
      return createRoleSlots(device, layout, { count, isBShared, before: slots })
    },
    useSlots(next) {
      const before = slots
      slots = next
      return before
    },
    slotFor(casting) {
      checkParents(pack.config.sources.B, casting.parts.length)
      const { slot, isKnown } = order.take(casting, room())
      if (!isKnown) fillSlot(device, { hypernetwork, generated, b }, casting, { slots, slot })
      return slot
    },
    destroy() {
      hypernetwork.destroy()
      destroySlots(slots)
      for (const { buffer } of [generated, b]) buffer.destroy()
    },
  }
}
