import { check } from '../../core/errors.ts'
import type { SourceOfA, SourceOfB } from '../../formats/packConfig.ts'
import { MAX_PARENTS } from '../../formats/packRoles.ts'
import { encode } from '../../gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { mixRows } from '../../kernels/mixRows.ts'
import type { AdapterLayout } from './adapterLayout.ts'
import { checkLayout, tableOfA, tableOfB } from './adapterTables.ts'
import { PROJECTIONS } from '../decoder/decoder.ts'
import { createEncoder } from './encoder.ts'
import type { PackTensors, Side } from './adapterLayout.ts'
import { createGenerator, sidePlace } from './generator.ts'
import { createRoleMixes, tensorsOfMixes, writeRoleMixes } from './roleMixes.ts'
import type { RoleMix } from './roleMixes.ts'

/** Fills slots of the adapter's A buffer, whatever the pack's source of A is. Everything stays on the GPU. */
export interface Hypernetwork {
  /**
   * Writes A of each role into its slot and submits.
   *
   * @throws HycoraError `shape-mismatch` for a role or slot that does not exist.
   */
  generate(roles: readonly { readonly roleId: number; readonly slot: number }[]): void
  /**
   * Writes Σ_i w_i·A_i into a slot and submits; exact for any weights, since A is what is mixed.
   *
   * @throws HycoraError `shape-mismatch` for a role or slot that does not exist, or more than `MAX_PARENTS` different roles.
   */
  blend(weights: readonly { readonly roleId: number; readonly weight: number }[], slot: number): void
  /** Bytes on the GPU, without the slots. */
  readonly sizeBytes: number
  destroy(): void
}

/** Fills slots with mixes of roles, as many at once as a blend may have parents; `source` is a role id. */
interface SlotFiller {
  readonly capacity: number
  fill(mixes: readonly RoleMix[]): void
  readonly tensors: readonly Tensor[]
}

/**
 * The pack's matrices A for a buffer of slots.
 *
 * @param aBuffer [slots, aSize]; projections that the pack does not adapt are zero in every slot that is filled.
 * @throws HycoraError `model-incompatible` when the pack does not fit the layout, `shape-mismatch` when the buffer does
 * not, `out-of-memory`, `shader-invalid`.
 */
export async function createHypernetwork(
  gpu: TunedDevice,
  pack: PackTensors,
  layout: AdapterLayout,
  aBuffer: Tensor,
): Promise<Hypernetwork> {
  checkLayout(pack, layout)
  const [slots = 0, slotSize] = aBuffer.shape
  check(
    aBuffer.shape.length === 2 && slotSize === layout.aSize,
    'shape-mismatch',
    () => `the A buffer has shape [${aBuffer.shape.join(', ')}], expected [slots, ${layout.aSize}]`,
  )
  const filler = await createFillerOfA(gpu, pack, layout, aBuffer)

  const fill = (mixes: readonly RoleMix[]): void => {
    for (const { slot, terms } of mixes) {
      check(slot < slots, 'shape-mismatch', () => `slot ${slot} does not exist, the buffer has ${slots}`)
      const missing = terms.find(({ source }) => source >= pack.rows)
      check(missing === undefined, 'shape-mismatch', () => {
        return `role ${missing?.source} does not exist, the pack has ${pack.rows}`
      })
    }
    for (let first = 0; first < mixes.length; first += filler.capacity) {
      filler.fill(mixes.slice(first, first + filler.capacity))
    }
  }
  return {
    sizeBytes: filler.tensors.reduce((sum, { buffer }) => sum + buffer.size, 0),
    generate(roles) {
      fill(roles.map(({ roleId, slot }) => ({ slot, terms: [{ source: roleId, weight: 1 }] })))
    },
    blend(weights, slot) {
      const merged = new Map<number, number>()
      for (const { roleId, weight } of weights) merged.set(roleId, (merged.get(roleId) ?? 0) + weight)
      fill([{ slot, terms: Array.from(merged, ([source, weight]) => ({ source, weight })) }])
    },
    destroy() {
      for (const { buffer } of filler.tensors) buffer.destroy()
    },
  }
}

/**
 * The pack's matrices B as slots [1, bSize] where all roles share B, else [roles, bSize] with role ids as slots.
 *
 * @throws HycoraError `model-incompatible` when the pack does not fit the layout, `out-of-memory`, `shader-invalid`.
 */
export async function uploadB(gpu: TunedDevice, pack: PackTensors, layout: AdapterLayout): Promise<Tensor> {
  checkLayout(pack, layout)
  const makers: Record<SourceOfB, () => Tensor | Promise<Tensor>> = {
    shared: () => uploadTensor(gpu.device, [1, layout.bSize], tableOfB(pack, layout, 'lora_B', 1), 'B'),
    table: () => {
      const values = tableOfB(pack, layout, 'lora_B_table', pack.rows)
      return uploadTensor(gpu.device, [pack.rows, layout.bSize], values, 'B of every role')
    },
    hyper: () => generateB(gpu, pack, layout),
  }
  return makers[pack.config.sources.B]()
}

async function generateB(gpu: TunedDevice, pack: PackTensors, layout: AdapterLayout): Promise<Tensor> {
  const slots = createTensor(gpu.device, [pack.rows, layout.bSize], 'B of every role')
  const filler = await createGeneratedFiller(gpu, pack, layout, 'B', slots)
  for (let first = 0; first < pack.rows; first += filler.capacity) {
    const count = Math.min(filler.capacity, pack.rows - first)
    const roles = Array.from({ length: count }, (_, index) => first + index)
    filler.fill(roles.map((role) => ({ slot: role, terms: [{ source: role, weight: 1 }] })))
  }
  for (const { buffer } of filler.tensors) buffer.destroy()
  return slots
}

async function createFillerOfA(
  gpu: TunedDevice,
  pack: PackTensors,
  layout: AdapterLayout,
  aBuffer: Tensor,
): Promise<SlotFiller> {
  const { device } = gpu
  const upload = (suffix: 'lora_A' | 'lora_A0' | 'lora_A_table', rows: number): Tensor =>
    uploadTensor(device, [rows, layout.aSize], tableOfA(pack, layout, suffix, rows), suffix)
  const makers: Record<SourceOfA, () => Promise<SlotFiller>> = {
    hyper: () => createGeneratedFiller(gpu, pack, layout, 'A', aBuffer),
    'hyper+static': async () => {
      const generated = await createGeneratedFiller(gpu, pack, layout, 'A', aBuffer)
      const added = await createStoredFiller(device, upload('lora_A0', 1), aBuffer, { accumulate: true })
      return {
        capacity: Math.min(generated.capacity, added.capacity),
        tensors: [...generated.tensors, ...added.tensors],
        fill(mixes) {
          generated.fill(mixes)
          added.fill(mixes.map(sharedMix))
        },
      }
    },
    table: () =>
      createStoredFiller(device, upload('lora_A_table', pack.rows), aBuffer, { accumulate: false }),
    shared: async () => {
      const filler = await createStoredFiller(device, upload('lora_A', 1), aBuffer, { accumulate: false })
      return { ...filler, fill: (mixes) => filler.fill(mixes.map(sharedMix)) }
    },
  }
  return makers[pack.config.sources.A]()
}

/** The mix with its weights on the one matrix that all roles share. */
function sharedMix({ slot, terms }: RoleMix): RoleMix {
  return { slot, terms: [{ source: 0, weight: terms.reduce((sum, { weight }) => sum + weight, 0) }] }
}

/** Mixes of stored rows [sources, slot size]. */
async function createStoredFiller(
  device: GPUDevice,
  table: Tensor,
  slots: Tensor,
  { accumulate }: { readonly accumulate: boolean },
): Promise<SlotFiller> {
  const terms = Math.min(MAX_PARENTS, table.shape[0] ?? 1)
  const mixes = createRoleMixes(device, MAX_PARENTS, terms)
  const dispatch = await mixRows(device, { ...mixes, x: table, y: slots }, { accumulate })
  return {
    capacity: MAX_PARENTS,
    tensors: [table, ...tensorsOfMixes(mixes)],
    fill(wanted) {
      writeRoleMixes(device, mixes, wanted)
      run(device, (pass) => encode(pass, dispatch, wanted.length))
    },
  }
}

/** Mixes of roles as the hyper-network makes them. */
async function createGeneratedFiller(
  gpu: TunedDevice,
  pack: PackTensors,
  layout: AdapterLayout,
  side: Side,
  slots: Tensor,
): Promise<SlotFiller> {
  const { device } = gpu
  const capacity = Math.min(MAX_PARENTS, pack.rows)
  const encoder = await createEncoder(gpu, pack, capacity)
  const mixes = createRoleMixes(device, capacity, capacity)
  const generator = await createGenerator(gpu, pack, layout, side, { encoder, mixes, slots })
  const absent = PROJECTIONS.filter((projection) => !pack.config.projections.includes(projection))
  return {
    capacity,
    tensors: [...encoder.tensors, ...generator.tensors, ...tensorsOfMixes(mixes)],
    fill(wanted) {
      const roles = [...new Set(wanted.flatMap(({ terms }) => terms.map(({ source }) => source)))]
      check(
        roles.length <= capacity,
        'shape-mismatch',
        () => `${roles.length} different roles at once, at most ${capacity} are possible`,
      )
      device.queue.writeBuffer(encoder.roleIds.buffer, 0, Uint32Array.from(roles))
      const rowOf = new Map(roles.map((role, row) => [role, row]))
      const toRows = ({ slot, terms }: RoleMix): RoleMix => ({
        slot,
        terms: terms.map(({ source, weight }) => ({ source: rowOf.get(source) ?? 0, weight })),
      })
      writeRoleMixes(device, mixes, wanted.map(toRows))
      const clear = (commands: GPUCommandEncoder): void => {
        for (const { slot } of wanted) {
          for (const projection of absent) {
            const { base, features, slotSize } = sidePlace(layout, side, projection)
            const floats = layout.layers * features * layout.paddedRank
            const first = (slots.offsetBytes ?? 0) + (slot * slotSize + base) * 4
            commands.clearBuffer(slots.buffer, first, floats * 4)
          }
        }
      }
      run(
        device,
        (pass) => {
          for (const dispatch of encoder.dispatches) encode(pass, dispatch, roles.length * encoder.layerIds)
          generator.encode(pass, roles.length, wanted.length)
        },
        clear,
      )
    },
  }
}

function run(
  device: GPUDevice,
  body: (pass: GPUComputePassEncoder) => void,
  before: (commands: GPUCommandEncoder) => void = () => undefined,
): void {
  const commands = device.createCommandEncoder()
  before(commands)
  const pass = commands.beginComputePass()
  body(pass)
  pass.end()
  device.queue.submit([commands.finish()])
}
