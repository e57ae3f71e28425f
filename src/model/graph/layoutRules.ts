import type { OnnxNode } from '../../formats/onnx.ts'
import type { Dimension, Entry } from './dimension.ts'
import { fixed, fixedSize, isSame, reshape, times } from './dimension.ts'
import { axisFromFront, intAttribute, integersOf, intsAttribute, numbersOf, scalarOf } from './node.ts'
import type { HiddenValue, Value } from './values.ts'

/** Transpose: the letters of the layout move with the axes. */
export function transposedLayout(node: OnnxNode, x: HiddenValue): Value | undefined {
  const order = intsAttribute(node, 'perm')
  if (order?.length !== x.dims.length || x.layout.length !== x.dims.length) return undefined
  const dims = order.map((axis) => x.dims[axis])
  const layout = order.map((axis) => x.layout[axis] ?? '').join('')
  const found = dims.filter((dim) => dim !== undefined)
  return found.length === dims.length ? { ...x, dims: found, layout } : undefined
}

/** Reshape between rows, heads and the flat forms around a batched product; the element order never changes. */
export function reshaped(node: OnnxNode, x: HiddenValue, target: Value | undefined): Value | undefined {
  const entries = numbersOf(target)?.entries
  const dims = entries && reshape(x.dims, entries, { allowZero: intAttribute(node, 'allowzero') === 1 })
  if (!dims) return undefined
  const to = RESHAPES[x.layout]?.find(
    (candidate) => candidate.length === dims.length && keeps(x, candidate, dims),
  )
  return to === undefined ? undefined : { ...x, dims, layout: to }
}

const RESHAPES: Readonly<Record<string, readonly string[]>> = {
  btf: ['btf', 'bthd', 'rf', 'bmd'],
  tbf: ['tbf', 'tbhd'],
  tbhd: ['tbhd', 'tbf'],
  rf: ['rf', 'btf', 'bthd'],
  bthd: ['bthd', 'btf', 'rf'],
  bhtd: ['bhtd', 'ntd'],
  bhgtd: ['bhtd'],
  ntd: ['ntd', 'bhtd'],
  ndt: ['ndt', 'bhdt'],
  bmd: ['bmd', 'btf'],
}

/** Axes made of several others: their sizes multiply. */
const COMPOUNDS: Readonly<Record<string, readonly string[]>> = {
  r: ['b', 't'],
  f: ['h', 'd'],
  n: ['b', 'h'],
  h: ['h', 'g'],
}

/** Whether every axis of the new layout has the size that the old one gives it. */
function keeps(x: HiddenValue, layout: string, dims: readonly Dimension[]): boolean {
  const before = sizesOf(x.layout, x.dims)
  const after = sizesOf(layout, dims)
  // Rows as the heads of all tokens, or back: both split the same features, whatever they are called.
  if (layout === 'bmd' || (x.layout === 'bmd' && layout === 'btf')) return areHeads(x, layout, dims)
  return [...new Set(x.layout + layout)].every((letter) => {
    const [old, now] = [before.get(letter), after.get(letter)]
    if (old && now) return isSame(old, now) || (letter === 'h' && x.layout.includes('g'))
    // A letter on one side only is part of a compound, or one itself, on the other.
    const known = old ?? now ?? null
    const other = old ? after : before
    const parts = COMPOUNDS[letter]
    if (parts && parts.every((part) => other.has(part))) {
      return isSame(
        known,
        parts.reduce<Entry>((size, part) => times(size, other.get(part) ?? null), fixed(1)),
      )
    }
    return Object.entries(COMPOUNDS).some(([whole, of]) => of.includes(letter) && other.has(whole))
  })
}

/** Whether [b, t, f] and [b, t·h, d] have the same elements in the same order, f = h·d. */
function areHeads(x: HiddenValue, layout: string, dims: readonly Dimension[]): boolean {
  const [rows, heads] = layout === 'bmd' ? [x.dims, dims] : [dims, x.dims]
  const [features, headDim] = [fixedSize(rows[2]), fixedSize(heads[2])]
  if (!isSame(rows[0], heads[0]) || !features || !headDim || features % headDim !== 0) return false
  return isSame(times(rows[1] ?? null, fixed(features / headDim)), heads[1])
}

function sizesOf(layout: string, dims: readonly Dimension[]): Map<string, Dimension> {
  return new Map(dims.map((dim, axis) => [layout[axis] ?? '', dim]))
}

/** Unsqueeze of cached heads [b, h, t, d] to [b, h, 1, t, d], before key heads are repeated. */
export function withRepeatAxis(
  node: OnnxNode,
  x: HiddenValue,
  axesInput: Value | undefined,
): Value | undefined {
  const axes = intsAttribute(node, 'axes') ?? integersOf(axesInput)
  if (x.layout !== 'bhtd' || x.meaning.kind !== 'cached' || axes?.length !== 1) return undefined
  if (axisFromFront(axes[0] ?? 0, 5) !== 2) return undefined
  return { ...x, layout: 'bhgtd', dims: [...x.dims.slice(0, 2), fixed(1), ...x.dims.slice(2)] }
}

/** Expand along the repeat axis alone. */
export function repeated(x: HiddenValue, shape: Value | undefined): Value | undefined {
  const target = numbersOf(shape)?.entries
  if (x.layout !== 'bhgtd' || x.meaning.kind !== 'cached' || target?.length !== 5) return undefined
  const repeat = fixedSize(target[2])
  if (!repeat || !(Number.isInteger(repeat) && repeat > 0)) return undefined
  const heads = target[1]
  if (heads && fixedSize(heads) !== 1 && !isSame(heads, x.dims[1])) return undefined
  const dims = x.dims.map((dim, axis) => (axis === 2 ? fixed(repeat) : dim))
  return { ...x, dims, meaning: { ...x.meaning, repeat: x.meaning.repeat * repeat } }
}

/** Gather of the last row before the head, where an exporter computes the logits of the last token only. */
export function lastRow(node: OnnxNode, [x, index]: readonly (Value | undefined)[]): Value | undefined {
  const isRows = x?.kind === 'hidden' && x.meaning.kind === 'normed' && x.layout === 'btf'
  const isLast = numbersOf(index)?.isScalar === false && scalarOf(index) === -1
  return isRows && isLast && intAttribute(node, 'axis') === 1 ? x : undefined
}

/** Slice of rows before the head, where an exporter computes the logits of the last tokens only. */
export function chosenRows(inputs: readonly (Value | undefined)[]): Value | undefined {
  const [x, , , axes] = inputs
  return x?.kind === 'hidden' && x.meaning.kind === 'normed' && x.layout === 'btf' && scalarOf(axes) === 1
    ? x
    : undefined
}
