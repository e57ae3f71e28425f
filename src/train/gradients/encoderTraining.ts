import { check } from '../../core/errors.ts'
import type { PackConfig } from '../../formats/packConfig.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { layerNorm } from '../../kernels/layerNorm.ts'
import { layerNormBackward } from '../../kernels/layerNormBackward.ts'
import { layerNormBackwardWeight } from '../../kernels/layerNormBackwardWeight.ts'
import { linear } from '../../kernels/linear.ts'
import { linearBackwardInput } from '../../kernels/linearBackwardInput.ts'
import { linearBackwardWeight } from '../../kernels/linearBackwardWeight.ts'
import { roleLayerBackward } from '../../kernels/roleLayerBackward.ts'
import { roleLayerInput } from '../../kernels/roleLayerInput.ts'
import type { Parameters } from '../parameters/parameters.ts'

/** The roles of the next run on the GPU. */
export interface RunRoles {
  readonly capacity: number
  /** u32 [capacity] */
  readonly ids: Tensor
  /** u32 [1]: how many there are. */
  readonly count: Tensor
}

/** The encoder of the hyper-network with all that its backward pass needs. */
export interface EncoderTraining {
  /** Adapted linear layers of a role: projections · layers. */
  readonly layerIds: number
  /** [capacity · layerIds, hidden]: role by role, within a role by layer id. */
  readonly h: Tensor
  /** Its gradient, which the generators write. */
  readonly dh: Tensor
  /** In order; each over roles · layerIds rows. */
  readonly forward: readonly Dispatch[]
  readonly backward: readonly Dispatch[]
  /** Everything that was created here. */
  readonly tensors: readonly Tensor[]
}

const EPSILON = 1e-5

/** Makes the dispatches of one layer after the other, forward in order and backward in reverse. */
class Tape {
  readonly tensors: Tensor[] = []
  private readonly gpu: TunedDevice
  private readonly parameters: Parameters
  private readonly roles: RunRoles
  private readonly layerIds: number
  private readonly stats: Tensor
  private readonly ahead: Promise<Dispatch>[] = []
  private readonly back: Promise<Dispatch>[][] = []

  constructor(gpu: TunedDevice, parameters: Parameters, roles: RunRoles, layerIds: number) {
    this.gpu = gpu
    this.parameters = parameters
    this.roles = roles
    this.layerIds = layerIds
    this.stats = this.create(2, 'rows of a layer norm')
  }

  /** A new tensor of one row for each role and layer. */
  create(columns: number, label: string): Tensor {
    const rows = this.roles.capacity * this.layerIds
    const tensor = createTensor(this.gpu.device, [rows, columns], `hyper-network ${label}`)
    this.tensors.push(tensor)
    return tensor
  }

  /** `v = [e_role ; e_layer]`; the gradients of both tables accumulate. */
  input(v: Tensor, dv: Tensor): void {
    const { gpu, parameters } = this
    const { ids, count } = this.roles
    const [roles, layers] = [parameters.value('roles_emb.weight'), parameters.value('layers_emb.weight')]
    this.ahead.push(roleLayerInput(gpu.device, { roles, layers, role_ids: ids, v }))
    const droles = parameters.gradient('roles_emb.weight')
    const dlayers = parameters.gradient('layers_emb.weight')
    this.back.push(
      droles && dlayers ? [roleLayerBackward(gpu.device, { dv, role_ids: ids, count, droles, dlayers })] : [],
    )
  }

  /** `y = LN(x)`; `accumulate` where dx already holds what flows past the norm. */
  norm(
    name: string,
    { x, y, dx, dy }: Readonly<Record<'x' | 'y' | 'dx' | 'dy', Tensor>>,
    accumulate: boolean,
  ): void {
    const { gpu, parameters, stats } = this
    const { device } = gpu
    const { count } = this.roles
    const stem = `hypernet_encoder.${name}`
    const [gain, bias] = [parameters.value(`${stem}.weight`), parameters.value(`${stem}.bias`)]
    this.ahead.push(layerNorm(device, { x, gain, bias, y }, { epsilon: EPSILON }))
    const steps = [layerNormBackward(device, { dy, x, gain, dx, stats }, { epsilon: EPSILON, accumulate })]
    const [dgain, dbias] = [parameters.gradient(`${stem}.weight`), parameters.gradient(`${stem}.bias`)]
    if (dgain && dbias) {
      const tensors = { dy, x, stats, count, dgain, dbias }
      steps.push(layerNormBackwardWeight(device, tensors, { blockRows: this.layerIds }))
    }
    this.back.push(steps)
  }

  /** `y = ReLU(W·x + b)`, or `y = residual + W·x + b`; then dy goes on to the residual untouched. */
  dense(
    name: string,
    { x, y, dx, dy }: Readonly<Record<'x' | 'y' | 'dx' | 'dy', Tensor>>,
    residual?: Tensor,
  ): void {
    const { gpu, parameters } = this
    const { capacity, count } = this.roles
    const stem = `hypernet_encoder.${name}`
    const [weight, bias] = [parameters.value(`${stem}.weight`), parameters.value(`${stem}.bias`)]
    this.ahead.push(
      residual
        ? linear(gpu, { x, weight, bias, residual, y })
        : linear(gpu, { x, weight, bias, y }, { relu: true }),
    )
    const columns = weight.shape[0] ?? 0
    const blocks = {
      count: capacity,
      rows: this.layerIds,
      xFirstRow: 0,
      xBlockRows: this.layerIds,
      yOffset: 0,
      yBlockStride: this.layerIds * columns,
    }
    const gradient = residual ? { dy, count } : { dy, count, gate: y }
    const steps = [linearBackwardInput(gpu, { ...gradient, weight, dx }, { blocks })]
    const [dweight, dbias] = [parameters.gradient(`${stem}.weight`), parameters.gradient(`${stem}.bias`)]
    if (dweight && dbias)
      steps.push(linearBackwardWeight(gpu, { ...gradient, x, dweight, dbias }, { blocks }))
    this.back.push(steps)
  }

  async finish(): Promise<{ readonly forward: readonly Dispatch[]; readonly backward: readonly Dispatch[] }> {
    const [forward, backward] = await Promise.all([
      Promise.all(this.ahead),
      Promise.all(this.back.toReversed().flat()),
    ])
    return { forward, backward }
  }
}

/**
 * The encoder of the hyper-network for training, all activations kept:
 *
 *     v = [e_role ; e_layer]      h0 = ReLU(W_in·LN(v) + b)      h_n = h_{n−1} + W2·ReLU(W1·LN(h_{n−1}) + b1) + b2
 *     h = LN(h_N)
 *
 * The backward pass takes dh to the gradients of whatever is trained. One gradient of the stream h_n serves all blocks: what
 * a block adds to it is added in place.
 *
 * Reference: HyCoRA, arXiv 2511.08017; the authors' `hyper_network.py`.
 *
 * @throws HycoraError `format-invalid` when the pack has no hyper-network, `out-of-memory`, `shader-invalid`.
 */
export async function createEncoderTraining(
  gpu: TunedDevice,
  { hypernetwork: size, roleEmbedding, projections, layers }: PackConfig,
  parameters: Parameters,
  roles: RunRoles,
): Promise<EncoderTraining> {
  check(
    size !== null && roleEmbedding !== null,
    'format-invalid',
    () => 'the pack has no hyper-network, its sources ask for one',
  )
  const { hidden, residualBlocks, layernormInput, layernormOutput } = size
  const layerIds = projections.length * layers
  const tape = new Tape(gpu, parameters, roles, layerIds)
  const inputColumns = roleEmbedding + size.layerEmbedding

  let x = tape.create(inputColumns, 'input')
  let dx = tape.create(inputColumns, 'input gradient')
  tape.input(x, dx)
  if (layernormInput) {
    const [y, dy] = [
      tape.create(inputColumns, 'normed input'),
      tape.create(inputColumns, 'normed input gradient'),
    ]
    tape.norm('norm_input', { x, y, dx, dy }, false)
    ;[x, dx] = [y, dy]
  }
  let h = tape.create(hidden, 'h 0')
  const dStream = tape.create(hidden, 'h gradient')
  tape.dense('fc_input', { x, y: h, dx, dy: dStream })

  const dNormed = tape.create(hidden, 'normed gradient')
  const dInner = tape.create(hidden, 'inner gradient')
  for (let block = 0; block < residualBlocks; block++) {
    const [normed, inner, next] = ['normed', 'inner', 'h'].map((label) =>
      tape.create(hidden, `${label} ${block + 1}`),
    ) as [Tensor, Tensor, Tensor]
    const name = `layers.${block}`
    tape.norm(`${name}.norm`, { x: h, y: normed, dx: dStream, dy: dNormed }, true)
    tape.dense(`${name}.fc1`, { x: normed, y: inner, dx: dNormed, dy: dInner })
    tape.dense(`${name}.fc2`, { x: inner, y: next, dx: dInner, dy: dStream }, h)
    h = next
  }
  let dh = dStream
  if (layernormOutput) {
    const y = tape.create(hidden, 'h')
    tape.norm('norm_output', { x: h, y, dx: dStream, dy: dNormed }, false)
    ;[h, dh] = [y, dNormed]
  }
  return { layerIds, h, dh, ...(await tape.finish()), tensors: tape.tensors }
}
