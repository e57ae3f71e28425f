import { check } from '../../core/errors.ts'
import { encode } from '../../gpu/kernel.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, readTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { gatherRows } from '../../kernels/gatherRows.ts'
import { infoNce } from '../../kernels/infoNce.ts'
import { linear } from '../../kernels/linear.ts'
import { linearBackwardInput } from '../../kernels/linearBackwardInput.ts'
import { linearBackwardWeight } from '../../kernels/linearBackwardWeight.ts'
import { normaliseRows } from '../../kernels/normaliseRows.ts'
import { normaliseRowsBackward } from '../../kernels/normaliseRowsBackward.ts'
import { scatterAddRows } from '../../kernels/scatterAddRows.ts'
import type { ContrastConfig } from '../settings/config.ts'
import type { Parameters } from '../parameters/parameters.ts'

/** The temperature τ. */
const TEMPERATURE = 0.1

/** The contrastive loss of micro-batches, with its gradients. */
export interface Contrast {
  readonly bytes: number
  /**
   * Encodes the loss of a micro-batch, and λ times its gradients with respect to the anchors' hidden states, the heads and
   * the role table, each added to what is there. What is passed goes through the queue: submit before the next is encoded.
   *
   * @param anchors the rows of the hidden states that speak for their sequences, none twice.
   * @param roleIds the role of each anchor.
   * @throws HycoraError `shape-mismatch` when there are more than fit, or not as many of one as of the other.
   */
  encode(
    commands: GPUCommandEncoder,
    micro: {
      readonly anchors: readonly number[]
      readonly roleIds: readonly number[]
      readonly lambda: number
    },
  ): void
  /** The loss of the last micro-batch, without λ. */
  readLoss(): Promise<number>
  destroy(): void
}

/** What the loss reads, and adds its gradient to. */
export interface ContrastOptions {
  readonly form: Exclude<ContrastConfig['form'], 'off'>
  readonly parameters: Parameters
  /** Sequences of a micro-batch at most. */
  readonly rows: number
  /** [rows, hidden]: after the final norm. */
  readonly hidden: Tensor
  /** [rows, hidden]; without it the hidden states are taken as they are, and only heads and role table learn. */
  readonly dHidden?: Tensor
}

/** Which of the two heads: from the hidden states, or from the role table. */
type Head = 'hidden_to_role_emb_layer' | 'role_emb_to_role_emb_layer'

/** One side of the loss: features of rows, and the way back. */
interface Side {
  /** [rows, role embedding], of length 1 */
  readonly features: Tensor
  readonly dFeatures: Tensor
  /** u32 [1]: rows in use. */
  readonly count: Tensor
  readonly forward: readonly Dispatch[]
  readonly backward: readonly Dispatch[]
  readonly tensors: readonly Tensor[]
}

/** `f = normalise(W·x + b)` of one side, and the gradients of x, W and b, which accumulate (that of x where asked for). */
async function createSide(
  gpu: TunedDevice,
  parameters: Parameters,
  head: Head,
  x: Tensor,
  dx: { readonly tensor: Tensor; readonly accumulate: boolean } | undefined,
): Promise<Side> {
  const { device } = gpu
  const [weight, bias] = [parameters.value(`${head}.weight`), parameters.value(`${head}.bias`)]
  const shape = [x.shape[0] ?? 0, weight.shape[0] ?? 0]
  const create = (label: string): Tensor => createTensor(device, shape, `contrast ${label}`)
  const [raw, features] = [create('raw features'), create('features')]
  const [dFeatures, dRaw] = [create('feature gradient'), create('raw feature gradient')]
  const count = createTensor(device, [1], 'contrast rows')
  const forward = [linear(gpu, { x, weight, bias, y: raw }), normaliseRows(device, { x: raw, y: features })]
  const backward = [normaliseRowsBackward(device, { dy: dFeatures, x: raw, dx: dRaw })]
  const [dweight, dbias] = [parameters.gradient(`${head}.weight`), parameters.gradient(`${head}.bias`)]
  if (dweight && dbias) {
    backward.push(linearBackwardWeight(gpu, { dy: dRaw, count, x, dweight, dbias }))
  }
  if (dx) {
    const { tensor, accumulate } = dx
    backward.push(linearBackwardInput(gpu, { dy: dRaw, count, weight, dx: tensor }, { accumulate }))
  }
  return {
    features,
    dFeatures,
    count,
    forward: await Promise.all(forward),
    backward: await Promise.all(backward),
    tensors: [raw, features, dFeatures, dRaw, count],
  }
}

/** Everything of the loss that is bound once. */
interface BoundContrast {
  readonly roles: number
  readonly index: Tensor
  readonly ids: Tensor
  readonly occurrences: Tensor
  readonly scales: Tensor
  readonly loss: Tensor
  readonly said: Side
  readonly speaker: Side
  /** From the anchors' rows to `said`, the loss and its gradients of both sides, and back to the anchors' rows. */
  readonly gather: Dispatch
  readonly compare: readonly Dispatch[]
  readonly scatter: Dispatch | undefined
  readonly tensors: readonly Tensor[]
}

async function bindContrast(
  gpu: TunedDevice,
  { parameters, rows: capacity, hidden, dHidden }: ContrastOptions,
): Promise<BoundContrast> {
  const { device } = gpu
  const table = parameters.value('roles_emb.weight')
  const roles = table.shape[0] ?? 0
  // The buffer's rows may be padded; the head knows how wide a hidden state is.
  const columns = parameters.value('hidden_to_role_emb_layer.weight').shape[1] ?? 0
  const create = (shape: readonly number[], label: string): Tensor =>
    createTensor(device, shape, `contrast ${label}`)

  const [index, ids] = [create([capacity], 'anchors'), create([capacity], 'roles of anchors')]
  const [pooled, dPooled] = [create([capacity, columns], 'hidden'), create([capacity, columns], 'dHidden')]
  const dTable = parameters.gradient('roles_emb.weight')
  const toPooled = dHidden && { tensor: dPooled, accumulate: false }
  const toTable = dTable && { tensor: dTable, accumulate: true }
  const said = await createSide(gpu, parameters, 'hidden_to_role_emb_layer', pooled, toPooled)
  const speaker = await createSide(gpu, parameters, 'role_emb_to_role_emb_layer', table, toTable)
  const [logits, loss] = [create([capacity, roles], 'logits'), create([capacity], 'loss')]
  const [occurrences, scales] = [create([roles], 'occurrences'), create([2], 'scales')]
  device.queue.writeBuffer(speaker.count.buffer, 0, Uint32Array.of(roles))
  const compared = { logits, loss, occurrences, scales, ids, noBias: create([roles], 'no bias') }
  return {
    roles,
    index,
    ids,
    occurrences,
    scales,
    loss,
    said,
    speaker,
    gather: await gatherRows(device, { x: hidden, index, y: pooled }, { columns }),
    compare: await bindComparison(gpu, said, speaker, compared),
    scatter: dHidden && (await scatterAddRows(device, { x: dPooled, index, y: dHidden }, { columns })),
    tensors: [index, pooled, dPooled, ...Object.values(compared), ...said.tensors, ...speaker.tensors],
  }
}

interface Compared {
  readonly logits: Tensor
  readonly loss: Tensor
  readonly occurrences: Tensor
  readonly scales: Tensor
  readonly ids: Tensor
  readonly noBias: Tensor
}

/** `logits = t·sᵀ / τ`, the loss, and from its gradient those of t and of s. */
function bindComparison(
  gpu: TunedDevice,
  said: Side,
  speaker: Side,
  { logits, loss, occurrences, scales, ids, noBias }: Compared,
): Promise<Dispatch[]> {
  const scale = 1 / TEMPERATURE
  const gradient = { dy: logits, count: said.count }
  return Promise.all([
    linear(gpu, { x: said.features, weight: speaker.features, y: logits }, { scale }),
    infoNce(gpu.device, { role_ids: ids, occurrences, scales, logits, loss }),
    linearBackwardInput(gpu, { ...gradient, weight: speaker.features, dx: said.dFeatures }, { scale }),
    linearBackwardWeight(
      gpu,
      { ...gradient, x: said.features, dweight: speaker.dFeatures, dbias: noBias },
      { scale },
    ),
  ])
}

/**
 * The contrastive loss between what is said and who says it,
 *
 *     t_i = normalise(W_t·H_i + b_t)      s_c = normalise(W_r·e_c + b_r)
 *     HCL = 1/b · Σ_i (log Σ_c n_c·exp(t_i·s_c/τ) − t_i·s_role(i)/τ)
 *
 * with n_c = 1 for every role in the form `table`, and the number of rows of role c in the form `batch`: the paper's in-batch
 * loss, whose positives of a row are all the same role and so have the same logit.
 *
 * Reference: HyCoRA, arXiv 2511.08017; Khosla et al., "Supervised Contrastive Learning", 2020, eq. 2.
 *
 * @throws HycoraError `format-invalid` when the pack has no heads, `out-of-memory`, `shader-invalid`, `shape-mismatch`.
 */
export async function createContrast(gpu: TunedDevice, options: ContrastOptions): Promise<Contrast> {
  const { device } = gpu
  const { form, rows: capacity } = options
  const { roles, said, speaker, tensors, ...bound } = await bindContrast(gpu, options)
  let running = 0
  return {
    bytes: tensors.reduce((sum, { buffer }) => sum + buffer.size, 0),
    encode(commands, { anchors, roleIds, lambda }) {
      const rows = anchors.length
      check(
        rows > 0 && rows <= capacity && roleIds.length === rows,
        'shape-mismatch',
        () => `${rows} anchors and ${roleIds.length} roles, expected as many, 1 to ${capacity}`,
      )
      running = rows
      const counts = Float32Array.from({ length: roles }, (_, role) =>
        form === 'table' ? 1 : roleIds.filter((id) => id === role).length,
      )
      const { queue } = device
      queue.writeBuffer(bound.index.buffer, 0, Uint32Array.from(anchors))
      queue.writeBuffer(bound.ids.buffer, 0, Uint32Array.from(roleIds))
      queue.writeBuffer(bound.occurrences.buffer, 0, counts)
      queue.writeBuffer(bound.scales.buffer, 0, Float32Array.of(1 / rows, lambda / rows))
      queue.writeBuffer(said.count.buffer, 0, Uint32Array.of(rows))
      // Its kernel adds, as gradients of parameters do; these are of features.
      commands.clearBuffer(speaker.dFeatures.buffer)

      const pass = commands.beginComputePass()
      encode(pass, bound.gather, rows)
      for (const dispatch of said.forward) encode(pass, dispatch, rows)
      for (const dispatch of speaker.forward) encode(pass, dispatch, roles)
      for (const dispatch of bound.compare) encode(pass, dispatch, rows)
      for (const dispatch of said.backward) encode(pass, dispatch, rows)
      for (const dispatch of speaker.backward) encode(pass, dispatch, roles)
      if (bound.scatter) encode(pass, bound.scatter, rows)
      pass.end()
    },
    async readLoss() {
      const rows = running
      const losses = await readTensor(device, bound.loss)
      return losses.subarray(0, rows).reduce((sum, value) => sum + value, 0)
    },
    destroy() {
      for (const { buffer } of tensors) buffer.destroy()
    },
  }
}
