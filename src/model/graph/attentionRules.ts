import type { OnnxNode } from '../../formats/onnx.ts'
import { fixed, fixedSize, isSame, symbolic } from './dimension.ts'
import { isRows, sliceRanges, splitRanges, withFeatures } from './linearRules.ts'
import { axisFromFront, floatAttribute, hasOnly, intAttribute, scalarOf } from './node.ts'
import type {
  Attended,
  Cached,
  HiddenValue,
  LinearOutput,
  Normed,
  Rotated,
  RotaryStep,
  RotaryUse,
  Scores,
  Value,
} from './values.ts'

const KEYS = symbolic('keys')

/** Whether a value is the heads of a projection, [b, h, t, d] or [b, t, h, d]. */
function isHeads(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && (value.layout === 'bhtd' || value.layout === 'bthd')
}

function isProjection(output: LinearOutput): output is LinearOutput & { input: Normed } {
  return output.input.kind === 'normed'
}

// Rotary positions, written out: x·cos + turned(x)·sin.

/** The two halves of each head, by Slice or Split along the head size. */
export function headHalves(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [x] = inputs
  if (!isHeads(x) || x.meaning.kind !== 'linear') return undefined
  const along = { axis: 3, size: fixedSize(x.dims[3]) ?? 0 }
  const half = along.size / 2
  const ranges = node.opType === 'Split' ? splitRanges(node, inputs, along) : sliceRanges(inputs, along)
  if (!ranges || ranges.some((range) => range.length !== half)) return undefined
  const { meaning } = x
  return ranges.map(({ first }) => {
    const kind = first === 0 ? 'lowerHalf' : 'upperHalf'
    return { ...x, dims: withFeatures(x, half), meaning: { kind, of: meaning, role: null } }
  })
}

/** Neg of the upper half of each head. */
export function negatedHalf(x: HiddenValue): Value | undefined {
  if (x.meaning.kind !== 'upperHalf') return undefined
  return { ...x, meaning: { ...x.meaning, kind: 'negatedUpperHalf' } }
}

/** Concat of [−upper, lower], or of the cache and the new keys or values. */
export function concatenated(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [a, b, ...more] = inputs
  const axis = axisFromFront(intAttribute(node, 'axis') ?? 0, 4)
  if (more.length > 0) return undefined
  if (!b) return a?.kind === 'past' ? a : undefined
  return a?.kind === 'past' ? behindCache(axis, a.dims, b) : turnedHeads(axis, a, b)
}

function turnedHeads(axis: number, upper: Value | undefined, lower: Value): Value | undefined {
  if (axis !== 3 || !isHeads(upper) || !isHeads(lower) || upper.layout !== lower.layout) return undefined
  if (upper.meaning.kind !== 'negatedUpperHalf' || lower.meaning.kind !== 'lowerHalf') return undefined
  if (upper.meaning.of !== lower.meaning.of) return undefined
  const size = (fixedSize(lower.dims[3]) ?? 0) * 2
  return { ...lower, dims: withFeatures(lower, size), meaning: { ...lower.meaning, kind: 'turned' } }
}

function behindCache(axis: number, past: readonly (typeof KEYS | null)[], added: Value): Value | undefined {
  if (axis !== 2 || added.kind !== 'hidden' || added.layout !== 'bhtd') return undefined
  const { meaning } = added
  if (meaning.kind !== 'rotated' && !(meaning.kind === 'linear' && isProjection(meaning))) return undefined
  if (past.length !== 4) return undefined
  if (
    ![1, 3].every((at) => !past[at] || fixedSize(past[at]) === undefined || isSame(past[at], added.dims[at]))
  ) {
    return undefined
  }
  const dims = added.dims.map((dim, at) => (at === 2 ? KEYS : dim))
  const factor = meaning.kind === 'rotated' ? meaning.factor : 1
  return { ...added, dims, meaning: { kind: 'cached', of: meaning, repeat: 1, factor } }
}

/** Mul of heads by cosines, or of turned heads by sines. */
export function rotaryProduct(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, side] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (!isHeads(x) || side?.kind !== 'side') return undefined
  const { role } = side
  const { meaning } = x
  const isOf = (kind: 'cosine' | 'sine'): boolean =>
    role.kind === 'table' || (role.kind === kind && 'isDoubled' in role && role.isDoubled)
  if (meaning.kind === 'linear' && isProjection(meaning) && isOf('cosine')) {
    return { ...x, meaning: { kind: 'cosinePart', of: meaning, role } }
  }
  if (meaning.kind === 'turned' && isOf('sine'))
    return { ...x, meaning: { ...meaning, kind: 'sinePart', role } }
  return undefined
}

/** Add of the two products of a rotation, in either order. */
export function rotarySum(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (!isHeads(a) || !isHeads(b) || a.layout !== b.layout) return undefined
  const [cosine, sine] = a.meaning.kind === 'cosinePart' ? [a.meaning, b.meaning] : [b.meaning, a.meaning]
  if (cosine.kind !== 'cosinePart' || sine.kind !== 'sinePart' || cosine.of !== sine.of) return undefined
  const rotary = rotaryUse(cosine, sine)
  return rotary && { ...a, meaning: { kind: 'rotated', of: cosine.of, rotary, factor: 1 } }
}

function rotaryUse({ role: cosine }: RotaryStep, { role: sine }: RotaryStep): RotaryUse | undefined {
  if (cosine?.kind === 'table' && sine?.kind === 'table') {
    return { kind: 'tables', cos: cosine.tensor, sin: sine.tensor }
  }
  if (cosine?.kind !== 'cosine' || sine?.kind !== 'sine') return undefined
  if (cosine.tensor !== sine.tensor || cosine.scale !== sine.scale) return undefined
  return { kind: 'frequencies', tensor: cosine.tensor, scale: cosine.scale }
}

const ROTARY_ATTRIBUTES = ['interleaved', 'num_heads', 'rotary_embedding_dim', 'is_packed_batching', 'scale']

/** ONNX Runtime's RotaryEmbedding over whole heads, half split. */
export function rotaryEmbedding(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [x, position, cos, sin] = inputs
  if (x?.kind !== 'hidden' || x.meaning.kind !== 'linear' || !isProjection(x.meaning)) return undefined
  if ((x.layout !== 'btf' && x.layout !== 'bhtd') || position?.kind !== 'side') return undefined
  if (!hasOnly(node, ROTARY_ATTRIBUTES) || (intAttribute(node, 'interleaved') ?? 0) !== 0) return undefined
  if ((intAttribute(node, 'is_packed_batching') ?? 0) !== 0 || (floatAttribute(node, 'scale') ?? 1) !== 1) {
    return undefined
  }
  const rotary = storedTables(cos, sin)
  if (!rotary) return undefined
  const size = (rotary.cos.dims[1] ?? 0) * 2
  const partial = intAttribute(node, 'rotary_embedding_dim') ?? 0
  if ((partial !== 0 && partial !== size) || (x.layout === 'bhtd' && fixedSize(x.dims[3]) !== size))
    return undefined
  return { ...x, meaning: { kind: 'rotated', of: x.meaning, rotary, factor: 1 } }
}

function storedTables(
  cos: Value | undefined,
  sin: Value | undefined,
): Extract<RotaryUse, { kind: 'tables' }> | undefined {
  if (cos?.kind !== 'constant' || sin?.kind !== 'constant' || cos.isTransposed || sin.isTransposed)
    return undefined
  if (cos.tensor.dims.length !== 2 || cos.tensor.dims.some((dim, at) => dim !== sin.tensor.dims[at]))
    return undefined
  return { kind: 'tables', cos: cos.tensor, sin: sin.tensor }
}

// Attention, written out: softmax(q·kᵀ·scale + mask)·v.

/** Mul or Div of queries, keys or scores by a known number. */
export function scaledBy(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [a, b] = inputs
  const [x, by] =
    a?.kind === 'hidden' ? [a, scalarOf(b)] : [b, node.opType === 'Mul' ? scalarOf(a) : undefined]
  if (x?.kind !== 'hidden' || !by) return undefined
  const { meaning } = x
  const factor = node.opType === 'Mul' ? by : 1 / by
  if (meaning.kind === 'scores' && meaning.isMasked) return undefined
  if (meaning.kind !== 'rotated' && meaning.kind !== 'cached' && meaning.kind !== 'scores') return undefined
  return { ...x, meaning: { ...meaning, factor: meaning.factor * factor } }
}

/** MatMul of queries and keys, or of probabilities and values. */
export function attentionProduct(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (a?.kind !== 'hidden' || b?.kind !== 'hidden' || b.meaning.kind !== 'cached') return undefined
  if (!isSame(a.dims[1], b.dims[1])) return undefined
  const [left, right] = [a.meaning, b.meaning]
  if (left.kind === 'rotated' && right.of.kind === 'rotated' && a.layout === 'bhtd' && b.layout === 'bhdt') {
    if (!isSame(a.dims[3], b.dims[2])) return undefined
    const scores: Scores = {
      kind: 'scores',
      query: left,
      key: right,
      factor: left.factor * right.factor,
      isMasked: false,
    }
    return { ...a, layout: 'bhts', dims: [...a.dims.slice(0, 3), ...b.dims.slice(3)], meaning: scores }
  }
  if (
    left.kind !== 'probabilities' ||
    right.of.kind !== 'linear' ||
    b.layout !== 'bhtd' ||
    right.factor !== 1
  ) {
    return undefined
  }
  const heads = fixedSize(a.dims[1]) ?? 0
  const headDim = fixedSize(b.dims[3]) ?? 0
  const meaning = attended(left.query, left.key.of, right.of, {
    heads,
    kvHeads: heads / right.repeat,
    headDim,
    scale: left.factor,
  })
  if (!meaning || left.key.repeat !== right.repeat) return undefined
  return { ...a, layout: 'bhtd', dims: [...a.dims.slice(0, 3), fixed(headDim)], meaning }
}

/** Add of a mask that carries no hidden data to the scores, in either order. */
export function masked(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, mask] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (x?.kind !== 'hidden' || x.meaning.kind !== 'scores' || mask?.kind !== 'side') return undefined
  return { ...x, meaning: { ...x.meaning, isMasked: true } }
}

/** Where: masked scores, or zeros for rows that attend to nothing. */
export function chosen(
  condition: Value | undefined,
  yes: Value | undefined,
  no: Value | undefined,
): Value | undefined {
  if (condition?.kind === 'hidden') {
    const test = condition.meaning
    if (test.kind !== 'nanTest' || scalarOf(yes) !== 0 || no?.kind !== 'hidden') return undefined
    const { meaning } = no
    return meaning.kind === 'probabilities' && meaning.query === test.query && meaning.key === test.key
      ? no
      : undefined
  }
  const [x, other] = yes?.kind === 'hidden' ? [yes, no] : [no, yes]
  if (condition?.kind !== 'side' || x?.kind !== 'hidden' || x.meaning.kind !== 'scores') return undefined
  return (scalarOf(other) ?? 0) <= -1e4 ? { ...x, meaning: { ...x.meaning, isMasked: true } } : undefined
}

/** Softmax of masked scores over the cached positions. */
export function softmax(node: OnnxNode, x: HiddenValue, opset: number): Value | undefined {
  const axis = intAttribute(node, 'axis') ?? (opset < 13 ? 1 : -1)
  if (x.meaning.kind !== 'scores' || !x.meaning.isMasked || axisFromFront(axis, 4) !== 3) return undefined
  return { ...x, meaning: { ...x.meaning, kind: 'probabilities' } }
}

/** IsNaN of probabilities, which a row of nothing but masked scores fails. */
export function nanTest(x: HiddenValue): Value | undefined {
  return x.meaning.kind === 'probabilities' ? { ...x, meaning: { ...x.meaning, kind: 'nanTest' } } : undefined
}

// Attention in one node.

const GROUP_QUERY_ATTRIBUTES = [
  'num_heads',
  'kv_num_heads',
  'scale',
  'softcap',
  'local_window_size',
  'do_rotary',
  'rotary_interleaved',
  'smooth_softmax',
  'qk_output',
  'kv_cache_bit_width',
  'k_quant_type',
  'v_quant_type',
]

/** GroupQueryAttention of ONNX Runtime, packed or not, with the rotation inside or before it. */
export function groupQueryAttention(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [query, key, value, pastKey, pastValue, lengths, total, cos, sin, position, ...more] = inputs
  const heads = intAttribute(node, 'num_heads') ?? 0
  const kvHeads = intAttribute(node, 'kv_num_heads') ?? 0
  const window = intAttribute(node, 'local_window_size') ?? -1
  if (!isPlainGroupQuery(node) || more.some((input) => input) || !isRows(query)) return undefined
  if (!isKnownBeforehand(lengths) || !isKnownBeforehand(total)) return undefined
  if (position && !isKnownBeforehand(position)) return undefined
  if (
    ![pastKey, pastValue].every(
      (past) => !past || (past.kind === 'past' && fixedSize(past.dims[1]) === kvHeads),
    )
  ) {
    return undefined
  }
  const parts = key || value ? separate(query, key, value) : packed(query, heads, kvHeads)
  if (!parts) return undefined
  const turned = intAttribute(node, 'do_rotary') === 1 ? rotateWith(parts, cos, sin) : parts
  if (turned?.query.kind !== 'rotated' || turned.key.kind !== 'rotated') return undefined
  const headDim = turned.query.of.length / heads
  const meaning = attended(turned.query, turned.key, turned.value, {
    heads,
    kvHeads,
    headDim,
    scale: floatAttribute(node, 'scale') || headDim ** -0.5,
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
    ['rotary_interleaved', 'smooth_softmax', 'qk_output', 'kv_cache_bit_width'].every(
      (name) => (intAttribute(node, name) ?? 0) <= 0,
    )
  )
}

interface Parts {
  readonly query: LinearOutput | Rotated
  readonly key: LinearOutput | Rotated
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
  if (!isRows(key) || !isRows(value) || value.meaning.kind !== 'linear') return undefined
  const [q, k] = [query.meaning, key.meaning]
  if ((q.kind !== 'linear' && q.kind !== 'rotated') || (k.kind !== 'linear' && k.kind !== 'rotated'))
    return undefined
  return { query: q, key: k, value: value.meaning }
}

function rotateWith(parts: Parts, cos: Value | undefined, sin: Value | undefined): Parts | undefined {
  const rotary = storedTables(cos, sin)
  const { query, key } = parts
  if (!rotary || query.kind !== 'linear' || key.kind !== 'linear') return undefined
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
  if (!isRows(query) || !isRows(key) || !isRows(value) || mask?.kind !== 'side') return undefined
  const [q, k, v] = [query.meaning, key.meaning, value.meaning]
  if (q.kind !== 'rotated' || k.kind !== 'cached' || v.kind !== 'cached' || v.of.kind !== 'linear')
    return undefined
  if (k.factor !== 1 || v.factor !== 1 || q.factor !== 1 || k.repeat !== v.repeat) return undefined
  const headDim = q.of.length / heads
  const meaning = attended(q, k.of, v.of, {
    heads,
    kvHeads: heads / k.repeat,
    headDim,
    scale: floatAttribute(node, 'scale') || headDim ** -0.5,
  })
  if (!meaning) return undefined
  return [{ ...query, dims: withFeatures(query, heads * headDim), meaning }]
}

function attended(
  query: Rotated,
  key: Cached['of'],
  value: LinearOutput,
  sizes: Pick<Attended, 'heads' | 'kvHeads' | 'headDim' | 'scale' | 'window'>,
): Attended | undefined {
  const { heads, kvHeads, headDim } = sizes
  if (key.kind !== 'rotated' || !isSameRotary(query.rotary, key.rotary)) return undefined
  if (![query.of, key.of, value].every(isProjection)) return undefined
  if (![heads, kvHeads, headDim, heads / kvHeads].every((size) => Number.isInteger(size) && size > 0))
    return undefined
  const isSized =
    query.of.length === heads * headDim &&
    key.of.length === kvHeads * headDim &&
    value.length === kvHeads * headDim
  return isSized
    ? { kind: 'attended', query: query.of, key: key.of, value, rotary: query.rotary, ...sizes }
    : undefined
}

function isSameRotary(a: RotaryUse, b: RotaryUse): boolean {
  if (a.kind === 'tables') return b.kind === 'tables' && a.cos === b.cos && a.sin === b.sin
  return b.kind === 'frequencies' && a.tensor === b.tensor && a.scale === b.scale
}
