import type { OnnxNode } from '../../formats/onnx.ts'
import { fixedSize } from './dimension.ts'
import { sliceRanges, splitRanges, withFeatures } from './linearRules.ts'
import { floatAttribute, hasOnly, intAttribute } from './node.ts'
import { layerOf } from './values.ts'
import type {
  HiddenValue,
  LinearOutput,
  Meaning,
  Normed,
  Projected,
  RotaryStep,
  RotaryUse,
  Value,
} from './values.ts'

// Rotary positions, written out, x·cos + turned(x)·sin, or in one node.

/** Whether a value is the heads of a projection, [b, h, t, d] or [b, t, h, d]. */
function isHeads(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && (value.layout === 'bhtd' || value.layout === 'bthd')
}

/** Whether a linear layer reads the normed stream, as those of queries, keys and values do. */
export function isProjection(output: LinearOutput): output is LinearOutput & { input: Normed } {
  return output.input.kind === 'normed'
}

/** Queries or keys before their rotation, as a projection or its norm gives them. */
export function projected(meaning: Meaning): Projected | undefined {
  if (meaning.kind !== 'linear' && meaning.kind !== 'normedLinear') return undefined
  return isProjection(layerOf(meaning)) ? meaning : undefined
}

/** The two halves of each head, by Slice or Split along the head size. */
export function headHalves(
  node: OnnxNode,
  inputs: readonly (Value | undefined)[],
): readonly Value[] | undefined {
  const [x] = inputs
  const of = isHeads(x) ? projected(x.meaning) : undefined
  if (!isHeads(x) || !of) return undefined
  const along = { axis: 3, size: fixedSize(x.dims[3]) ?? 0 }
  const half = along.size / 2
  const ranges = node.opType === 'Split' ? splitRanges(node, inputs, along) : sliceRanges(inputs, along)
  if (!ranges || ranges.some((range) => range.length !== half)) return undefined
  return ranges.map(({ first }) => {
    const kind = first === 0 ? 'lowerHalf' : 'upperHalf'
    return { ...x, dims: withFeatures(x, half), meaning: { kind, of, role: null } }
  })
}

/** Neg of the upper half of each head. */
export function negatedHalf(x: HiddenValue): Value | undefined {
  if (x.meaning.kind !== 'upperHalf') return undefined
  return { ...x, meaning: { ...x.meaning, kind: 'negatedUpperHalf' } }
}

/** Concat of [−upper, lower] along the head size. */
export function turnedHeads(axis: number, upper: Value | undefined, lower: Value): Value | undefined {
  if (axis !== 3 || !isHeads(upper) || !isHeads(lower) || upper.layout !== lower.layout) return undefined
  if (upper.meaning.kind !== 'negatedUpperHalf' || lower.meaning.kind !== 'lowerHalf') return undefined
  if (upper.meaning.of !== lower.meaning.of) return undefined
  const size = (fixedSize(lower.dims[3]) ?? 0) * 2
  return { ...lower, dims: withFeatures(lower, size), meaning: { ...lower.meaning, kind: 'turned' } }
}

/** Mul of heads by cosines, or of turned heads by sines. */
export function rotaryProduct(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, side] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (!isHeads(x) || side?.kind !== 'side') return undefined
  const { role } = side
  const { meaning } = x
  const isOf = (kind: 'cosine' | 'sine'): boolean =>
    role.kind === 'table' || (role.kind === kind && 'isDoubled' in role && role.isDoubled)
  const of = projected(meaning)
  if (of && isOf('cosine')) return { ...x, meaning: { kind: 'cosinePart', of, role } }
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
  const of = x?.kind === 'hidden' ? projected(x.meaning) : undefined
  if (x?.kind !== 'hidden' || !of) return undefined
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
  return { ...x, meaning: { kind: 'rotated', of, rotary, factor: 1 } }
}

/** Cosines and sines that are stored as they are. */
export function storedTables(
  cos: Value | undefined,
  sin: Value | undefined,
): Extract<RotaryUse, { kind: 'tables' }> | undefined {
  if (cos?.kind !== 'constant' || sin?.kind !== 'constant' || cos.isTransposed || sin.isTransposed)
    return undefined
  if (cos.tensor.dims.length !== 2 || cos.tensor.dims.some((dim, at) => dim !== sin.tensor.dims[at]))
    return undefined
  return { kind: 'tables', cos: cos.tensor, sin: sin.tensor }
}

/** Whether queries and keys are turned by the same angles. */
export function isSameRotary(a: RotaryUse, b: RotaryUse): boolean {
  if (a.kind === 'tables') return b.kind === 'tables' && a.cos === b.cos && a.sin === b.sin
  return b.kind === 'frequencies' && a.tensor === b.tensor && a.scale === b.scale
}
