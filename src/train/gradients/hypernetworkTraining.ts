import { check } from '../../core/errors.ts'
import { encode } from '../../gpu/kernel.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { PackConfig } from '../../formats/packConfig.ts'
import type { AdapterBinding } from '../../kernels/operands/adapterBinding.ts'
import { mixRows } from '../../kernels/mixRows.ts'
import type { AdapterLayout } from '../../model/adapter/adapterLayout.ts'
import type { Side } from '../../model/adapter/adapterLayout.ts'
import { createEncoderTraining } from './encoderTraining.ts'
import type { EncoderTraining, RunRoles } from './encoderTraining.ts'
import { createGeneratorTraining } from './generatorTraining.ts'
import type { Parameters } from '../parameters/parameters.ts'

/** Where A and B of a micro-batch come from, and where their gradients go. */
export interface HypernetworkTraining {
  /** Roles of one micro-batch at most. */
  readonly capacity: number
  /**
   * A and B as the decoder's kernels bind them. Slot i is the i-th role of the run; where a matrix is shared its stride is 0
   * and it is the parameter itself.
   */
  readonly binding: AdapterBinding
  /** [capacity, aSize] or, where A is shared, the gradient of the parameter: to be added to. Undefined where A is frozen. */
  readonly aGradient: Tensor | undefined
  /** The same of B. */
  readonly bGradient: Tensor | undefined
  readonly bytes: number
  /**
   * Encodes A and B of a micro-batch's roles, no role twice, and clears the gradients of their slots. The role ids go through
   * the queue: submit before the next run is encoded.
   *
   * @throws HycoraError `shape-mismatch` when a role stands twice or does not exist, or there are more than fit.
   */
  encodeForward(commands: GPUCommandEncoder, roleIds: readonly number[]): void
  /** Encodes the way from the slots' gradients to those of the parameters, which accumulate; of the roles last encoded. */
  encodeBackward(commands: GPUCommandEncoder): void
  destroy(): void
}

/** A dispatch and how many rows it has for a number of roles. */
type Step = readonly [dispatch: Dispatch, rows: (roles: number) => number]

/** One of the two factors: what the decoder reads, where its gradient goes, and how the parameters come there and back. */
interface Factor {
  readonly slots: Tensor
  readonly stride: number
  readonly gradient: Tensor | undefined
  /** The gradient where it belongs to slots, so that a run begins by clearing it. */
  readonly cleared: Tensor | undefined
  readonly forward: readonly Step[]
  readonly backward: readonly Step[]
  readonly tensors: readonly Tensor[]
}

/** What every factor is made from. */
interface Parts {
  readonly gpu: TunedDevice
  readonly config: PackConfig
  readonly layout: AdapterLayout
  readonly parameters: Parameters
  readonly roles: RunRoles
  /** u32 [capacity]: 0, 1, 2, … */
  readonly order: Tensor
  /** [capacity]: 1 for slots in use, else 0. */
  readonly used: Tensor
}

const oneEach = (roles: number): number => roles

/** The parameter itself: all roles share it. */
function sharedFactor({ parameters }: Parts, side: Side): Factor {
  const gradient = parameters.gradient(side)
  const slots = parameters.value(side)
  return { slots, stride: 0, gradient, cleared: undefined, forward: [], backward: [], tensors: [] }
}

/** Slots for every role of a batch, their gradients, and how far slots lie apart. */
function createSlots({ gpu, layout, roles }: Parts, side: Side): readonly [Tensor, Tensor, number] {
  const size = side === 'A' ? layout.aSize : layout.bSize
  const [slots, gradient] = [`${side} of the batch`, `${side} gradient of the batch`].map((label) =>
    createTensor(gpu.device, [roles.capacity, size], label),
  ) as [Tensor, Tensor]
  return [slots, gradient, size]
}

/** Rows of a table [roles, slot size], copied to slots and added back. */
async function tableFactor(parts: Parts, side: Side): Promise<Factor> {
  const { gpu, parameters, roles, order, used } = parts
  const { device } = gpu
  const [slots, dSlots, stride] = createSlots(parts, side)
  const down = { x: parameters.value(side), sources: roles.ids, weights: used, slots: order, y: slots }
  const forward = [[await mixRows(device, down, { accumulate: false }), oneEach] as const]
  const dTable = parameters.gradient(side)
  if (!dTable) {
    dSlots.buffer.destroy()
    return { slots, stride, gradient: undefined, cleared: undefined, forward, backward: [], tensors: [slots] }
  }
  const up = { x: dSlots, sources: order, weights: used, slots: roles.ids, y: dTable }
  const backward = [[await mixRows(device, up, { accumulate: true }), oneEach] as const]
  return { slots, stride, gradient: dSlots, cleared: dSlots, forward, backward, tensors: [slots, dSlots] }
}

/** Matrices out of the generators, plus the static ones where there are any. */
async function generatedFactor(
  parts: Parts,
  side: Side,
  encoder: EncoderTraining,
  { accumulate }: { readonly accumulate: boolean },
): Promise<Factor> {
  const { gpu, config, parameters, roles } = parts
  const [slots, dSlots, stride] = createSlots(parts, side)
  const tensors = { encoder, roles, slots, dSlots }
  const generator = await createGeneratorTraining(gpu, { ...parts, side }, parameters, tensors, {
    accumulate,
  })
  const rows = (count: number): number => count * config.layers
  const hasStatic = side === 'A' && config.sources.A === 'hyper+static'
  const fixed = hasStatic ? await addStatic(parts, slots, dSlots) : undefined
  return {
    slots,
    stride,
    gradient: dSlots,
    cleared: dSlots,
    forward: [...generator.forward.map((dispatch) => [dispatch, rows] as const), ...(fixed?.forward ?? [])],
    backward: [
      ...generator.backward.map((dispatch) => [dispatch, rows] as const),
      ...(fixed?.backward ?? []),
    ],
    tensors: [slots, dSlots, ...generator.tensors, ...(fixed?.tensors ?? [])],
  }
}

/** A₀ added to every slot, and the sum of all slots' gradients added to its own. */
async function addStatic(
  { gpu: { device }, parameters, order, used, roles }: Parts,
  slots: Tensor,
  dSlots: Tensor,
): Promise<Pick<Factor, 'forward' | 'backward' | 'tensors'>> {
  const zeros = createTensor(device, [roles.capacity], 'A₀ for every slot')
  const only = createTensor(device, [1], 'slot of A₀')
  const tensors = [zeros, only]
  const there = { x: parameters.value('A0'), sources: zeros, weights: used, slots: order, y: slots }
  const forward = [[await mixRows(device, there, { accumulate: true }), oneEach] as const]
  const gradient = parameters.gradient('A0')
  if (!gradient) return { forward, backward: [], tensors }
  const back = { x: dSlots, sources: order, weights: used, slots: only, y: gradient }
  const backward = [[await mixRows(device, back, { accumulate: true }), (): number => 1] as const]
  return { forward, backward, tensors }
}

/** What a run's hyper-network stands on. */
interface HypernetworkGround {
  readonly config: PackConfig
  readonly layout: AdapterLayout
  readonly parameters: Parameters
  /** Roles of one micro-batch at most. */
  readonly capacity: number
}

/** What is made once for all factors, for up to `capacity` roles. */
function createParts(gpu: TunedDevice, { config, layout, parameters, capacity }: HypernetworkGround): Parts {
  const { device } = gpu
  const order = Uint32Array.from({ length: capacity }, (_, i) => i)
  return {
    gpu,
    config,
    layout,
    parameters,
    roles: {
      capacity,
      ids: createTensor(device, [capacity], 'roles of the batch'),
      count: createTensor(device, [1], 'roles in the batch'),
    },
    order: uploadTensor(device, [capacity], order, 'slots in order'),
    used: createTensor(device, [capacity], 'slots in use'),
  }
}

/** A and B, each from where the pack has it; the encoder where one of them is generated. */
async function createFactors(
  parts: Parts,
): Promise<{ readonly encoder: EncoderTraining | undefined; readonly a: Factor; readonly b: Factor }> {
  const { gpu, config, parameters, roles } = parts
  const { A, B } = config.sources
  const encoder = config.hypernetwork
    ? await createEncoderTraining(gpu, config, parameters, roles)
    : undefined
  const factorOf = (side: Side, source: typeof A, accumulate: boolean): Factor | Promise<Factor> => {
    if (source === 'shared') return sharedFactor(parts, side)
    if (source === 'table' || !encoder) return tableFactor(parts, side)
    return generatedFactor(parts, side, encoder, { accumulate })
  }
  const a = await factorOf('A', A, false)
  const b = await factorOf('B', B, A.startsWith('hyper'))
  return { encoder, a, b }
}

/**
 * The hyper-network of a training run, for every source of A and B: `shared` is bound as it is, `table` copied to slots and
 * its gradients back, `hyper` generated and differentiated, `hyper+static` both. All bind groups are made here, for up to
 * `capacity` roles at once.
 *
 * @throws HycoraError `out-of-memory`, `shader-invalid`, `shape-mismatch`.
 */
export async function createHypernetworkTraining(
  gpu: TunedDevice,
  ground: HypernetworkGround,
): Promise<HypernetworkTraining> {
  const { device } = gpu
  const { config, layout, parameters, capacity } = ground
  const parts = createParts(gpu, ground)
  const { roles, used } = parts
  const { encoder, a, b } = await createFactors(parts)
  const encoderRows = (count: number): number => count * (encoder?.layerIds ?? 0)
  const stepsOf = (dispatches: readonly Dispatch[] = []): Step[] =>
    dispatches.map((dispatch) => [dispatch, encoderRows] as const)
  const forward = [...stepsOf(encoder?.forward), ...a.forward, ...b.forward]
  const backward = [...a.backward, ...b.backward, ...stepsOf(encoder?.backward)]
  const tensors = [
    roles.ids,
    roles.count,
    parts.order,
    used,
    ...(encoder?.tensors ?? []),
    ...a.tensors,
    ...b.tensors,
  ]
  const rows = rolesOf(config, parameters)
  let running = 0

  return {
    capacity,
    binding: {
      paddedRank: layout.paddedRank,
      a: a.slots,
      aSlotStride: a.stride,
      b: b.slots,
      bSlotStride: b.stride,
    },
    aGradient: a.gradient,
    bGradient: b.gradient,
    bytes: tensors.reduce((sum, { buffer }) => sum + buffer.size, 0),
    encodeForward(commands, roleIds) {
      checkRoles(roleIds, capacity, rows)
      running = roleIds.length
      const write = (tensor: Tensor, values: readonly number[]): void =>
        device.queue.writeBuffer(tensor.buffer, 0, Uint32Array.from(values))
      write(roles.ids, roleIds)
      write(roles.count, [running])
      const usedSlots = Float32Array.from({ length: capacity }, (_, slot) => Number(slot < running))
      device.queue.writeBuffer(used.buffer, 0, usedSlots)
      for (const { cleared } of [a, b]) if (cleared) commands.clearBuffer(cleared.buffer)
      encodeSteps(commands, forward, running)
    },
    encodeBackward(commands) {
      encodeSteps(commands, backward, running)
    },
    destroy() {
      for (const { buffer } of tensors) buffer.destroy()
    },
  }
}

/** How many roles the tables have; any number where nothing depends on the role. */
function rolesOf({ sources, hypernetwork }: PackConfig, parameters: Parameters): number {
  if (hypernetwork) return parameters.value('roles_emb.weight').shape[0] ?? 0
  if (sources.A === 'table') return parameters.value('A').shape[0] ?? 0
  if (sources.B === 'table') return parameters.value('B').shape[0] ?? 0
  return Infinity
}

function checkRoles(roleIds: readonly number[], capacity: number, rows: number): void {
  check(
    roleIds.length > 0 && roleIds.length <= capacity && new Set(roleIds).size === roleIds.length,
    'shape-mismatch',
    () => `roles ${roleIds.join(', ')} of a batch, expected 1 to ${capacity} different ones`,
  )
  const missing = roleIds.find((role) => role >= rows)
  check(missing === undefined, 'shape-mismatch', () => `role ${missing} does not exist, there are ${rows}`)
}

function encodeSteps(commands: GPUCommandEncoder, steps: readonly Step[], roles: number): void {
  if (steps.length === 0) return
  const pass = commands.beginComputePass()
  for (const [dispatch, rows] of steps) encode(pass, dispatch, rows(roles))
  pass.end()
}
