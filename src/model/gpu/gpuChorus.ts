import { check } from '../../core/errors.ts'
import { CHUNK_ROWS } from '../../core/graphicsMemory.ts'
import { submit } from '../../gpu/kernel.ts'
import { createTensor, readBuffer } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { gatherRows } from '../../kernels/gatherRows.ts'
import { packRows, stepWords } from '../../kernels/operands/stepRows.ts'
import type { StepRow } from '../../kernels/operands/stepRows.ts'
import { playing } from '../adapter/adapter.ts'
import type { Adapter } from '../adapter/adapter.ts'
import type { ChorusRequest } from '../decoder/backbone.ts'
import type { Chorus, ReadTokens } from '../decoder/chorus.ts'
import type { SharedParts } from './attachedAdapter.ts'
import { planChorus } from './forwardPlan.ts'
import type { LayersPlan } from './forwardPlan.ts'
import { projectBands } from './bands.ts'
import { createCaches } from './sequenceCaches.ts'
import { createWorkspace, tensorsOfWorkspace } from './workspace.ts'

/** Up to so many rows of different texts the kernels for few are the faster ones: they read the weights for each. */
const FEW_ROWS = 2

function suited(rows: number): keyof LayersPlan {
  return rows <= FEW_ROWS ? 'few' : 'many'
}

/** A token on its way through the decoder. */
interface FedToken extends StepRow {
  readonly id: number
  /** Whether the logits behind it are asked for. */
  readonly isLast: boolean
}

/** The tensors and dispatches of a chorus of some readings. */
async function bindChorus(
  { gpu, decoder, weights, angles, form }: Omit<SharedParts, 'caches' | 'context'>,
  adapter: Adapter,
  readings: number,
  capacity: number,
) {
  const { device } = gpu
  const caches = createCaches(device, decoder, form, { capacity, sequences: readings })
  const workspace = createWorkspace(device, decoder, weights, adapter.placed.binding.paddedRank, CHUNK_ROWS)
  const width = workspace.normed.shape.at(-1) ?? decoder.hidden
  const ends = {
    index: createTensor(device, [readings], 'ends of readings'),
    step: createTensor(device, [stepWords(readings)], 'step of the ends'),
    picked: createTensor(device, [readings, width], 'states of the ends'),
    logits: createTensor(device, [readings, decoder.vocabulary], 'logits of the ends'),
  }
  const parts = { gpu, shape: decoder, weights, workspace, adapter: adapter.placed, angles, caches, capacity }
  const noParts = { adapter: adapter.placed.binding, count: 0, aOffset: 0, aPartStride: 0 }
  const picked = { step: ends.step, x: ends.picked, y: ends.logits }
  const [layers, gather, few, many] = await Promise.all([
    planChorus(parts),
    gatherRows(
      device,
      { x: workspace.normed, index: ends.index, y: ends.picked },
      { columns: decoder.hidden },
    ),
    projectBands(gpu, weights.head, noParts, picked, { rows: 'few' }),
    projectBands(gpu, weights.head, noParts, picked, { rows: 'many' }),
  ])
  const tensors: readonly Tensor[] = [...caches, ...tensorsOfWorkspace(workspace), ...Object.values(ends)]
  return { workspace, ends, layers, head: { few: [gather, ...few], many: [gather, ...many] }, tensors }
}

/**
 * Texts of their own caches, read with rows of different sequences in one pass.
 *
 * @throws HycoraError `out-of-memory`, `shader-invalid`, as `Adapter.slotFor`.
 */
export async function createChorus(
  shared: Omit<SharedParts, 'caches' | 'context'>,
  adapter: Adapter,
  { castings, capacity }: ChorusRequest,
): Promise<Chorus> {
  const { device } = shared.gpu
  const { vocabulary } = shared.decoder
  const bound = await bindChorus(shared, adapter, castings.length, capacity)
  const lengths = castings.map(() => 0)

  const placed = ({ reading, ids }: ReadTokens): FedToken[] => {
    const first = lengths[reading] ?? 0
    check(first + ids.length <= capacity, 'usage', () => {
      return `${first + ids.length} tokens were to be read, there is room for ${capacity} here`
    })
    lengths[reading] = first + ids.length
    const who = playing(adapter, castings[reading] ?? null)
    return ids.map((id, index) => {
      return { id, ...who, position: first + index, sequence: reading, isLast: index === ids.length - 1 }
    })
  }

  /** Logits of the tokens of a chunk that are asked for. */
  const run = async (chunk: readonly FedToken[]): Promise<Float32Array> => {
    const { workspace, ends, layers, head } = bound
    const { queue } = device
    queue.writeBuffer(
      workspace.tokens.buffer,
      0,
      Uint32Array.from(chunk, ({ id }) => id),
    )
    queue.writeBuffer(workspace.step.buffer, 0, packRows(chunk))
    submit(device, layers[suited(chunk.length)], chunk.length)
    const last = chunk.flatMap(({ isLast }, row) => (isLast ? [row] : []))
    if (last.length === 0) return new Float32Array(0)
    queue.writeBuffer(ends.index.buffer, 0, Uint32Array.from(last))
    queue.writeBuffer(ends.step.buffer, 0, Uint32Array.of(last.length))
    submit(device, head[suited(last.length)], last.length)
    return new Float32Array(await readBuffer(device, ends.logits.buffer, 0, last.length * vocabulary * 4))
  }

  return {
    async read(rows) {
      const tokens = rows.flatMap(placed)
      const logits = new Float32Array(rows.length * vocabulary)
      let filled = 0
      for (let first = 0; first < tokens.length; first += CHUNK_ROWS) {
        const found = await run(tokens.slice(first, first + CHUNK_ROWS))
        logits.set(found, filled)
        filled += found.length
      }
      return logits
    },
    destroy() {
      for (const { buffer } of bound.tensors) buffer.destroy()
    },
  }
}
