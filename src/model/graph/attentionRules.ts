import type { OnnxNode } from '../../formats/onnx.ts'
import { fixed, fixedSize, isSame, symbolic } from './dimension.ts'
import { axisFromFront, intAttribute, scalarOf } from './node.ts'
import { isRows } from './linearRules.ts'
import { asRotated, isProjection, isSameRotary, joinedHeads } from './rotaryRules.ts'
import { layerOf } from './values.ts'
import type {
  Attended,
  Cached,
  HiddenValue,
  LinearOutput,
  Projected,
  Rotated,
  Scores,
  Value,
} from './values.ts'
import type { SideValue } from './sideValues.ts'

// Attention, written out: softmax(q·kᵀ·scale + mask)·v.

const KEYS = symbolic('keys')

/** Concat of dimensions of heads, or of the cache and the new keys or values. */
export function concatenated(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [a, b, ...more] = inputs
  const axis = axisFromFront(intAttribute(node, 'axis') ?? 0, 4)
  if (more.length > 0) return undefined
  if (!b) return a?.kind === 'past' ? a : undefined
  return a?.kind === 'past' ? behindCache(axis, a.dims, b) : joinedHeads(axis, a, b)
}

function behindCache(axis: number, past: readonly (typeof KEYS | null)[], added: Value): Value | undefined {
  if (axis !== 2 || added.kind !== 'hidden' || added.layout !== 'bhtd') return undefined
  const { meaning } = added
  // Projections that are not rotated are values, or keys without positions: what they meet tells.
  const of = meaning.kind === 'linear' && isProjection(meaning) ? meaning : asRotated(meaning)
  if (!of) return undefined
  if (past.length !== 4) return undefined
  if (
    ![1, 3].every((at) => !past[at] || fixedSize(past[at]) === undefined || isSame(past[at], added.dims[at]))
  ) {
    return undefined
  }
  const dims = added.dims.map((dim, at) => (at === 2 ? KEYS : dim))
  const factor = of.kind === 'rotated' ? of.factor : 1
  return { ...added, dims, meaning: { kind: 'cached', of, repeat: 1, factor } }
}

/** Mul or Div of queries, keys or scores, of the embeddings or of a linear layer's output by a known number. */
export function scaledBy(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [a, b] = inputs
  const [x, by] =
    a?.kind === 'hidden' ? [a, scalarOf(b)] : [b, node.opType === 'Mul' ? scalarOf(a) : undefined]
  if (x?.kind !== 'hidden' || !by) return undefined
  const meaning = x.layout === 'bhtd' ? (asRotated(x.meaning) ?? x.meaning) : x.meaning
  const factor = node.opType === 'Mul' ? by : 1 / by
  if (isRows(x) && meaning.kind === 'linear')
    return { ...x, meaning: { kind: 'scaled', of: meaning, factor } }
  if (meaning.kind === 'residual' && meaning.origin.kind === 'embedding') {
    const origin = { ...meaning.origin, factor: meaning.origin.factor * factor }
    return { ...x, meaning: { ...meaning, origin } }
  }
  if (meaning.kind === 'scores' && meaning.isMasked) return undefined
  if (meaning.kind !== 'rotated' && meaning.kind !== 'cached' && meaning.kind !== 'scores') return undefined
  return { ...x, meaning: { ...meaning, factor: meaning.factor * factor } }
}

/** MatMul of queries and keys, or of probabilities and values. */
export function attentionProduct(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (a?.kind !== 'hidden' || b?.kind !== 'hidden' || b.meaning.kind !== 'cached') return undefined
  if (!isSame(a.dims[1], b.dims[1])) return undefined
  const [left, right] = [a.meaning, b.meaning]
  const query = asRotated(left)
  if (query && a.layout === 'bhtd' && b.layout === 'bhdt') {
    const key = asRotated(right.of)
    if (!key || !isSameRotary(query.rotary, key.rotary) || !isSame(a.dims[3], b.dims[2])) return undefined
    const scores: Scores = {
      kind: 'scores',
      query,
      key: right,
      factor: query.factor * right.factor,
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
    ...(left.window && { window: left.window }),
  })
  if (!meaning || left.key.repeat !== right.repeat) return undefined
  return { ...a, layout: 'bhtd', dims: [...a.dims.slice(0, 3), fixed(headDim)], meaning }
}

/** Add of a mask that carries no hidden data to the scores, in either order. */
export function masked(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, mask] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (x?.kind !== 'hidden' || x.meaning.kind !== 'scores' || mask?.kind !== 'side') return undefined
  return { ...x, meaning: maskedBy(x.meaning, mask) }
}

function maskedBy(scores: Scores, { role }: SideValue): Scores {
  const window = Math.min(scores.window ?? Infinity, role.kind === 'mask' ? role.window : Infinity)
  return { ...scores, isMasked: true, ...(window < Infinity && { window }) }
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
  return (scalarOf(other) ?? 0) <= -1e4 ? { ...x, meaning: maskedBy(x.meaning, condition) } : undefined
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

/** Attention whose parts fit together; undefined where they do not. */
export function attended(
  query: Rotated,
  cached: Cached['of'],
  value: LinearOutput,
  sizes: Pick<Attended, 'heads' | 'kvHeads' | 'headDim' | 'scale' | 'window'>,
): Attended | undefined {
  const { heads, kvHeads, headDim } = sizes
  const key = asRotated(cached)
  if (!key || !isSameRotary(query.rotary, key.rotary)) return undefined
  const [q, k] = [layerOf(query.of), layerOf(key.of)]
  if (![q, k, value].every(isProjection) || !areNormedAlike(query.of, key.of, headDim)) return undefined
  if (![heads, kvHeads, headDim, heads / kvHeads].every((size) => Number.isInteger(size) && size > 0))
    return undefined
  const isSized =
    q.length === heads * headDim && k.length === kvHeads * headDim && value.length === kvHeads * headDim
  return isSized
    ? { kind: 'attended', query: query.of, key: key.of, value, rotary: query.rotary, ...sizes }
    : undefined
}

/** Norms of queries and keys: none, or both of each head, or both of all heads together. */
function areNormedAlike(query: Projected, key: Projected, headDim: number): boolean {
  if (query.kind === 'linear' || key.kind === 'linear') return query.kind === key.kind
  const isOfEach = query.columns === headDim && key.columns === headDim
  return isOfEach || (query.columns === query.of.length && key.columns === key.of.length)
}
