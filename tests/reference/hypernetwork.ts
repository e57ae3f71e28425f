import type { PackConfig, PackProjection } from '../../src/formats/packConfig.ts'

/** Named parameters in C order, as a pack stores them. */
export type Parameters = ReadonlyMap<string, ArrayLike<number>>

const EPSILON = 1e-5

/**
 * A [in, rank] of one role and one adapted layer:
 * v = [e_role ; e_layer], h₀ = ReLU(W_in·LN(v) + b), h_n = h_{n−1} + W₂·ReLU(W₁·LN(h_{n−1}) + b₁) + b₂, h = LN(h_N),
 * z = D_p·h + b_D, A = reshape(U_p·z + b_U, [in, rank]) / √d_h (+ A₀ where the pack has a static part).
 *
 * @param layerId projection index · layers + layer.
 */
export function generateA(
  params: Parameters,
  config: PackConfig,
  role: number,
  layerId: number,
): Float64Array {
  const projection = projectionOf(config, layerId)
  const generated = generate(params, config, role, layerId, `${projection}_down_linear`)
  if (config.sources.A === 'hyper+static') {
    const fixed = read(params, `layers.${layerId % config.layers}.${projection}.lora_A0`)
    for (let i = 0; i < generated.length; i++) generated[i]! += fixed[i]!
  }
  return generated
}

/** B [rank, out] of one role and one adapted layer, generated as A is. */
export function generateB(
  params: Parameters,
  config: PackConfig,
  role: number,
  layerId: number,
): Float64Array {
  return generate(params, config, role, layerId, `${projectionOf(config, layerId)}_up_linear`)
}

/** z [generatorRank] of one role and one adapted layer; all of A of a projection is affine in it. */
export function generatorCode(
  params: Parameters,
  config: PackConfig,
  role: number,
  layerId: number,
  generator: string,
): Float64Array {
  return linear(params, `${generator}.down`, encode(params, config, role, layerId))
}

function generate(
  params: Parameters,
  config: PackConfig,
  role: number,
  layerId: number,
  generator: string,
): Float64Array {
  const z = generatorCode(params, config, role, layerId, generator)
  const matrix = linear(params, `${generator}.up`, z)
  const root = Math.sqrt(config.hypernetwork!.hidden)
  for (let i = 0; i < matrix.length; i++) matrix[i]! /= root
  return matrix
}

/** h [hidden] of one role and one adapted layer. */
function encode(params: Parameters, config: PackConfig, role: number, layerId: number): Float64Array {
  const { layerEmbedding, residualBlocks, layernormInput, layernormOutput } = config.hypernetwork!
  const roleEmbedding = config.roleEmbedding!
  const roles = read(params, 'roles_emb.weight')
  const layers = read(params, 'layers_emb.weight')
  let v = new Float64Array(roleEmbedding + layerEmbedding)
  for (let i = 0; i < roleEmbedding; i++) v[i] = roles[role * roleEmbedding + i]!
  for (let i = 0; i < layerEmbedding; i++) v[roleEmbedding + i] = layers[layerId * layerEmbedding + i]!

  if (layernormInput) v = layerNorm(params, 'hypernet_encoder.norm_input', v)
  const h = rectified(linear(params, 'hypernet_encoder.fc_input', v))
  for (let block = 0; block < residualBlocks; block++) {
    const name = `hypernet_encoder.layers.${block}`
    const inner = rectified(linear(params, `${name}.fc1`, layerNorm(params, `${name}.norm`, h)))
    const step = linear(params, `${name}.fc2`, inner)
    for (let i = 0; i < h.length; i++) h[i]! += step[i]!
  }
  return layernormOutput ? layerNorm(params, 'hypernet_encoder.norm_output', h) : h
}

function layerNorm(params: Parameters, name: string, x: Float64Array): Float64Array<ArrayBuffer> {
  const gain = read(params, `${name}.weight`)
  const bias = read(params, `${name}.bias`)
  let mean = 0
  for (const value of x) mean += value / x.length
  let variance = 0
  for (const value of x) variance += (value - mean) ** 2 / x.length
  const y = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++)
    y[i] = (gain[i]! * (x[i]! - mean)) / Math.sqrt(variance + EPSILON) + bias[i]!
  return y
}

function linear(params: Parameters, name: string, x: Float64Array): Float64Array<ArrayBuffer> {
  const weight = read(params, `${name}.weight`)
  const bias = read(params, `${name}.bias`)
  const y = new Float64Array(bias.length)
  for (let o = 0; o < y.length; o++) {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += weight[o * x.length + i]! * x[i]!
    y[o] = sum + bias[o]!
  }
  return y
}

function rectified(x: Float64Array): Float64Array {
  return x.map((value) => Math.max(0, value))
}

function read(params: Parameters, name: string): ArrayLike<number> {
  const values = params.get(name)
  if (!values) throw new Error(`no parameter ${name}`)
  return values
}

function projectionOf(config: PackConfig, layerId: number): PackProjection {
  return config.projections[Math.floor(layerId / config.layers)]!
}
