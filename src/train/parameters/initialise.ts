import { check } from '../../core/errors.ts'
import { Random } from '../../core/random.ts'
import { expectedTensors } from '../../formats/packConfig.ts'
import type { HypernetworkConfig, PackConfig, PackProjection } from '../../formats/packConfig.ts'
import type { SafetensorsTensor } from '../../formats/safetensors.ts'
import { sizeOf } from '../../gpu/tensor.ts'

/** Tensors by the pack's names. */
export type NamedTensors = ReadonlyMap<string, Float32Array<ArrayBuffer>>

type MutableTensors = Map<string, Float32Array<ArrayBuffer>>

/** Roles are drawn alike, so that this many tell the spread of all. */
const MEASURED_ROLES = 16
const EPSILON = 1e-5

/** How far a new role's vector lies from the mean of the others, in shares of their own spread. */
const NEW_ROLE_SPREAD = 0.05

/**
 * The tensors of a run that starts from nothing: linears Xavier-uniform, biases 0, norms the identity, embeddings
 * normal(0, 1) truncated at ±2; B = 0, so that the first step leaves the backbone as it is. A of every projection, stored or
 * generated, has the standard deviation 1/√(3·in): stored A is uniform in ±1/√in, and the last linear of a generator is scaled
 * until its A, over roles and layers, have it on average. The last linear of generated B is 0. The codes z of a generator of A
 * begin without a common part, b_D = −D·h̄, for training adds to what all roles share before it tells them apart.
 *
 * @param seed the same tensors for the same seed.
 */
export function initialTensors(
  config: PackConfig,
  roles: number,
  { hasHeads, seed }: { readonly hasHeads: boolean; readonly seed: number },
): NamedTensors {
  const tensors: MutableTensors = new Map()
  let stream = 0
  for (const [name, shape] of expectedTensors(config, roles, { hasHeads })) {
    // A stream of its own keeps every tensor the same whatever else a pack has.
    const draw = drawOf(name, shape, new Random(seed, ++stream))
    tensors.set(
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => draw()),
    )
  }
  if (config.hypernetwork && config.sources.A.startsWith('hyper')) {
    beginGenerators(tensors, config, config.hypernetwork, roles)
  }
  return tensors
}

/** Where a tensor's elements come from. */
function drawOf(name: string, shape: readonly number[], random: Random): () => number {
  const uniform = (bound: number) => (): number => (2 * random.nextUniform() - 1) * bound
  if (/norm\w*\.weight$/.test(name)) return () => 1
  if (name.endsWith('.bias') || /\.lora_B/.test(name) || /_up_linear\.up\./.test(name)) return () => 0
  if (name.endsWith('_emb.weight')) return () => truncatedNormal(random)
  const [rows = 1, columns = 1] = shape.slice(-2)
  if (/\.lora_A/.test(name)) return uniform(1 / Math.sqrt(rows))
  return uniform(Math.sqrt(6 / (rows + columns)))
}

function truncatedNormal(random: Random): number {
  for (;;) {
    const value = random.nextNormal()
    if (Math.abs(value) <= 2) return value
  }
}

function read(tensors: NamedTensors, name: string): Float32Array<ArrayBuffer> {
  const values = tensors.get(name)
  check(values, 'format-invalid', () => `there is no tensor ${name}`)
  return values
}

/** `y = W·x`, plus the bias where there is one. */
function linear(tensors: NamedTensors, name: string, x: Float64Array): Float64Array {
  const bias = read(tensors, `${name}.bias`)
  const weight = read(tensors, `${name}.weight`)
  const y = Float64Array.from(bias)
  for (let o = 0; o < y.length; o++) {
    let sum = y[o] ?? 0
    const row = o * x.length
    for (let i = 0; i < x.length; i++) sum += (weight[row + i] ?? 0) * (x[i] ?? 0)
    y[o] = sum
  }
  return y
}

/** Layer norm as it starts, with gain 1 and bias 0. */
function normed(x: Float64Array): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length
  return x.map((value) => (value - mean) / Math.sqrt(variance + EPSILON))
}

function rectified(x: Float64Array): Float64Array {
  return x.map((value) => Math.max(0, value))
}

/** h of one role and one adapted layer. */
function encode(
  tensors: NamedTensors,
  { layerEmbedding, residualBlocks, layernormInput, layernormOutput }: HypernetworkConfig,
  roleEmbedding: number,
  role: number,
  layerId: number,
): Float64Array {
  const v = Float64Array.of(
    ...read(tensors, 'roles_emb.weight').subarray(role * roleEmbedding, (role + 1) * roleEmbedding),
    ...read(tensors, 'layers_emb.weight').subarray(layerId * layerEmbedding, (layerId + 1) * layerEmbedding),
  )
  const h = rectified(linear(tensors, 'hypernet_encoder.fc_input', layernormInput ? normed(v) : v))
  for (let block = 0; block < residualBlocks; block++) {
    const name = `hypernet_encoder.layers.${block}`
    const inner = rectified(linear(tensors, `${name}.fc1`, normed(h)))
    linear(tensors, `${name}.fc2`, inner).forEach((value, i) => (h[i] = (h[i] ?? 0) + value))
  }
  return layernormOutput ? normed(h) : h
}

/**
 * Begins every generator of A: b_D = −D·h̄ over roles and layers, and `up` scaled so that std(A), averaged over them, is
 * 1/√(3·in).
 */
function beginGenerators(
  tensors: MutableTensors,
  config: PackConfig,
  size: HypernetworkConfig,
  roles: number,
): void {
  const measured = Math.min(roles, MEASURED_ROLES)
  config.projections.forEach((projection, index) => {
    const name = `${projection}_down_linear`
    const encoded: Float64Array[] = []
    for (let role = 0; role < measured; role++) {
      for (let layer = 0; layer < config.layers; layer++) {
        encoded.push(encode(tensors, size, config.roleEmbedding ?? 0, role, index * config.layers + layer))
      }
    }
    // A single h is all that there is in common: without it, A would be 0 and learn nothing.
    if (encoded.length > 1) {
      const common = linear(tensors, `${name}.down`, meanOf(encoded))
      tensors.set(
        `${name}.down.bias`,
        Float32Array.from(common, (value) => -value),
      )
    }
    let sum = 0
    for (const h of encoded) {
      sum +=
        spread(linear(tensors, `${name}.up`, linear(tensors, `${name}.down`, h))) / Math.sqrt(size.hidden)
    }
    const factor = targetSpread(config, projection) / (sum / encoded.length)
    const weight = read(tensors, `${name}.up.weight`)
    tensors.set(
      `${name}.up.weight`,
      weight.map((value) => value * factor),
    )
  })
}

function meanOf(vectors: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(vectors[0]?.length ?? 0)
  for (const vector of vectors) {
    vector.forEach((value, i) => (mean[i] = (mean[i] ?? 0) + value / vectors.length))
  }
  return mean
}

function targetSpread({ dims }: PackConfig, projection: PackProjection): number {
  return 1 / Math.sqrt(3 * (dims.get(projection)?.[0] ?? 1))
}

/** The standard deviation of values. */
function spread(values: Float32Array | Float64Array): number {
  let mean = 0
  for (const value of values) mean += value / values.length
  let variance = 0
  for (const value of values) variance += (value - mean) ** 2 / values.length
  return Math.sqrt(variance)
}

/**
 * The tensors of a pack with one role more, the last: its row in every table is the mean of the others, its vector a little
 * off.
 *
 * The mean is where the hyper-network has been trained all around, so that the new role starts as an average character and
 * not as noise that the generators have never seen. The step aside keeps two roles that are added one after the other from
 * being the same, and the contrastive loss, which pulls roles apart along their difference, from having none to pull along.
 *
 * @param roles how many roles there are before.
 */
export function withNewRole(tensors: NamedTensors, roles: number, seed: number): NamedTensors {
  const grown: MutableTensors = new Map(tensors)
  for (const [name, values] of tensors) {
    const isVector = name === 'roles_emb.weight'
    if (!isVector && !/\.lora_[AB]_table$/.test(name)) continue
    const width = values.length / roles
    const mean = new Float64Array(width)
    values.forEach((value, i) => (mean[i % width] = (mean[i % width] ?? 0) + value / roles))
    // One role has no spread around itself; a fresh vector's is 1.
    const differences = values.map((value, i) => value - (mean[i % width] ?? 0))
    const scale = NEW_ROLE_SPREAD * (roles > 1 ? spread(differences) : 1)
    const random = new Random(seed, roles)
    const row = mean.map((value) => value + (isVector ? scale * truncatedNormal(random) : 0))
    const table = new Float32Array(values.length + width)
    table.set(values)
    table.set(row, values.length)
    grown.set(name, table)
  }
  return grown
}

/**
 * Values as tensors of a pack, F32.
 *
 * @throws HycoraError `format-invalid` when one is missing, `shape-mismatch` when one has another size.
 */
export function packTensors(
  config: PackConfig,
  roles: number,
  values: NamedTensors,
  { hasHeads }: { readonly hasHeads: boolean },
): Map<string, SafetensorsTensor> {
  const tensors = new Map<string, SafetensorsTensor>()
  for (const [name, shape] of expectedTensors(config, roles, { hasHeads })) {
    const own = read(values, name)
    check(own.length === sizeOf(shape), 'shape-mismatch', () => {
      return `${name} has ${own.length} elements, expected [${shape.join(', ')}]`
    })
    tensors.set(name, {
      dtype: 'F32',
      shape,
      bytes: new Uint8Array(own.buffer, own.byteOffset, own.byteLength),
    })
  }
  return tensors
}
