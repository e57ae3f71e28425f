import type { OnnxNode } from '../../formats/onnx.ts'
import { attended } from './attentionRules.ts'
import { fixedSize } from './dimension.ts'
import { isOfTexts, withFeatures } from './linearRules.ts'
import { floatAttribute, hasOnly, intAttribute, vectorOf } from './node.ts'
import { asRotated, isProjection, projected, storedRotation } from './rotaryRules.ts'
import { layerOf } from './values.ts'
import type { SideValue } from './sideValues.ts'
import type { HiddenValue, LinearOutput, Projected, Rotated, Value } from './values.ts'

// Attention in one node.

const GROUP_QUERY_ATTRIBUTES = [
  'num_heads',
  'kv_num_heads',
  'scale',
  'softcap',
  'local_window_size',
  // How the graph's own cache is held, which ours takes the place of.
  'sliding_window_cache',
  'do_rotary',
  'rotary_interleaved',
  'smooth_softmax',
  'qk_output',
  'kv_cache_bit_width',
  'k_quant_type',
  'v_quant_type',
  'qk_norm_epsilon',
]

/** Places of the gains of the heads' norms among the inputs behind the positions. */
const [QUERY_GAIN, KEY_GAIN] = [4, 5]

/** Epsilon of these norms where the attribute is left out. */
const HEAD_NORM_EPSILON = 1e-6

/** GroupQueryAttention of ONNX Runtime, packed or not, with the rotation inside or before it. */
export function groupQueryAttention(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [query, key, value, pastKey, pastValue, lengths, total, cos, sin, position, ...more] = inputs
  const [queryGain, keyGain] = more.slice(QUERY_GAIN)
  const heads = intAttribute(node, 'num_heads') ?? 0
  const kvHeads = intAttribute(node, 'kv_num_heads') ?? 0
  const window = intAttribute(node, 'local_window_size') ?? -1
  if (!isPlainGroupQuery(node) || more.some(isOtherInput) || !isOfTexts(query)) return undefined
  if (!isKnownBeforehand(lengths) || !isKnownBeforehand(total)) return undefined
  if (position && !isKnownBeforehand(position)) return undefined
  if (
    ![pastKey, pastValue].every(
      (past) => !past || (past.kind === 'past' && fixedSize(past.dims[1]) === kvHeads),
    )
  ) {
    return undefined
  }
  const given = key || value ? separate(query, key, value) : packed(query, heads, kvHeads)
  const parts = given && withHeadNorms(node, given, [queryGain, keyGain])
  if (!parts) return undefined
  const turned = intAttribute(node, 'do_rotary') === 1 ? rotateWith(node, parts, [cos, sin]) : parts
  const [q, k] = turned ? [asRotated(turned.query), asRotated(turned.key)] : []
  if (!turned || !q || !k) return undefined
  const headDim = layerOf(q.of).length / heads
  const meaning = attended(q, k, turned.value, {
    heads,
    kvHeads,
    headDim,
    scale: (floatAttribute(node, 'scale') || headDim ** -0.5) * q.factor * k.factor,
    ...(window > 0 && { window }),
  })
  if (!meaning) return undefined
  const output: Value = { ...query, dims: withFeatures(query, heads * headDim), meaning }
  const cache: Value = {
    kind: 'unplaced',
    node,
    reason: 'gives a cache that only the graph’s outputs may use',
  }
  return node.outputs.map((_, at) => (at === 0 ? output : cache))
}

function isKnownBeforehand(value: Value | undefined): boolean {
  return value?.kind === 'side' || value?.kind === 'numbers'
}

function isPlainGroupQuery(node: OnnxNode): boolean {
  return (
    hasOnly(node, GROUP_QUERY_ATTRIBUTES) &&
    (floatAttribute(node, 'softcap') ?? 0) === 0 &&
    ['smooth_softmax', 'qk_output', 'kv_cache_bit_width'].every(
      (name) => (intAttribute(node, name) ?? 0) <= 0,
    )
  )
}

/** Inputs beyond the positions: all but the gains of the heads' norms ask for what no decoder here has. */
function isOtherInput(input: Value | undefined, at: number): boolean {
  return input !== undefined && at !== QUERY_GAIN && at !== KEY_GAIN
}

interface Parts {
  readonly query: Projected | Rotated
  readonly key: Projected | Rotated
  readonly value: LinearOutput
}

function packed({ meaning }: HiddenValue, heads: number, kvHeads: number): Parts | undefined {
  if (meaning.kind !== 'linear' || !isProjection(meaning)) return undefined
  const size = meaning.length / (heads + 2 * kvHeads)
  const slice = (first: number, count: number): LinearOutput => ({
    ...meaning,
    first: meaning.first + first * size,
    length: count * size,
    bias: meaning.bias && { ...meaning.bias, first: meaning.bias.first + first * size },
  })
  if (!Number.isInteger(size)) return undefined
  return { query: slice(0, heads), key: slice(heads, kvHeads), value: slice(heads + kvHeads, kvHeads) }
}

function separate(query: HiddenValue, key: Value | undefined, value: Value | undefined): Parts | undefined {
  if (!isOfTexts(key) || !isOfTexts(value) || value.meaning.kind !== 'linear') return undefined
  const [q, k] = [query.meaning, key.meaning]
  const [ownQuery, ownKey] = [q, k].map((meaning) =>
    meaning.kind === 'rotated' ? meaning : projected(meaning),
  )
  return ownQuery && ownKey && { query: ownQuery, key: ownKey, value: value.meaning }
}

/** The norms of query and key heads that stand inside of the node: with the gain of one, that of the other too. */
function withHeadNorms(
  node: OnnxNode,
  parts: Parts,
  gains: readonly (Value | undefined)[],
): Parts | undefined {
  if (!gains.some((gain) => gain)) return parts
  const { query, key } = parts
  const epsilon = floatAttribute(node, 'qk_norm_epsilon') ?? HEAD_NORM_EPSILON
  const [queryNorm, keyNorm] = [query, key].map((part, at): Projected | undefined => {
    const gain = gains[at]
    const columns = gain?.kind === 'constant' ? (gain.dims[0] ?? 0) : 0
    const tensor = vectorOf(gain, columns)
    if (!tensor || part.kind !== 'linear') return undefined
    return { kind: 'normedLinear', of: part, epsilon, gain: { tensor, plus: 0 }, columns }
  })
  return queryNorm && keyNorm && { ...parts, query: queryNorm, key: keyNorm }
}

function rotateWith(
  node: OnnxNode,
  parts: Parts,
  [cos, sin]: readonly (Value | undefined)[],
): Parts | undefined {
  const rotary = storedRotation(cos, sin, (intAttribute(node, 'rotary_interleaved') ?? 0) === 1)
  const { query, key } = parts
  if (!rotary || query.kind === 'rotated' || key.kind === 'rotated') return undefined
  return {
    ...parts,
    query: { kind: 'rotated', of: query, rotary, factor: 1 },
    key: { kind: 'rotated', of: key, rotary, factor: 1 },
  }
}

const MULTI_HEAD_ATTRIBUTES = ['num_heads', 'scale', 'unidirectional', 'mask_filter_value']

/** MultiHeadAttention of ONNX Runtime on queries as rows and on keys and values behind the cache. */
export function multiHeadAttention(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [query, key, value, bias, padding, mask, ...more] = inputs
  const heads = intAttribute(node, 'num_heads') ?? 0
  if (!hasOnly(node, MULTI_HEAD_ATTRIBUTES) || bias || padding || more.some((input) => input))
    return undefined
  if (!isOfTexts(query) || !isOfTexts(key) || !isOfTexts(value) || mask?.kind !== 'side') return undefined
  const [q, k, v] = [asRotated(query.meaning), key.meaning, value.meaning]
  if (!q || k.kind !== 'cached' || v.kind !== 'cached' || v.of.kind !== 'linear') return undefined
  if (k.factor !== 1 || v.factor !== 1 || q.factor !== 1 || k.repeat !== v.repeat) return undefined
  const headDim = layerOf(q.of).length / heads
  const meaning = attended(q, k.of, v.of, {
    heads,
    kvHeads: heads / k.repeat,
    headDim,
    scale: floatAttribute(node, 'scale') || headDim ** -0.5,
    ...windowOf(mask),
  })
  if (!meaning) return undefined
  return [{ ...query, dims: withFeatures(query, heads * headDim), meaning }]
}

function windowOf({ role }: SideValue): { window?: number } {
  return role.kind === 'mask' ? { window: role.window } : {}
}

const STANDARD_ATTRIBUTES = [
  'is_causal',
  'scale',
  'softcap',
  'qk_matmul_output_mode',
  'softmax_precision',
  'q_num_heads',
  'kv_num_heads',
]

/** ONNX's own Attention on heads of queries, and of keys and values behind the cache, with a mask. */
export function standardAttention(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [query, key, value, mask, ...more] = inputs
  if (!hasOnly(node, STANDARD_ATTRIBUTES) || more.some((input) => input)) return undefined
  if ((intAttribute(node, 'is_causal') ?? 0) !== 0 || (floatAttribute(node, 'softcap') ?? 0) !== 0) {
    return undefined
  }
  if (!isOfHeads(query) || !isOfHeads(key) || !isOfHeads(value) || mask?.kind !== 'side') return undefined
  const [q, k, v] = [asRotated(query.meaning), key.meaning, value.meaning]
  if (!q || k.kind !== 'cached' || v.kind !== 'cached' || v.of.kind !== 'linear') return undefined
  if (v.factor !== 1 || k.repeat !== v.repeat) return undefined
  const [heads, headDim] = [fixedSize(query.dims[1]) ?? 0, fixedSize(query.dims[3]) ?? 0]
  const meaning = attended(q, k.of, v.of, {
    heads,
    kvHeads: (fixedSize(key.dims[1]) ?? 0) / k.repeat,
    headDim,
    scale: (floatAttribute(node, 'scale') || headDim ** -0.5) * q.factor * k.factor,
    ...windowOf(mask),
  })
  if (!meaning) return undefined
  const weights: Value = { kind: 'unplaced', node, reason: 'gives what no decoder uses' }
  return node.outputs.map((_, at) => (at === 0 ? { ...query, meaning } : weights))
}

function isOfHeads(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && value.layout === 'bhtd'
}
