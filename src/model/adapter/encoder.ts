import { check } from '../../core/errors.ts'
import type { PackTensors } from './adapterLayout.ts'
import type { HypernetworkConfig } from '../../formats/packConfig.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { layerNorm } from '../../kernels/layerNorm.ts'
import { linear } from '../../kernels/linear.ts'
import { roleLayerInput } from '../../kernels/roleLayerInput.ts'

/** The part of the hyper-network before the generators, bound to its workspace. */
export interface Encoder {
  /** Roles that one run takes at most. */
  readonly capacity: number
  /** Adapted linear layers of a role: projections · layers. */
  readonly layerIds: number
  readonly size: HypernetworkConfig
  /** u32 [capacity]: the roles of the next run. */
  readonly roleIds: Tensor
  /** [capacity · layerIds, hidden]: role by role, within a role by layer id. */
  readonly h: Tensor
  /** In order; each over roles · layerIds rows. */
  readonly dispatches: readonly Dispatch[]
  /** Everything that was created here. */
  readonly tensors: readonly Tensor[]
}

const EPSILON = 1e-5

/** What binds the encoder's layers to a pack's weights; every tensor that it makes is in its list. */
function layersOf(gpu: TunedDevice, pack: PackTensors, rows: number) {
  const { device } = gpu
  const tensors: Tensor[] = []
  const keep = (tensor: Tensor): Tensor => {
    tensors.push(tensor)
    return tensor
  }
  const upload = (name: string, ...shape: readonly number[]): Tensor =>
    keep(uploadTensor(device, shape, new Float32Array(pack.tensor(name)), name))
  return {
    tensors,
    upload,
    create: (columns: number, label: string): Tensor => keep(createTensor(device, [rows, columns], label)),
    norm: (x: Tensor, y: Tensor, name: string): Promise<Dispatch> => {
      const columns = x.shape[1] ?? 0
      const gain = upload(`hypernet_encoder.${name}.weight`, columns)
      const bias = upload(`hypernet_encoder.${name}.bias`, columns)
      return layerNorm(device, { x, gain, bias, y }, { epsilon: EPSILON })
    },
    dense: (x: Tensor, y: Tensor, name: string, residual?: Tensor): Promise<Dispatch> => {
      const [hidden, inner] = [y.shape[1] ?? 0, x.shape[1] ?? 0]
      const weight = upload(`hypernet_encoder.${name}.weight`, hidden, inner)
      const bias = upload(`hypernet_encoder.${name}.bias`, hidden)
      return residual
        ? linear(gpu, { x, weight, bias, residual, y })
        : linear(gpu, { x, weight, bias, y }, { relu: true })
    },
  }
}

/**
 * The encoder of the hyper-network for up to `capacity` roles at once:
 *
 *     v = [e_role ; e_layer]      h0 = ReLU(W_in·LN(v) + b)      h_n = h_{n−1} + W2·ReLU(W1·LN(h_{n−1}) + b1) + b2
 *     h = LN(h_N)
 *
 * Reference: HyCoRA, arXiv 2511.08017; the authors' `hyper_network.py`.
 *
 * @throws HycoraError `format-invalid` when the pack has no hyper-network, `out-of-memory`, `shader-invalid`.
 */
export async function createEncoder(gpu: TunedDevice, pack: PackTensors, capacity: number): Promise<Encoder> {
  const { device } = gpu
  const { hypernetwork: size, roleEmbedding, projections, layers } = pack.config
  check(
    size !== null && roleEmbedding !== null,
    'format-invalid',
    () => 'the pack has no hyper-network, its sources ask for one',
  )
  const { hidden, layerEmbedding } = size
  const layerIds = projections.length * layers
  const rows = capacity * layerIds
  const { tensors, create, upload, norm, dense } = layersOf(gpu, pack, rows)
  const roleIds = createTensor(device, [capacity], 'role ids')
  tensors.push(roleIds)
  const inputColumns = roleEmbedding + layerEmbedding
  let input = create(inputColumns, 'hyper-network input')
  const dispatches = [
    roleLayerInput(device, {
      roles: upload('roles_emb.weight', pack.rows, roleEmbedding),
      layers: upload('layers_emb.weight', layerIds, layerEmbedding),
      role_ids: roleIds,
      v: input,
    }),
  ]
  if (size.layernormInput) {
    const normed = create(inputColumns, 'hyper-network normed input')
    dispatches.push(norm(input, normed, 'norm_input'))
    input = normed
  }
  let h = create(hidden, 'hyper-network h')
  let other = create(hidden, 'hyper-network next h')
  const normed = create(hidden, 'hyper-network normed')
  const inner = create(hidden, 'hyper-network inner')
  dispatches.push(dense(input, h, 'fc_input'))
  for (let block = 0; block < size.residualBlocks; block++) {
    dispatches.push(norm(h, normed, `layers.${block}.norm`))
    dispatches.push(dense(normed, inner, `layers.${block}.fc1`))
    dispatches.push(dense(inner, other, `layers.${block}.fc2`, h))
    ;[h, other] = [other, h]
  }
  if (size.layernormOutput) {
    dispatches.push(norm(h, normed, 'norm_output'))
    h = normed
  }
  return { capacity, layerIds, size, roleIds, h, dispatches: await Promise.all(dispatches), tensors }
}
