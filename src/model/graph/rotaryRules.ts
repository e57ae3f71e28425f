import type { OnnxNode } from '../../formats/onnx.ts'
import { fixedSize } from './dimension.ts'
import { sliceRanges, splitRanges, withFeatures } from './linearRules.ts'
import { axisFromFront, floatAttribute, hasOnly, intAttribute, scalarOf } from './node.ts'
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
  Value,
} from './values.ts'
import type { SideRole } from './sideValues.ts'

// Rotary positions, written out, x·cos + turned(x)·sin, or in one node.

const HEADS: readonly string[] = ['bhtd', 'bthd', 'tbhd']

/** Whether a value is the heads of a projection, [b, h, t, d], [b, t, h, d] or [t, b, h, d]. */
export function isHeads(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && HEADS.includes(value.layout)
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
  if (from.stride !== 1) return undefined
  const along = { axis: 3, size: from.length }
  if (node.opType !== 'Split' && scalarOf(inputs[4]) === 2) {
    const parity = everyOther(inputs, from.length)
    return parity === undefined ? undefined : [{ ...x, ...ofEveryOther(x, from, parity) }]
  }
  const ranges = node.opType === 'Split' ? splitRanges(node, inputs, along) : sliceRanges(inputs, along)
  return ranges?.map(({ first, length }) => {
    return { ...x, dims: withFeatures(x, length), meaning: { ...from, first: from.first + first, length } }
  })
}

/** Of a Slice in steps of two along the head size: whether it begins at the first (0) or the second (1). */
function everyOther(inputs: readonly (Value | undefined)[], size: number): 0 | 1 | undefined {
  const [, starts, ends, axes] = inputs
  const [start, end] = [scalarOf(starts), scalarOf(ends)]
  if (axisFromFront(scalarOf(axes) ?? 0, 4) !== 3 || (end ?? 0) < size || size % 2 !== 0) return undefined
  return start === 0 || start === 1 ? start : undefined
}

/** Every other one of the dimensions `from`. */
export function ofEveryOther(
  x: HiddenValue,
  from: RotaryStep,
  parity: 0 | 1,
): Pick<HiddenValue, 'dims' | 'meaning'> {
  const [first, length] = [from.first + parity, from.length / 2]
  return { dims: withFeatures(x, length), meaning: { ...from, first, length, stride: 2 } }
}

/** Which dimensions of its heads a value is. */
export function dimensionsOf(x: HiddenValue): RotaryStep | undefined {
  if (x.meaning.kind === 'dimensions') return x.meaning
  const of = projected(x.meaning)
  const headDim = fixedSize(x.dims[3]) ?? 0
  return of && { kind: 'dimensions', of, headDim, first: 0, length: headDim, stride: 1, role: null }
}

/** Neg of the upper half of each head, or of every other dimension. */
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
  if (end.stride !== 1 || ('stride' in start && start.stride !== 1)) return undefined
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

/** Mul of heads by cosines, of turned heads by sines, or of every other dimension by either. */
export function rotaryProduct(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, side] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (!isHeads(x) || side?.kind !== 'side') return undefined
  const { role } = side
  const from = dimensionsOf(x) ?? (x.meaning.kind === 'turned' ? x.meaning : undefined)
  if (!from) return undefined
  if (from.stride === 2) {
    const isSingle = role.kind === 'table' || ('spread' in role && role.spread === 'single')
    return isSingle ? { ...x, meaning: { ...from, kind: 'oneProduct', role } } : undefined
  }
  const isInterleaved = from.kind === 'turned' ? from.isInterleaved === true : isOfNeighbours(role)
  const kind = from.kind === 'turned' ? 'sine' : 'cosine'
  const isSpread = 'spread' in role && role.spread === (isInterleaved ? 'neighbours' : 'halves')
  if (from.first !== 0 || !(role.kind === 'table' || (role.kind === kind && isSpread))) return undefined
  return { ...x, meaning: { ...from, kind: `${kind}Part`, role, isInterleaved } }
}

function isOfNeighbours(role: SideRole): boolean {
  return 'spread' in role && role.spread === 'neighbours'
}

/** Add of the two products of a rotation, or of those of every other dimension, in either order. */
export function rotarySum(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (!isHeads(a) || !isHeads(b) || a.layout !== b.layout) return undefined
  if (a.meaning.kind === 'oneProduct' && b.meaning.kind === 'oneProduct') {
    // odd·cos + even·sin
    return a.meaning.first === 1 ? oneRotated(a, b, 1) : oneRotated(b, a, 1)
  }
  const [cosine, sine] = a.meaning.kind === 'cosinePart' ? [a.meaning, b.meaning] : [b.meaning, a.meaning]
  if (cosine.kind !== 'cosinePart' || sine.kind !== 'sinePart' || cosine.of !== sine.of) return undefined
  const angles = angleSource(cosine.role, sine.role)
  if (!angles || cosine.length !== sine.length) return undefined
  // Rows of a table do not tell for which dimensions they are: what is turned does.
  const isInterleaved = sine.isInterleaved === true
  if (cosine.role?.kind !== 'table' && cosine.isInterleaved !== isInterleaved) return undefined
  return rotatedBy(a, cosine, { angles, dim: cosine.length, isInterleaved })
}

/** Sub of the products of even dimensions and cosines, of odd ones and sines. */
export function rotaryDifference(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (!isHeads(a) || !isHeads(b) || a.layout !== b.layout) return undefined
  return oneRotated(a, b, 0)
}

/** One of a pair of neighbours behind its rotation: of the products with cosines, and with sines. */
function oneRotated(a: HiddenValue, b: HiddenValue, parity: 0 | 1): Value | undefined {
  const [cosine, sine] = [a.meaning, b.meaning]
  if (cosine.kind !== 'oneProduct' || sine.kind !== 'oneProduct' || cosine.of !== sine.of) return undefined
  const angles = angleSource(cosine.role, sine.role)
  const isPair = cosine.first === parity && sine.first === 1 - parity && cosine.length === sine.length
  if (!angles || !isPair) return undefined
  const rotary = { angles, dim: 2 * cosine.length, isInterleaved: true }
  return { ...a, meaning: { ...cosine, kind: 'oneRotated', rotary } }
}

/** Heads behind their rotation, or the part of them that is rotated. */
export function rotatedBy(x: HiddenValue, step: RotaryStep, rotary: RotaryUse): Value {
  return rotary.dim === step.headDim
    ? { ...x, meaning: { kind: 'rotated', of: step.of, rotary, factor: 1 } }
    : { ...x, meaning: { ...step, kind: 'rotatedPart', first: 0, length: rotary.dim, stride: 1, rotary } }
}

function angleSource(cosine: SideRole | null, sine: SideRole | null): AngleSource | undefined {
  if (cosine?.kind === 'table' && sine?.kind === 'table') {
    return { kind: 'tables', cos: cosine.tensor, sin: sine.tensor }
  }
  if (cosine?.kind !== 'cosine' || sine?.kind !== 'sine') return undefined
  const { tensor, scale, isOfTurns } = cosine
  if (tensor !== sine.tensor || scale !== sine.scale || isOfTurns !== sine.isOfTurns) return undefined
  return isOfTurns ? { kind: 'turns', tensor } : { kind: 'frequencies', tensor, scale }
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
  if ([cos.role, sin.role].some((role) => 'spread' in role && role.spread !== 'single')) return undefined
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
  if (a.kind === 'turns') return b.kind === 'turns' && a.tensor === b.tensor
  return b.kind === 'frequencies' && a.tensor === b.tensor && a.scale === b.scale
}
