import type { OnnxNode } from '../../formats/onnx.ts'
import { DATA_TYPES } from '../../formats/onnxTensor.ts'
import { fixed, fixedSize, isSame, times } from './dimension.ts'
import type { Entry } from './dimension.ts'
import { maskOf, shiftedPosition } from './maskRules.ts'
import {
  axisFromFront,
  intAttribute,
  integersOf,
  intsAttribute,
  numbersOf,
  operatorOf,
  scalarOf,
} from './node.ts'
import type { SideRole, SideValue, Spread } from './sideValues.ts'
import type { Value } from './values.ts'

// Rotary angles, followed from positions and frequencies, or from stored tables, to the heads that they turn.

const FLOAT_TYPES: readonly number[] = [DATA_TYPES.f32, DATA_TYPES.f16, DATA_TYPES.f64, DATA_TYPES.bf16]

/** Operators that leave a role as it is; those that move the axes of angles have rules of their own. */
const MOVES: readonly string[] = [
  'Identity',
  'Cast',
  'Unsqueeze',
  'Squeeze',
  'Reshape',
  'Expand',
  'Tile',
  'Transpose',
]

type Inputs = readonly (Value | undefined)[]

/** A role that has a place along the dimensions of a head. */
type SpreadRole = Extract<SideRole, { spread: Spread }>

/**
 * Follows positions to rotary angles: frequencies × positions, spread over the dimensions of a head, cosine and sine, times
 * a scale; or rows of a stored table; and to the masks of windows.
 */
export function rotaryRole(node: OnnxNode, inputs: Inputs): SideValue | undefined {
  const roles = inputs.map(roleOf)
  const role = roleAfter(node, inputs, roles)
  return role && { kind: 'side', role, dims: dimsAfter(node, inputs, role) }
}

function roleAfter(
  node: OnnxNode,
  inputs: Inputs,
  roles: readonly (SideRole | undefined)[],
): SideRole | undefined {
  const operator = operatorOf(node)
  const [first, second] = roles
  const mask = maskOf(operator, roles)
  if (mask) return mask
  if (MOVES.includes(operator)) return first && 'spread' in first ? moved(node, inputs, first) : first
  switch (operator) {
    case 'Range':
    case 'CumSum':
      return { kind: 'position', shift: 0 }
    case 'Add':
      return shiftedPosition(first, inputs[1], 1) ?? shiftedPosition(second, inputs[0], 1)
    case 'Sub':
      return shiftedPosition(first, inputs[1], -1) ?? shiftedPosition(second, undefined, 1)
    case 'MatMul':
      return anglesOf(first, second)
    case 'Mul':
      return anglesOf(first, second) ?? scaled(first, inputs[1]) ?? scaled(second, inputs[0])
    case 'Concat':
      return joined(node, inputs, roles)
    case 'Cos':
    case 'Sin':
      if (first?.kind !== 'angles') return undefined
      return { ...first, kind: operator === 'Cos' ? 'cosine' : 'sine', isOfTurns: false, scale: 1 }
    case 'Slice':
    case 'Gather':
    case 'GatherND':
      return chosen(node, inputs, first)
    default:
      return undefined
  }
}

function roleOf(value: Value | undefined): SideRole | undefined {
  if (value?.kind === 'side') return value.role
  if (value?.kind !== 'constant' || !FLOAT_TYPES.includes(value.tensor.dataType)) return undefined
  return value.dims.some((dim) => dim > 1) ? { kind: 'frequencies', tensor: value.tensor } : undefined
}

function dimsOf(value: Value | undefined): readonly Entry[] | null {
  if (value?.kind === 'constant') return value.dims.map(fixed)
  return value?.kind === 'side' || value?.kind === 'ids' ? value.dims : null
}

function anglesOf(a: SideRole | undefined, b: SideRole | undefined): SideRole | undefined {
  const [of, position] = a?.kind === 'frequencies' ? [a, b] : [b, a]
  if (of?.kind !== 'frequencies' || position?.kind !== 'position' || position.shift !== 0) return undefined
  return { kind: 'angles', tensor: of.tensor, spread: 'single' }
}

function scaled(role: SideRole | undefined, by: Value | undefined): SideRole | undefined {
  const factor = scalarOf(by)
  if ((role?.kind !== 'cosine' && role?.kind !== 'sine') || factor === undefined) return undefined
  return { ...role, scale: role.scale * factor }
}

/** Unsqueeze, Expand, Tile and Reshape on the way to each angle twice; anything else about the last axis tells nothing. */
function moved(node: OnnxNode, inputs: Inputs, role: SpreadRole): SideRole | undefined {
  const dims = dimsOf(inputs[0])
  const rank = dims?.length ?? 0
  const target = numbersOf(inputs[1])?.entries
  switch (operatorOf(node)) {
    case 'Unsqueeze': {
      const axes = intsAttribute(node, 'axes') ?? integersOf(inputs[1]) ?? []
      const isLast = axes.length === 1 && (axes[0] === -1 || (rank > 0 && axes[0] === rank))
      if (!isLast) return role
      return role.spread === 'single' ? { ...role, spread: 'columns' } : undefined
    }
    case 'Expand':
    case 'Tile':
      if (role.spread !== 'columns') return role
      return fixedSize(target?.at(-1)) === 2 ? { ...role, spread: 'twins' } : undefined
    case 'Reshape': {
      if (role.spread !== 'columns' && role.spread !== 'twins') return role
      const pairs = fixedSize(dims?.at(-2))
      const last = fixedSize(target?.at(-1))
      const isJoined = target?.length === rank - 1 && pairs !== undefined
      const isWhole = last === -1 || (last !== undefined && last === 2 * (pairs ?? 0))
      return role.spread === 'twins' && isJoined && isWhole ? { ...role, spread: 'neighbours' } : undefined
    }
    default:
      return role
  }
}

/** Concat of angles with themselves, for halves or, as columns, for neighbours; of cosines and sines as columns. */
function joined(
  node: OnnxNode,
  inputs: Inputs,
  [first, second, ...more]: readonly (SideRole | undefined)[],
): SideRole | undefined {
  const rank = dimsOf(inputs[0])?.length ?? 0
  const axis = intAttribute(node, 'axis') ?? 0
  const isLast = axis === -1 || (rank > 0 && axis === rank - 1)
  if (!isLast || more.length > 0 || !first || !second || !('spread' in first)) return undefined
  if (inputs[0] === inputs[1] || isSameRole(first, second)) {
    if (first.spread === 'single') return { ...first, spread: 'halves' }
    return first.spread === 'columns' ? { ...first, spread: 'twins' } : undefined
  }
  const areTurns =
    first.kind === 'cosine' && second.kind === 'sine' && isSameRole({ ...first, kind: 'sine' }, second)
  if (!areTurns || first.spread !== 'columns') return undefined
  return { kind: 'turns', tensor: first.tensor, isOfTurns: first.isOfTurns, scale: first.scale }
}

function isSameRole(a: SpreadRole, b: SideRole): boolean {
  if (!('spread' in b) || a.kind !== b.kind || a.tensor !== b.tensor || a.spread !== b.spread) return false
  return a.kind === 'angles' || (b.kind !== 'angles' && a.scale === b.scale && a.isOfTurns === b.isOfTurns)
}

/** Slice and Gather: rows of a table, a half of what lies there twice, the cosine or the sine of turns. */
function chosen(node: OnnxNode, inputs: Inputs, role: SideRole | undefined): SideRole | undefined {
  const operator = operatorOf(node)
  if (role?.kind === 'frequencies' || role?.kind === 'table') {
    const { tensor } = role
    const areTurns = tensor.dims.length === 3 && tensor.dims[2] === 2 && operator !== 'Slice'
    return areTurns ? { kind: 'turns', tensor, isOfTurns: true, scale: 1 } : { kind: 'table', tensor }
  }
  if (role?.kind === 'turns' && operator === 'Gather') {
    const index = numbersOf(inputs[1])?.isScalar ? scalarOf(inputs[1]) : undefined
    const rank = dimsOf(inputs[0])?.length ?? 0
    const isLast = rank > 0 && axisFromFront(intAttribute(node, 'axis') ?? 0, rank) === rank - 1
    if (!isLast || (index !== 0 && index !== 1)) return undefined
    const { tensor, isOfTurns, scale } = role
    return { kind: index === 0 ? 'cosine' : 'sine', tensor, isOfTurns, spread: 'single', scale }
  }
  if (operator === 'Slice' && role && 'spread' in role && role.spread === 'halves') {
    const dims = dimsOf(inputs[0])
    const [, start, end, axes, steps] = inputs
    const isLast = dims && axisFromFront(scalarOf(axes) ?? 0, dims.length) === dims.length - 1
    const isHalf = scalarOf(start) === 0 && 2 * (scalarOf(end) ?? 0) === fixedSize(dims?.at(-1))
    const isDense = !steps || scalarOf(steps) === 1
    return isLast && isHalf && isDense ? { ...role, spread: 'single' } : undefined
  }
  return undefined
}

/** What is known of the shape of angles: how many dimensions of a head they are for, and where that axis is. */
function dimsAfter(node: OnnxNode, inputs: Inputs, role: SideRole): readonly Entry[] | null {
  const operator = operatorOf(node)
  if (role.kind === 'position' && !MOVES.includes(operator)) return null
  if (!('spread' in role) && role.kind !== 'turns' && role.kind !== 'position') return null
  const dims = dimsOf(inputs.find((input) => input?.kind === 'side'))
  switch (operator) {
    case 'Cos':
    case 'Sin': {
      const isTwice = 'spread' in role && (role.spread === 'halves' || role.spread === 'neighbours')
      const sizes = 'tensor' in role ? role.tensor.dims : []
      return [null, null, fixed(sizes.reduce((product, size) => product * size, isTwice ? 2 : 1))]
    }
    case 'Gather':
    case 'GatherND':
      return role.kind === 'turns' ? rowsOf(operator, inputs) : (dims?.slice(0, -1) ?? null)
    case 'Cast':
    case 'Identity':
    case 'Mul':
      return dims
    case 'Unsqueeze': {
      const axes = intsAttribute(node, 'axes') ?? integersOf(inputs[1])
      if (!dims || axes?.length !== 1) return null
      return dims.toSpliced(axisFromFront(axes[0] ?? 0, dims.length + 1), 0, fixed(1))
    }
    case 'Transpose': {
      const order = intsAttribute(node, 'perm')
      return dims && order?.length === dims.length ? order.map((axis) => dims[axis] ?? null) : null
    }
    default:
      return dims && resized(node, inputs, dims)
  }
}

/** Rows of a table for positions of any shape. */
function rowsOf(operator: string, [table, index]: Inputs): readonly Entry[] | null {
  const [rows, indices] = [dimsOf(table), dimsOf(index)]
  if (!rows || !indices) return null
  // GatherND has the index of a row along an axis of its own.
  return [...(operator === 'GatherND' ? indices.slice(0, -1) : indices), ...rows.slice(1)]
}

function resized(node: OnnxNode, inputs: Inputs, dims: readonly Entry[]): readonly Entry[] | null {
  const target = numbersOf(inputs[1])?.entries
  switch (operatorOf(node)) {
    case 'Reshape':
      return target?.map((entry, at) => reshapedEntry(entry, at, dims)) ?? null
    case 'Expand':
      return target?.length === dims.length
        ? dims.map((dim, at) => (isSame(dim, fixed(1)) ? (target[at] ?? null) : dim))
        : null
    case 'Tile':
      return target?.length === dims.length ? dims.map((dim, at) => times(dim, target[at] ?? null)) : null
    case 'Slice': {
      const last = dims.at(-1) ?? null
      return [...dims.slice(0, -1), times(last, { factor: 0.5, symbols: [] })]
    }
    case 'Concat': {
      const last = dims.at(-1) ?? null
      return [...dims.slice(0, -1), times(last, fixed(2))]
    }
    default:
      return null
  }
}

function reshapedEntry(entry: Entry, at: number, dims: readonly Entry[]): Entry {
  const size = fixedSize(entry)
  if (size === 0) return dims[at] ?? null
  const isLastOfTwins = size === -1 && at === dims.length - 2
  if (isLastOfTwins) return times(dims.at(-1) ?? null, dims.at(-2) ?? null)
  return size === -1 ? null : entry
}
