import type { OnnxNode } from '../../formats/onnx.ts'
import { isRows } from './linearRules.ts'
import { floatAttribute } from './node.ts'
import type { HiddenValue, Value } from './values.ts'

/** Sigmoid of a linear layer's output. */
export function sigmoid(x: HiddenValue): Value | undefined {
  return isRows(x) && x.meaning.kind === 'linear'
    ? { ...x, meaning: { kind: 'sigmoid', of: x.meaning } }
    : undefined
}

/** SiLU in one node: Swish and Silu, or QuickGelu with α = 1. */
export function silu(node: OnnxNode, x: HiddenValue): Value | undefined {
  const alpha = floatAttribute(node, 'alpha') ?? (node.opType === 'QuickGelu' ? 1.702 : 1)
  return isRows(x) && x.meaning.kind === 'linear' && alpha === 1
    ? { ...x, meaning: { kind: 'active', of: x.meaning, activation: 'silu' } }
    : undefined
}

/** Mul of SiLU: gate · σ(gate), and of a gate behind its activation with up, each in either order. */
export function gating(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (!isRows(a) || !isRows(b)) return undefined
  const [other, linear] = b.meaning.kind === 'linear' ? [a.meaning, b.meaning] : [b.meaning, a.meaning]
  if (linear.kind !== 'linear') return undefined
  if (other.kind === 'sigmoid')
    return other.of === linear
      ? { ...a, meaning: { kind: 'active', of: linear, activation: 'silu' } }
      : undefined
  if (other.kind !== 'active') return undefined
  const gate = other.of
  if (gate === linear || gate.input !== linear.input || gate.length !== linear.length) return undefined
  return { ...a, meaning: { kind: 'gated', gate, up: linear, activation: other.activation } }
}
