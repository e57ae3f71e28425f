import type { PackConfig } from '../../src/formats/packConfig.ts'
import type { Parameters } from './hypernetwork.ts'
import { layerNormReference } from './layerNorm.ts'
import { layerNormBackwardReference } from './layerNormBackward.ts'
import { linearReference } from './linear.ts'
import { linearBackwardInputReference, linearBackwardWeightReference } from './linearBackward.ts'

const EPSILON = 1e-5

/** Gradients by the names of their parameters; all of a pack's tensors, zero where nothing flows. */
export type Gradients = Map<string, Float64Array<ArrayBuffer>>

/** Gradients of zero for every parameter. */
export function zeroGradients(params: Parameters): Gradients {
  return new Map([...params].map(([name, values]) => [name, new Float64Array(values.length)]))
}

/**
 * Adds to `gradients` what the gradient of one matrix brings: dMatrix is the gradient of A [in, rank] or B [rank, out] of a
 * role and an adapted layer, whatever source the side has.
 *
 * @param layerId projection index · layers + layer.
 */
export function hypernetworkBackwardReference(
  gradients: Gradients,
  params: Parameters,
  config: PackConfig,
  { side, role, layerId }: { readonly side: 'A' | 'B'; readonly role: number; readonly layerId: number },
  dMatrix: ArrayLike<number>,
): void {
  const projection = config.projections[Math.floor(layerId / config.layers)]!
  const stem = `layers.${layerId % config.layers}.${projection}.lora_${side}`
  const source = config.sources[side]
  if (source === 'shared') return add(gradients, stem, dMatrix)
  if (source === 'table') return add(gradients, `${stem}_table`, dMatrix, role * dMatrix.length)
  if (source === 'hyper+static') add(gradients, `${stem}0`, dMatrix)
  const generator = `${projection}_${side === 'A' ? 'down' : 'up'}_linear`
  generated(gradients, params, config, { generator, role, layerId }, dMatrix)
}

function add(gradients: Gradients, name: string, values: ArrayLike<number>, first = 0): void {
  const gradient = gradients.get(name)!
  for (let i = 0; i < values.length; i++) gradient[first + i]! += values[i]!
}

/** One row through the encoder and a generator, and back. */
function generated(
  gradients: Gradients,
  params: Parameters,
  config: PackConfig,
  {
    generator,
    role,
    layerId,
  }: { readonly generator: string; readonly role: number; readonly layerId: number },
  dMatrix: ArrayLike<number>,
): void {
  const { layerEmbedding, hidden, residualBlocks, layernormInput, layernormOutput } = config.hypernetwork!
  const roleEmbedding = config.roleEmbedding!
  const back: ((dy: Float64Array) => Float64Array)[] = []

  const dense = (name: string, x: Float64Array, relu: boolean): Float64Array => {
    const [weight, bias] = [params.get(`${name}.weight`)!, params.get(`${name}.bias`)!]
    const sizes = { rows: 1, inner: x.length, columns: bias.length }
    const y = linearReference(x, weight, sizes, { bias, relu })
    back.push((dy) => {
      const gate = relu ? { gate: y } : {}
      const { dweight, dbias } = linearBackwardWeightReference(dy, x, sizes, gate)
      add(gradients, `${name}.weight`, dweight)
      add(gradients, `${name}.bias`, dbias)
      return linearBackwardInputReference(dy, weight, sizes, gate)
    })
    return y
  }
  const norm = (name: string, x: Float64Array): Float64Array => {
    const [gain, bias] = [params.get(`${name}.weight`)!, params.get(`${name}.bias`)!]
    back.push((dy) => {
      const { dx, dgain, dbias } = layerNormBackwardReference(dy, x, gain, EPSILON)
      add(gradients, `${name}.weight`, dgain)
      add(gradients, `${name}.bias`, dbias)
      return dx
    })
    return layerNormReference(x, gain, bias, EPSILON)
  }

  const [roles, layers] = [params.get('roles_emb.weight')!, params.get('layers_emb.weight')!]
  let x: Float64Array = Float64Array.from({ length: roleEmbedding + layerEmbedding }, (_, i) =>
    i < roleEmbedding
      ? roles[role * roleEmbedding + i]!
      : layers[layerId * layerEmbedding + i - roleEmbedding]!,
  )
  if (layernormInput) x = norm('hypernet_encoder.norm_input', x)
  x = dense('hypernet_encoder.fc_input', x, true)
  const blocks = Array.from({ length: residualBlocks }, (_, block) => {
    const name = `hypernet_encoder.layers.${block}`
    const before = back.length
    const step = dense(`${name}.fc2`, dense(`${name}.fc1`, norm(`${name}.norm`, x), true), false)
    x = x.map((value, i) => value + step[i]!)
    return back.splice(before)
  })
  const outside = back.splice(0)
  if (layernormOutput) x = norm('hypernet_encoder.norm_output', x)
  const z = dense(`${generator}.down`, x, false)
  dense(`${generator}.up`, z, false)

  const run = (steps: typeof back, dy: Float64Array): Float64Array =>
    steps.toReversed().reduce((gradient, step) => step(gradient), dy)
  let gradient: Float64Array = run(
    back,
    Float64Array.from(dMatrix, (value) => value / Math.sqrt(hidden)),
  )
  for (const block of blocks.toReversed()) {
    const through = run(block, gradient)
    gradient = gradient.map((value, i) => value + through[i]!)
  }
  const dv = run(outside, gradient)
  add(gradients, 'roles_emb.weight', dv.subarray(0, roleEmbedding), role * roleEmbedding)
  add(gradients, 'layers_emb.weight', dv.subarray(roleEmbedding), layerId * layerEmbedding)
}
