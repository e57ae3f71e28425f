import type { OnnxNode } from '../../formats/onnx.ts'
import { fixed, fixedSize } from './dimension.ts'
import { axisFromFront, intAttribute, integersOf, intsAttribute, numbersOf, scalarOf } from './node.ts'
import { dimensionsOf, isHeads, isSameRotary, ofEveryOther, rotatedBy } from './rotaryRules.ts'
import type { HiddenValue, Value } from './values.ts'

// Neighbours of a head as an axis of their own: [.., pairs, 2], or [.., pairs, 1] before they are joined.

/** Whether a value is the heads of a projection in pairs of neighbours. */
function isOfPairs(value: Value | undefined): value is HiddenValue {
  return value?.kind === 'hidden' && value.layout.length === 5 && value.layout.endsWith('dp')
}

/** Reshape of heads to pairs, or of what became of pairs to heads. */
export function reshapedPairs(x: HiddenValue, target: Value | undefined): Value | undefined {
  const entries = numbersOf(target)?.entries
  return isOfPairs(x) ? flat(x, entries?.length) : inPairs(x, entries)
}

function inPairs(
  x: HiddenValue,
  entries: readonly ({ readonly factor: number } | null)[] | undefined,
): Value | undefined {
  const from = isHeads(x) ? dimensionsOf(x) : undefined
  if (!from || from.stride !== 1 || entries?.length !== 5) return undefined
  const [pairs, two] = [entries[3]?.factor, entries[4]?.factor]
  if (two !== 2 || (pairs !== from.length / 2 && pairs !== -1) || from.length % 2 !== 0) return undefined
  const dims = [...x.dims.slice(0, 3), fixed(from.length / 2), fixed(2)]
  return { ...x, layout: `${x.layout}p`, dims, meaning: from }
}

function flat(x: HiddenValue, rank: number | undefined): Value | undefined {
  const { meaning } = x
  const pairs = fixedSize(x.dims[3]) ?? 0
  if (rank !== 4 || fixedSize(x.dims[4]) !== 2) return undefined
  const joined: HiddenValue = {
    ...x,
    layout: x.layout.slice(0, 4),
    dims: [...x.dims.slice(0, 3), fixed(2 * pairs)],
  }
  if (meaning.kind === 'turned')
    return { ...joined, meaning: { ...meaning, first: 0, length: 2 * pairs, stride: 1 } }
  return meaning.kind === 'oneRotated' && meaning.rotary
    ? rotatedBy(joined, meaning, meaning.rotary)
    : undefined
}

/** Gather of the first or the second of each pair. */
export function oneOfPairs(node: OnnxNode, [x, index]: readonly (Value | undefined)[]): Value | undefined {
  if (!isOfPairs(x) || x.meaning.kind !== 'dimensions' || x.meaning.stride !== 1) return undefined
  const parity = numbersOf(index)?.isScalar ? scalarOf(index) : undefined
  if (axisFromFront(intAttribute(node, 'axis') ?? 0, 5) !== 4 || (parity !== 0 && parity !== 1))
    return undefined
  const heads: HiddenValue = { ...x, layout: x.layout.slice(0, 4), dims: x.dims.slice(0, 4) }
  return { ...heads, ...ofEveryOther(heads, x.meaning, parity) }
}

/** Unsqueeze of every other dimension of heads, before it is joined with the others. */
export function asColumn(node: OnnxNode, x: HiddenValue, axesInput: Value | undefined): Value | undefined {
  const axes = intsAttribute(node, 'axes') ?? integersOf(axesInput)
  const isStep = 'stride' in x.meaning && x.meaning.stride === 2
  if (!isHeads(x) || !isStep || axes?.length !== 1 || axisFromFront(axes[0] ?? 0, 5) !== 4) return undefined
  return { ...x, layout: `${x.layout}p`, dims: [...x.dims, fixed(1)] }
}

/** Concat of columns: of [−odd, even], or of both as they are rotated. */
export function joinedPairs(node: OnnxNode, [a, b]: readonly (Value | undefined)[]): Value | undefined {
  if (!isOfPairs(a) || !isOfPairs(b) || a.layout !== b.layout) return undefined
  if (axisFromFront(intAttribute(node, 'axis') ?? 0, 5) !== 4) return undefined
  const [start, end] = [a.meaning, b.meaning]
  const dims = [...a.dims.slice(0, 4), fixed(2)]
  if (start.kind === 'negated' && end.kind === 'dimensions') {
    const isTurned =
      start.of === end.of && start.first === 1 && end.first === 0 && start.length === end.length
    return isTurned ? { ...a, dims, meaning: { ...end, kind: 'turned', isInterleaved: true } } : undefined
  }
  if (start.kind !== 'oneRotated' || end.kind !== 'oneRotated' || start.of !== end.of) return undefined
  const isPair = start.first === 0 && end.first === 1
  const isAlike = start.rotary && end.rotary && isSameRotary(start.rotary, end.rotary)
  return isPair && isAlike ? { ...a, dims, meaning: start } : undefined
}
