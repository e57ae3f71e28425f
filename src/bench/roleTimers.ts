import { HycoraError } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import { createTensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { createAdapter } from '../model/adapter/adapter.ts'
import { packLayout } from '../model/adapter/adapterLayout.ts'
import { createHypernetwork } from '../model/adapter/hypernetwork.ts'
import { castRole } from '../model/adapter/roles.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import type { Decoder } from '../model/decoder/decoder.ts'
import { timeOf } from './timing.ts'
import type { Timer } from './timing.ts'

/** The castings of a pack's own roles; saved blends are left out. @throws HycoraError `usage` where it has none. */
export function castingsOf(pack: Pack): [Casting, ...Casting[]] {
  const [first, ...others] = pack.roles
    .filter((role) => !role.blend)
    .map((role) => castRole(pack, role.name, 1))
  if (!first) throw new HycoraError('usage', `${pack.name} has no role to play`)
  return [first, ...others]
}

/** Turning from one role of a pack to the next. */
export interface SwitchTimer {
  /** Milliseconds of turning to each of the first roles for the first time: its matrices are generated now. */
  readonly cold: readonly number[]
  /** Milliseconds of turning to a role whose matrices are there. */
  readonly cached: Timer
  destroy(this: void): void
}

const MOST_ROLES = 8
const TURNS = 1000

/** Brings a pack to the device by itself, and turns to each of its roles once. */
export async function openSwitch(gpu: TunedDevice, decoder: Decoder, pack: Pack): Promise<SwitchTimer> {
  const castings = castingsOf(pack).slice(0, MOST_ROLES)
  const adapter = await createAdapter(gpu, decoder, pack, castings.length)
  const cold: number[] = []
  for (const casting of castings) {
    const turn = async (): Promise<void> => {
      adapter.slotFor(casting)
      await gpu.device.queue.onSubmittedWorkDone()
    }
    cold.push(await timeOf(turn))
  }
  return {
    cold,
    cached: () => {
      const start = performance.now()
      for (let turn = 0; turn < TURNS; turn++) {
        const casting = castings[turn % castings.length]
        if (casting) adapter.slotFor(casting)
      }
      return Promise.resolve((performance.now() - start) / TURNS)
    },
    destroy: () => adapter.destroy(),
  }
}

/** Generating every matrix A of a role, with the time until the device has done it. */
export async function openGeneration(
  { device, ...tuned }: TunedDevice,
  pack: Pack,
): Promise<{ readonly generate: Timer; destroy(this: void): void }> {
  const layout = packLayout(pack.config)
  const slots = createTensor(device, [1, layout.aSize], 'adapter A')
  const hypernetwork = await createHypernetwork({ device, ...tuned }, pack, layout, slots)
  const castings = castingsOf(pack)
  let turn = 0
  return {
    generate: () =>
      timeOf(async () => {
        const roleId = castings[turn++ % castings.length]?.parts[0]?.role ?? 0
        hypernetwork.generate([{ roleId, slot: 0 }])
        await device.queue.onSubmittedWorkDone()
      }),
    destroy() {
      hypernetwork.destroy()
      slots.buffer.destroy()
    },
  }
}
