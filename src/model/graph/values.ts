import type { OnnxNode } from '../../formats/onnx.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import type { GateActivation } from '../../kernels/operands/gatedOperands.ts'
import type { BlockNumbers } from '../decoder/decoder.ts'
import type { Dimension, Entry } from './dimension.ts'
import type { SideRole, SideValue } from './sideValues.ts'

/** An initializer or Constant, seen through reshapes and at most one transposition of a matrix. */
export interface ConstantValue {
  readonly kind: 'constant'
  readonly tensor: OnnxTensor
  /** As seen by the consumer; the stored order is the reverse where `isTransposed`. */
  readonly dims: readonly number[]
  readonly isTransposed: boolean
}

/** A constant matrix of (code − zero) · scale, seen through at most one transposition. */
export interface QuantisedValue {
  readonly kind: 'quantised'
  readonly codes: OnnxTensor
  readonly scales: OnnxTensor
  readonly zeros: OnnxTensor | null
  /** As seen by the consumer; the stored order is the reverse where `isTransposed`. */
  readonly dims: readonly number[]
  readonly isTransposed: boolean
  /** The axis of the stored order along which scales differ; null where there is one for all. */
  readonly axis: 0 | 1 | null
  /** How many codes along that axis have a scale in common. */
  readonly blockSize: number
}

/** A constant vector plus a number. */
export interface RaisedValue {
  readonly kind: 'raised'
  readonly of: ConstantValue
  readonly by: number
}

/** Rows of a table of codes, one for each token id, that no scale has been applied to. */
export interface GatheredValue {
  readonly kind: 'gathered'
  readonly table: ConstantValue
  readonly ids: IdsValue
}

/** A part of rows that are rounded to 8 bits as they come, and of their product with a matrix of integers. */
export interface RoundedValue {
  readonly kind: 'rounded'
  readonly part: 'codes' | 'scale' | 'zero'
  readonly of: HiddenValue
}

/** A product of rounded rows and a matrix of integers, before the scales. */
export interface IntegerProductValue {
  readonly kind: 'integerProduct'
  readonly of: HiddenValue
  readonly codes: ConstantValue
  readonly zeros: ConstantValue | null
}

/** The scale of rounded rows times that of a matrix. */
export interface ProductScaleValue {
  readonly kind: 'productScale'
  readonly of: HiddenValue
  readonly scales: ConstantValue
}

/** A scalar or short vector that is known, or in part known, before the run: shapes, axes, scales. */
export interface NumbersValue {
  readonly kind: 'numbers'
  readonly entries: readonly Entry[]
  readonly isScalar: boolean
  readonly isInteger: boolean
}

/** The token ids. */
export interface IdsValue {
  readonly kind: 'ids'
  readonly dims: readonly Dimension[]
}

/** A cache input, [batch, kvHeads, past, headDim]. */
export interface PastValue {
  readonly kind: 'past'
  readonly dims: readonly Entry[]
}

/** A value whose meaning could not be told; it is an error only where the logits need it. */
export interface UnplacedValue {
  readonly kind: 'unplaced'
  readonly node: OnnxNode
  readonly reason: string
}

/**
 * A value computed from the embeddings. `layout` has a letter per axis: b batch, r batch·tokens, n batch·heads,
 * t tokens (or cached positions), s cached positions of scores, h heads, g repetitions of a key head, d head size,
 * p the two of a pair of its dimensions, f features.
 */
export interface HiddenValue {
  readonly kind: 'hidden'
  readonly layout: string
  readonly dims: readonly Dimension[]
  readonly meaning: Meaning
}

/** What is known of a value of the graph before the run. */
export type Value =
  | ConstantValue
  | QuantisedValue
  | RaisedValue
  | GatheredValue
  | RoundedValue
  | IntegerProductValue
  | ProductScaleValue
  | NumbersValue
  | SideValue
  | IdsValue
  | PastValue
  | UnplacedValue
  | HiddenValue

/** Where the scales or zero points of a matrix lie, as `BlockNumbers` has it. */
export interface NumbersSite extends Omit<BlockNumbers, 'values'> {
  readonly tensor: OnnxTensor
  /** How many elements the tensor has to hold. */
  readonly elements: number
}

/** A weight matrix as a node uses it. */
export type WeightSite =
  | {
      readonly kind: 'float'
      readonly tensor: OnnxTensor
      readonly layout: 'in-out' | 'out-in'
      readonly out: number
      readonly in: number
    }
  | {
      readonly kind: 'blocks'
      readonly bits: 2 | 4 | 8
      readonly blockSize: number
      readonly codes: OnnxTensor
      /** How many codes the tensor has to hold, those that fill blocks included. */
      readonly elements: number
      readonly rowStride: number
      readonly columnStride: number
      /** Whether the first of two 4-bit codes is the upper half of its byte. */
      readonly isHighFirst: boolean
      /** The values that 4-bit codes name; null where codes are numbers. */
      readonly levels: readonly number[] | null
      readonly scales: NumbersSite
      /** Zero points, or the one of all blocks, as unsigned codes. */
      readonly zeros: NumbersSite | number
      readonly out: number
      readonly in: number
    }

/** The residual stream: after the embedding (depth 0), then after each half block. */
export interface Residual {
  readonly kind: 'residual'
  readonly depth: number
  readonly hidden: number
  readonly origin:
    | { readonly kind: 'embedding'; readonly table: WeightSite; readonly factor: number }
    | {
        readonly kind: 'sum'
        readonly previous: Residual
        readonly addition: LinearOutput
        /** The norm of the addition. */
        readonly norm: NormedLinear | null
        /** What the addition was multiplied with. */
        readonly factor: number
      }
}

/** A step on the way of a decomposed RMS norm. */
export interface NormStep {
  readonly kind: 'square' | 'meanSquare' | 'shiftedMeanSquare' | 'root' | 'inverseRoot' | 'normalised'
  readonly of: Residual | LinearOutput
  readonly epsilon: number
}

/** What a norm multiplies by: a vector, plus a number. */
export interface Gain {
  readonly tensor: OnnxTensor
  readonly plus: number
}

/** The output of an RMS norm of the residual stream. */
export interface Normed {
  readonly kind: 'normed'
  readonly of: Residual
  readonly epsilon: number
  readonly gain: Gain
}

/** Rows [first, first + length) of x·Wᵀ (+ bias). */
export interface LinearOutput {
  readonly kind: 'linear'
  /** The residual stream itself where a block has its norms behind attention and MLP. */
  readonly input: Normed | Residual | Attended | Gated
  readonly weight: WeightSite
  readonly first: number
  readonly length: number
  readonly bias: { readonly tensor: OnnxTensor; readonly first: number } | null
}

/** The output of an RMS norm of a linear layer's output: of each head, or of all of it. */
export interface NormedLinear {
  readonly kind: 'normedLinear'
  readonly of: LinearOutput
  readonly epsilon: number
  readonly gain: Gain
  /** Neighbouring columns that are normalised together. */
  readonly columns: number
}

/** A linear layer's output times a known number. */
export interface Scaled {
  readonly kind: 'scaled'
  readonly of: LinearOutput
  readonly factor: number
}

/** Queries or keys before their rotation. */
export type Projected = LinearOutput | NormedLinear

/** Where a rotation takes its angles from. */
export type AngleSource =
  | { readonly kind: 'tables'; readonly cos: OnnxTensor; readonly sin: OnnxTensor }
  /** A table [positions, dim / 2, 2] of a cosine and a sine beside each other. */
  | { readonly kind: 'turns'; readonly tensor: OnnxTensor }
  | { readonly kind: 'frequencies'; readonly tensor: OnnxTensor; readonly scale: number }

/** The rotation of queries or keys. */
export interface RotaryUse {
  readonly angles: AngleSource
  /** How many of a head's first dimensions are rotated. */
  readonly dim: number
  /** Whether neighbours are pairs; else a dimension and the one half of `dim` behind it. */
  readonly isInterleaved: boolean
}

/**
 * A piece of a rotation written out: `length` dimensions of every head from `first` on, each or (`stride` 2) every other.
 * x·cos + turned(x)·sin with turned(x) = [−upper half, lower half], or [−odd, even] of neighbours; or even and odd ones by
 * themselves, even·cos − odd·sin and odd·cos + even·sin. A `rotatedPart` still lacks the dimensions that are not rotated.
 */
export interface RotaryStep {
  readonly kind:
    | 'dimensions'
    | 'negated'
    | 'turned'
    | 'cosinePart'
    | 'sinePart'
    | 'oneProduct'
    | 'oneRotated'
    | 'rotatedPart'
  readonly of: Projected
  readonly headDim: number
  readonly first: number
  readonly length: number
  readonly stride: 1 | 2
  readonly role: SideRole | null
  /** Of what is turned, or multiplied for it: whether neighbours are pairs. */
  readonly isInterleaved?: boolean
  /** Of `oneRotated` and `rotatedPart`. */
  readonly rotary?: RotaryUse
}

/** Queries or keys as attention takes them, with their positions where they have any, times `factor`. */
export interface Rotated {
  readonly kind: 'rotated'
  readonly of: Projected
  readonly rotary: RotaryUse | null
  readonly factor: number
}

/** Keys or values behind those of the cache, each head `repeat` times. */
export interface Cached {
  readonly kind: 'cached'
  readonly of: Rotated | LinearOutput
  readonly repeat: number
  readonly factor: number
}

/** q·kᵀ times `factor`, and what softmax makes of it. */
export interface Scores {
  readonly kind: 'scores' | 'probabilities' | 'nanTest'
  readonly query: Rotated
  readonly key: Cached
  readonly factor: number
  readonly isMasked: boolean
  /** How many tokens back the mask lets a token see, itself included; left out where it says nothing of it. */
  readonly window?: number
}

/** The mixed values of all heads, before the output projection. */
export interface Attended {
  readonly kind: 'attended'
  readonly query: Projected
  readonly key: Projected
  readonly value: LinearOutput
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly scale: number
  /** null where positions are only in what a token sees. */
  readonly rotary: RotaryUse | null
  /** How many tokens back a token sees, itself included; left out where it sees all. */
  readonly window?: number
}

/** σ(x). */
export interface Sigmoid {
  readonly kind: 'sigmoid'
  readonly of: LinearOutput
}

/** c₁·x + c₂·x² + c₃·x³ on the way to GELU. */
export interface Polynomial {
  readonly kind: 'polynomial'
  readonly of: LinearOutput
  readonly coefficients: readonly [number, number, number]
}

/** The tanh of GELU, plus 1 where it is raised, times x where it has its input, times a number. */
export interface GeluPart {
  readonly kind: 'geluPart'
  readonly of: LinearOutput
  readonly isRaised: boolean
  readonly hasInput: boolean
  readonly factor: number
}

/** A gate behind its activation. */
export interface Active {
  readonly kind: 'active'
  readonly of: LinearOutput
  readonly activation: GateActivation
}

/** activation(gate) · up. */
export interface Gated {
  readonly kind: 'gated'
  readonly activation: GateActivation
  readonly gate: LinearOutput
  readonly up: LinearOutput
}

/** The part that a hidden value plays in a decoder. */
export type Meaning =
  | Residual
  | NormStep
  | Normed
  | LinearOutput
  | NormedLinear
  | Scaled
  | RotaryStep
  | Rotated
  | Cached
  | Scores
  | Attended
  | Sigmoid
  | Polynomial
  | GeluPart
  | Active
  | Gated

/** The linear layer that gives queries or keys. */
export function layerOf(projected: Projected): LinearOutput {
  return projected.kind === 'linear' ? projected : projected.of
}
