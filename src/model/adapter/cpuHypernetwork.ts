import { check } from '../../core/errors.ts'
import type { HypernetworkConfig } from '../../formats/packConfig.ts'
import type { PackTensors, Side } from './adapterLayout.ts'
import type { Projection } from '../decoder/decoder.ts'

const EPSILON = 1e-5

/** The hyper-network of a pack on the CPU, sums in float64; one role and one linear layer at a time. */
export interface CpuHypernetwork {
  /**
   * A or B of a role's layer, in C order:
   *
   *     v = [e_role ; e_layer]      h0 = ReLU(W_in·LN(v) + b)      h_n = h_{n−1} + W2·ReLU(W1·LN(h_{n−1}) + b1) + b2
   *     h = LN(h_N)                 z = D·h + b_D                  A = reshape(U·z + b_U) / √hidden
   *
   * Reference: HyCoRA, arXiv 2511.08017; the authors' `hyper_network.py`.
   */
  generate(role: number, layer: number, projection: Projection, side: Side): Float32Array
}

/**
 * Opens the hyper-network of a pack.
 *
 * @throws HycoraError `format-invalid` when the pack has none.
 */
export function openHypernetwork(pack: PackTensors): CpuHypernetwork {
  const { hypernetwork: size, roleEmbedding, projections, layers } = pack.config
  check(size !== null && roleEmbedding !== null, 'format-invalid', () => {
    return 'the pack has no hyper-network, its sources ask for one'
  })
  const root = Math.sqrt(size.hidden)
  let encodedRole = -1
  const encoded = new Map<number, Float64Array>()

  const encodeOnce = (role: number, layerId: number): Float64Array => {
    if (role !== encodedRole) encoded.clear()
    encodedRole = role
    const h = encoded.get(layerId) ?? encode(pack, size, inputOf(pack, roleEmbedding, size, role, layerId))
    encoded.set(layerId, h)
    return h
  }
  return {
    generate(role, layer, projection, side) {
      const layerId = projections.indexOf(projection) * layers + layer
      const name = `${projection}_${side === 'A' ? 'down' : 'up'}_linear`
      const z = linear(pack, `${name}.down`, encodeOnce(role, layerId))
      return Float32Array.from(linear(pack, `${name}.up`, z), (value) => value / root)
    },
  }
}

function inputOf(
  pack: PackTensors,
  roleEmbedding: number,
  { layerEmbedding }: HypernetworkConfig,
  role: number,
  layerId: number,
): Float64Array {
  const roles = pack.tensor('roles_emb.weight')
  const layers = pack.tensor('layers_emb.weight')
  const v = new Float64Array(roleEmbedding + layerEmbedding)
  v.set(roles.subarray(role * roleEmbedding, (role + 1) * roleEmbedding))
  v.set(layers.subarray(layerId * layerEmbedding, (layerId + 1) * layerEmbedding), roleEmbedding)
  return v
}

function encode(pack: PackTensors, size: HypernetworkConfig, input: Float64Array): Float64Array {
  const v = size.layernormInput ? layerNorm(pack, 'norm_input', input) : input
  const h = rectify(linear(pack, 'hypernet_encoder.fc_input', v))
  for (let block = 0; block < size.residualBlocks; block++) {
    const name = `hypernet_encoder.layers.${block}`
    const inner = rectify(linear(pack, `${name}.fc1`, layerNorm(pack, `layers.${block}.norm`, h)))
    const step = linear(pack, `${name}.fc2`, inner)
    for (let i = 0; i < h.length; i++) h[i] = (h[i] ?? 0) + (step[i] ?? 0)
  }
  return size.layernormOutput ? layerNorm(pack, 'norm_output', h) : h
}

function layerNorm(pack: PackTensors, name: string, x: Float64Array): Float64Array {
  const gain = pack.tensor(`hypernet_encoder.${name}.weight`)
  const bias = pack.tensor(`hypernet_encoder.${name}.bias`)
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length
  const scale = 1 / Math.sqrt(variance + EPSILON)
  return x.map((value, i) => (gain[i] ?? 0) * (value - mean) * scale + (bias[i] ?? 0))
}

function linear(pack: PackTensors, name: string, x: Float64Array): Float64Array {
  const weight = pack.tensor(`${name}.weight`)
  return Float64Array.from(pack.tensor(`${name}.bias`), (bias, row) => {
    let sum = bias
    const start = row * x.length
    for (let i = 0; i < x.length; i++) sum += (weight[start + i] ?? 0) * (x[i] ?? 0)
    return sum
  })
}

function rectify(x: Float64Array): Float64Array {
  return x.map((value) => Math.max(0, value))
}
