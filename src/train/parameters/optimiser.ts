import { check } from '../../core/errors.ts'
import { encode } from '../../gpu/kernel.ts'
import { createTensor, readTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { ADAM_W_SETTINGS, adamW, packAdamW } from '../../kernels/adamW.ts'
import type { AdamWSettings } from '../../kernels/adamW.ts'
import { gradientNorm } from '../../kernels/gradientNorm.ts'
import { sumOfSquares } from '../../kernels/sumOfSquares.ts'
import type { RateGroup } from './parameterLayout.ts'
import type { Parameters } from './parameters.ts'

/** What a step says of itself. */
export interface UpdateReport {
  /** Of all gradients together, before clipping. */
  readonly norm: number
  /** Whether every gradient was finite (and below 2⁵⁰); if not, the step was skipped and the norm is of the others. */
  readonly isFinite: boolean
}

/** AdamW over all trained parameters. */
export interface Optimiser {
  /** [4]: norm, clipping factor, count of unusable gradients, 0; to be read with whatever else a step reads. */
  readonly report: Tensor
  /**
   * Encodes one step: the norm of all gradients, and, unless one of them is not finite, AdamW with the gradients clipped.
   * The learning rates are those of `hyper` and of `B`. The settings go through the queue: submit before the next step is encoded.
   */
  encodeUpdate(commands: GPUCommandEncoder, settings: AdamWSettings): void
  /** Reads the report of the last step that was submitted. */
  readReport(): Promise<UpdateReport>
  destroy(): void
}

const RATE_GROUPS: readonly RateGroup[] = ['hyper', 'B']

/** Values that a part of the norm takes, and parts at most. */
const PART_VALUES = 4096
const MAX_PARTS = 256

/**
 * Creates the optimiser of a run; the moments are the parameters' own.
 *
 * @throws HycoraError `out-of-memory`, `shader-invalid`.
 */
export async function createOptimiser(device: GPUDevice, parameters: Parameters): Promise<Optimiser> {
  const { layout, values, gradients, firstMoments, secondMoments } = parameters
  const { updates } = layout
  const first = Math.min(...updates.map((update) => update.first))
  const end = Math.max(...updates.map((update) => update.first + update.length))
  const parts = Math.min(MAX_PARTS, Math.ceil((end - first) / PART_VALUES))
  const settings = createTensor(device, [ADAM_W_SETTINGS + RATE_GROUPS.length], 'optimiser settings')
  const partials = createTensor(device, [parts, 2], 'parts of the gradient norm')
  const report = createTensor(device, [4], 'optimiser report')
  const flat = {
    settings,
    report,
    gradient: gradients,
    value: values,
    first_moment: firstMoments,
    second_moment: secondMoments,
  }
  const dispatches = await Promise.all([
    sumOfSquares(device, { x: gradients, partials }, { first, length: end - first }),
    gradientNorm(device, { partials, settings, report }),
    ...updates.map((update) =>
      adamW(device, flat, {
        first: update.first,
        length: update.length,
        group: RATE_GROUPS.indexOf(update.group),
      }),
    ),
  ])
  return {
    report,
    encodeUpdate(commands, next) {
      check(
        next.learningRates.length === RATE_GROUPS.length,
        'shape-mismatch',
        () =>
          `${next.learningRates.length} learning rates, expected one each for ${RATE_GROUPS.join(' and ')}`,
      )
      device.queue.writeBuffer(settings.buffer, 0, packAdamW(next))
      const pass = commands.beginComputePass()
      for (const dispatch of dispatches) encode(pass, dispatch, 0)
      pass.end()
    },
    async readReport() {
      const [norm = 0, , unusable = 0] = await readTensor(device, report)
      return { norm, isFinite: unusable === 0 }
    },
    destroy() {
      for (const { buffer } of [settings, partials, report]) buffer.destroy()
    },
  }
}
