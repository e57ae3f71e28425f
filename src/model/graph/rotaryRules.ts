import type { OnnxNode } from '../../formats/onnx.ts'
import { fixedSize } from './dimension.ts'
import { sliceRanges, splitRanges, withFeatures } from './linearRules.ts'
import { floatAttribute, hasOnly, intAttribute } from './node.ts'
import { layerOf } from './values.ts'
import type {
  AngleSource,
  HiddenValue,
  LinearOutput,
  Meaning,
  Normed,
  Projected,
  Residual,
  Rotated,
  RotaryStep,
  RotaryUse,
  SideRole,
  Value,
} from './values.ts'

// Rotary positions, written out, x·cos + turned(x)·sin, or in one node.

/** Whether a value is the heads of a projection, [b, h, t, d] or [b, t, h, d]. */
function isHeads(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && (value.layout === 'bhtd' || value.layout === 'bthd')
}

/** Whether a linear layer reads the residual stream or its norm, as those of queries, keys and values do. */
export function isProjection(output: LinearOutput): output is LinearOutput & { input: Normed | Residual } {
  return output.input.kind === 'normed' || output.input.kind === 'residual'
}

/** Queries or keys before their rotation, as a projection or its norm gives them. */
export function projected(meaning: Meaning): Projected | undefined {
  if (meaning.kind !== 'linear' && meaning.kind !== 'normedLinear') return undefined
  return isProjection(layerOf(meaning)) ? meaning : undefined
}

/** Queries or keys as attention takes them; projections that are not rotated have positions only by what they see. */
export function asRotated(meaning: Meaning): Rotated | undefined {
  if (meaning.kind === 'rotated') return meaning
  const of = projected(meaning)
  return of && { kind: 'rotated', of, rotary: null, factor: 1 }
}

/** Some dimensions of each head, by Slice or Split along the head size. */
export function headSlices(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [x] = inputs
  const from = isHeads(x) ? dimensionsOf(x) : undefined
  if (!isHeads(x) || !from) return undefined
  const along = { axis: 3, size: from.length }
  const ranges = node.opType === 'Split' ? splitRanges(node, inputs, along) : sliceRanges(inputs, along)
  return ranges?.map(({ first, length }) => {
    return { ...x, dims: withFeatures(x, length), meaning: { ...from, first: from.first + first, length } }
  })
}

/** Which dimensions of its heads a value is. */
function dimensionsOf(x: HiddenValue): RotaryStep | undefined {
  if (x.meaning.kind === 'dimensions') return x.meaning
  const of = projected(x.meaning)
  const headDim = fixedSize(x.dims[3]) ?? 0
  return of && { kind: 'dimensions', of, headDim, first: 0, length: headDim, role: null }
}

/** Neg of the upper half of each head. */
export function negatedHalf(x: HiddenValue): Value | undefined {
  if (x.meaning.kind !== 'dimensions') return undefined
  return { ...x, meaning: { ...x.meaning, kind: 'negated' } }
}

/** Concat along the head size: of [−upper, lower], or of the rotated dimensions and those that are not. */
export function joinedHeads(axis: number, a: Value | undefined, b: Value): Value | undefined {
  if (axis !== 3 || !isHeads(a) || !isHeads(b) || a.layout !== b.layout) return undefined
  const [start, end] = [a.meaning, b.meaning]
  if (end.kind !== 'dimensions' || !('of' in start) || start.of !== end.of) return undefined
  const { headDim } = end
  if (
    start.kind === 'negated' &&
    start.first === end.length &&
    end.first === 0 &&
    start.length === end.length
  ) {
    const length = 2 * end.length
    return { ...b, dims: withFeatures(b, length), meaning: { ...end, kind: 'turned', length } }
  }
  const isRest =
    start.kind === 'rotatedPart' && end.first === start.length && start.length + end.length === headDim
  if (!isRest || !start.rotary) return undefined
  const meaning: Rotated = { kind: 'rotated', of: start.of, rotary: start.rotary, factor: 1 }
  return { ...b, dims: withFeatures(b, headDim), meaning }
}

/** Mul of heads by cosines, or of turned heads by sines. */
export function rotaryProduct(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, side] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (!isHeads(x) || side?.kind !== 'side') return undefined
  const { role } = side
  const { meaning } = x
  const isOf = (kind: 'cosine' | 'sine'): boolean =>
    role.kind === 'table' || (role.kind === kind && 'isDoubled' in role && role.isDoubled)
  const from = dimensionsOf(x)
  if (from && from.first === 0 && isOf('cosine')) {
    return { ...x, meaning: { ...from, kind: 'cosinePart', role } }
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
  const angles = angleSource(cosine.role, sine.role)
  if (!angles || cosine.length !== sine.length) return undefined
  const rotary = { angles, dim: cosine.length, isInterleaved: false }
  return cosine.length === cosine.headDim
    ? { ...a, meaning: { kind: 'rotated', of: cosine.of, rotary, factor: 1 } }
    : { ...a, meaning: { ...cosine, kind: 'rotatedPart', rotary } }
}

function angleSource(cosine: SideRole | null, sine: SideRole | null): AngleSource | undefined {
  if (cosine?.kind === 'table' && sine?.kind === 'table') {
    return { kind: 'tables', cos: cosine.tensor, sin: sine.tensor }
  }
  if (cosine?.kind !== 'cosine' || sine?.kind !== 'sine') return undefined
  if (cosine.tensor !== sine.tensor || cosine.scale !== sine.scale) return undefined
  return { kind: 'frequencies', tensor: cosine.tensor, scale: cosine.scale }
}

const ROTARY_ATTRIBUTES = ['interleaved', 'num_heads', 'rotary_embedding_dim', 'is_packed_batching', 'scale']

/** ONNX Runtime's RotaryEmbedding. */
export function rotaryEmbedding(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [x, position, cos, sin] = inputs
  const of = x?.kind === 'hidden' ? projected(x.meaning) : undefined
  if (x?.kind !== 'hidden' || !of) return undefined
  if ((x.layout !== 'btf' && x.layout !== 'bhtd') || position?.kind !== 'side') return undefined
  if (!hasOnly(node, ROTARY_ATTRIBUTES)) return undefined
  if ((intAttribute(node, 'is_packed_batching') ?? 0) !== 0 || (floatAttribute(node, 'scale') ?? 1) !== 1) {
    return undefined
  }
  const rotary = storedRotation(cos, sin, (intAttribute(node, 'interleaved') ?? 0) === 1)
  const partial = intAttribute(node, 'rotary_embedding_dim') ?? 0
  // Left out, all of a head is rotated.
  const stated = partial || (x.layout === 'bhtd' ? fixedSize(x.dims[3]) : rotary?.dim)
  if (!rotary || stated !== rotary.dim) return undefined
  return { ...x, meaning: { kind: 'rotated', of, rotary, factor: 1 } }
}

const STANDARD_ATTRIBUTES = ['interleaved', 'num_heads', 'rotary_embedding_dim']

/** ONNX's own RotaryEmbedding: by rows of stored tables, or by the tokens' own cosines and sines. */
export function standardRotary(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [x, cos, sin, position, ...more] = inputs
  const of = x?.kind === 'hidden' ? projected(x.meaning) : undefined
  if (x?.kind !== 'hidden' || !of || more.length > 0 || !hasOnly(node, STANDARD_ATTRIBUTES)) return undefined
  const ofRow = x.layout === 'btf' ? layerOf(of).length / (intAttribute(node, 'num_heads') ?? 0) : 0
  const headDim = x.layout === 'bhtd' ? (fixedSize(x.dims[3]) ?? 0) : ofRow
  const dim = intAttribute(node, 'rotary_embedding_dim') || headDim
  const isInterleaved = intAttribute(node, 'interleaved') === 1
  if (!Number.isInteger(dim) || dim <= 0) return undefined
  const rotary = position
    ? storedRotation(cos, sin, isInterleaved)
    : tokenRotation(cos, sin, { dim, isInterleaved })
  const isPlaced = !position || position.kind === 'side'
  return rotary?.dim === dim && isPlaced
    ? { ...x, meaning: { kind: 'rotated', of, rotary, factor: 1 } }
    : undefined
}

/** The rotation by cosines and sines of each token, [batch, tokens, dim / 2]. */
function tokenRotation(
  cos: Value | undefined,
  sin: Value | undefined,
  sizes: Pick<RotaryUse, 'dim' | 'isInterleaved'>,
): RotaryUse | undefined {
  if (cos?.kind !== 'side' || sin?.kind !== 'side') return undefined
  if ([cos.role, sin.role].some((role) => 'isDoubled' in role && role.isDoubled)) return undefined
  const angles = angleSource(cos.role, sin.role)
  return angles && { ...sizes, angles }
}

/** The rotation by cosines and sines that are stored as they are. */
export function storedRotation(
  cos: Value | undefined,
  sin: Value | undefined,
  isInterleaved: boolean,
): RotaryUse | undefined {
  if (cos?.kind !== 'constant' || sin?.kind !== 'constant' || cos.isTransposed || sin.isTransposed)
    return undefined
  if (cos.tensor.dims.length !== 2 || cos.tensor.dims.some((dim, at) => dim !== sin.tensor.dims[at]))
    return undefined
  const angles: AngleSource = { kind: 'tables', cos: cos.tensor, sin: sin.tensor }
  return { angles, dim: 2 * (cos.tensor.dims[1] ?? 0), isInterleaved }
}

/** Whether queries and keys, or those of two blocks, are turned alike. */
export function isSameRotary(a: RotaryUse | null, b: RotaryUse | null): boolean {
  if (!a || !b) return a === b
  return a.dim === b.dim && a.isInterleaved === b.isInterleaved && areSameAngles(a.angles, b.angles)
}

function areSameAngles(a: AngleSource, b: AngleSource): boolean {
  if (a.kind === 'tables') return b.kind === 'tables' && a.cos === b.cos && a.sin === b.sin
  return b.kind === 'frequencies' && a.tensor === b.tensor && a.scale === b.scale
}
