import type { OnnxNode } from '../../formats/onnx.ts'
import { isRows } from './linearRules.ts'
import { hasOnly, scalarOf } from './node.ts'
import type { GeluPart, HiddenValue, LinearOutput, Meaning, Polynomial, Value } from './values.ts'

// GELU by its tanh: ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), in one node or written out in any order of its factors.

const SLOPE = Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715

/** Constants may be halves. */
const TOLERANCE = 2e-3

function isNear(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= TOLERANCE * expected
}

/** Gelu with its tanh, and ONNX Runtime's FastGelu. */
export function fusedGelu(node: OnnxNode, inputs: readonly (Value | undefined)[]): Value | undefined {
  const [x, ...more] = inputs
  if (!isRows(x) || x.meaning.kind !== 'linear' || more.some((input) => input)) return undefined
  const approximate = node.attributes.get('approximate')
  const isByTanh =
    node.opType === 'FastGelu' || (approximate?.kind === 'text' && approximate.value === 'tanh')
  return isByTanh && hasOnly(node, ['approximate']) ? gelu(x, x.meaning) : undefined
}

function gelu(value: HiddenValue, of: LinearOutput): Value {
  return { ...value, meaning: { kind: 'active', of, activation: 'gelu' } }
}

/** Tanh of the cubic of a linear layer's output. */
export function geluTanh(x: HiddenValue): Value | undefined {
  const polynomial = polynomialOf(x.meaning)
  if (!isRows(x) || !polynomial) return undefined
  const [first, second, third] = polynomial.coefficients
  if (second !== 0 || !isNear(first, SLOPE) || !isNear(third, SLOPE * CUBIC)) return undefined
  return part(x, { kind: 'geluPart', of: polynomial.of, isRaised: false, hasInput: false, factor: 1 })
}

/** Pow of a linear layer's output. */
export function geluPower(a: Value | undefined, b: Value | undefined): Value | undefined {
  const exponent = scalarOf(b)
  if (!isRows(a) || a.meaning.kind !== 'linear' || (exponent !== 2 && exponent !== 3)) return undefined
  return { ...a, meaning: termsOf(a.meaning, exponent === 2 ? [0, 1, 0] : [0, 0, 1]) }
}

/** Add of the cubic's two terms, or of 1 to its tanh. */
export function geluSum(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, other] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (!isRows(x)) return undefined
  const { meaning } = x
  if (meaning.kind === 'geluPart') {
    const isOne = !meaning.isRaised && meaning.factor === 1 && scalarOf(other) === 1
    return isOne ? part(x, { ...meaning, isRaised: true }) : undefined
  }
  if (!isRows(other)) return undefined
  const [left, right] = [polynomialOf(meaning), polynomialOf(other.meaning)]
  if (!left || !right || left.of !== right.of) return undefined
  const [p, q] = [left.coefficients, right.coefficients]
  return { ...x, meaning: { ...left, coefficients: [p[0] + q[0], p[1] + q[1], p[2] + q[2]] } }
}

/** Mul of powers and of what they have become with each other, or with a number. */
export function geluProduct(a: Value | undefined, b: Value | undefined): Value | undefined {
  const [x, other] = a?.kind === 'hidden' ? [a, b] : [b, a]
  if (!isRows(x)) return undefined
  const factor = scalarOf(other)
  if (factor !== undefined) return timesNumber(x, factor)
  if (!isRows(other)) return undefined
  const [left, right] = [x.meaning, other.meaning]
  if (left.kind === 'geluPart') return timesInput(x, left, right)
  if (right.kind === 'geluPart') return timesInput(x, right, left)
  const [p, q] = [polynomialOf(left), polynomialOf(right)]
  return p && q && timesPower(x, p, q)
}

function timesNumber(x: HiddenValue, factor: number): Value | undefined {
  const { meaning } = x
  if (meaning.kind === 'geluPart') return part(x, { ...meaning, factor: factor * meaning.factor })
  const polynomial = meaning.kind === 'linear' ? undefined : polynomialOf(meaning)
  if (!polynomial) return undefined
  const [first, second, third] = polynomial.coefficients
  return { ...x, meaning: { ...polynomial, coefficients: [factor * first, factor * second, factor * third] } }
}

function timesInput(value: HiddenValue, gate: GeluPart, input: Meaning): Value | undefined {
  const polynomial = polynomialOf(input)
  if (gate.hasInput || !gate.isRaised || polynomial?.of !== gate.of) return undefined
  const [first, second, third] = polynomial.coefficients
  if (second !== 0 || third !== 0) return undefined
  return part(value, { ...gate, hasInput: true, factor: first * gate.factor })
}

/** The product of two powers, up to the third. */
function timesPower(value: HiddenValue, p: Polynomial, q: Polynomial): Value | undefined {
  const [left, right] = [powerOf(p), powerOf(q)]
  const power = left.power + right.power
  if (p.of !== q.of || left.power === 0 || right.power === 0 || power > 3) return undefined
  const factor = left.factor * right.factor
  return { ...value, meaning: termsOf(p.of, power === 2 ? [0, factor, 0] : [0, 0, factor]) }
}

/** The one power that a polynomial is; 0 where it has several terms. */
function powerOf({ coefficients }: Polynomial): { power: number; factor: number } {
  const terms = coefficients.flatMap((factor, at) => (factor === 0 ? [] : [{ power: at + 1, factor }]))
  const [only] = terms
  return terms.length === 1 && only ? only : { power: 0, factor: 0 }
}

function polynomialOf(meaning: Meaning): Polynomial | undefined {
  if (meaning.kind === 'polynomial') return meaning
  if (meaning.kind === 'linear') return termsOf(meaning, [1, 0, 0])
  if (meaning.kind === 'scaled') return termsOf(meaning.of, [meaning.factor, 0, 0])
  // An RMS norm begins alike.
  const isSquare = meaning.kind === 'square' && meaning.of.kind === 'linear'
  return isSquare ? termsOf(meaning.of, [0, 1, 0]) : undefined
}

function termsOf(of: LinearOutput, coefficients: Polynomial['coefficients']): Polynomial {
  return { kind: 'polynomial', of, coefficients }
}

/** A part of GELU, which is whole with the input and ½. */
function part(value: HiddenValue, meaning: GeluPart): Value {
  const isWhole = meaning.hasInput && meaning.isRaised && isNear(meaning.factor, 0.5)
  return isWhole ? gelu(value, meaning.of) : { ...value, meaning }
}
