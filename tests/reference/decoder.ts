import { readMatrix, readVector } from '../../src/model/decoder/dequantise.ts'
import type { Decoder, Linear, Projection, RotarySource } from '../../src/model/decoder/decoder.ts'
import { PROJECTIONS } from '../../src/model/decoder/decoder.ts'
import { gateReference } from './gated.ts'

type Values = Float32Array | Float64Array

export interface ReferenceLinear {
  readonly in: number
  readonly out: number
  /** [out, in] */
  readonly weight: Values
  readonly bias: Values | null
}

/** cos and sin [positions, rotation.dim / 2] of a rotary's angles. */
export interface ReferenceAngles {
  readonly cos: (position: number, i: number) => number
  readonly sin: (position: number, i: number) => number
}

export interface ReferenceBlock {
  readonly inputNorm: Values | null
  readonly postAttentionNorm: Values | null
  /** Gains of the norms of what attention and MLP add. */
  readonly outputNorms: { readonly attention: Values; readonly mlp: Values } | null
  /** Gains of a head, or of all heads together. */
  readonly headNorms: { readonly query: Values; readonly key: Values } | null
  /** Which of the rotaries turns queries and keys. */
  readonly rotary: number | null
  /** How many tokens back a token sees, itself included. */
  readonly window: number | null
  readonly linears: Readonly<Record<Projection, ReferenceLinear>>
}

/** A decoder's weights on the CPU, dequantised. */
export interface ReferenceDecoder {
  readonly hidden: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly vocabulary: number
  readonly normEpsilon: number
  readonly multipliers: { readonly embedding: number; readonly residual: number; readonly logits: number }
  readonly activation: keyof typeof gateReference
  readonly scoreScale: number
  /** Which of a head's first dimensions are rotated, and whether neighbours are pairs. */
  readonly rotation: { readonly dim: number; readonly isInterleaved: boolean }
  readonly angles: readonly ReferenceAngles[]
  /** [vocabulary, hidden] */
  readonly embedding: Values
  readonly blocks: readonly ReferenceBlock[]
  readonly finalNorm: Values
  /** [vocabulary, hidden] */
  readonly head: Values
}

/** A LoRA delta of one linear layer: y += scale · (x·A)·B, A [in, rank], B [rank, out]. */
export interface ReferenceAdapter {
  readonly a: Values
  readonly b: Values
  readonly scale: number
}

export type ReferenceAdapters = (layer: number, projection: Projection) => ReferenceAdapter | undefined

/** Dequantises all of a decoder. */
export async function loadReference(decoder: Decoder): Promise<ReferenceDecoder> {
  const blocks: ReferenceBlock[] = []
  for (const block of decoder.blocks) {
    const linears: Partial<Record<Projection, ReferenceLinear>> = {}
    for (const projection of PROJECTIONS) linears[projection] = await loadLinear(block.linears[projection])
    blocks.push({
      inputNorm: block.inputNorm && (await readVector(block.inputNorm)),
      postAttentionNorm: block.postAttentionNorm && (await readVector(block.postAttentionNorm)),
      outputNorms: block.outputNorms && {
        attention: await readVector(block.outputNorms.attention),
        mlp: await readVector(block.outputNorms.mlp),
      },
      headNorms: block.headNorms && {
        query: await readVector(block.headNorms.query),
        key: await readVector(block.headNorms.key),
      },
      rotary: block.rotary,
      window: block.window,
      linears: linears as Record<Projection, ReferenceLinear>,
    })
  }
  const embedding = await readMatrix(decoder.embedding)
  const isTied = decoder.embedding.stored === decoder.head.stored
  return {
    ...decoder,
    angles: await Promise.all(decoder.rotaries.map((rotary) => rotaryTables(rotary, decoder.rotation.dim))),
    embedding,
    blocks,
    finalNorm: await readVector(decoder.finalNorm),
    head: isTied ? embedding : await readMatrix(decoder.head),
  }
}

async function loadLinear({ weight, bias }: Linear): Promise<ReferenceLinear> {
  return {
    in: weight.in,
    out: weight.out,
    weight: await readMatrix(weight),
    bias: bias && (await readVector(bias)),
  }
}

async function rotaryTables(rotary: RotarySource, dim: number): Promise<ReferenceAngles> {
  if (rotary.kind === 'theta') {
    const angle = (position: number, i: number): number => position * rotary.theta ** ((-2 * i) / dim)
    return { cos: (p, i) => Math.cos(angle(p, i)), sin: (p, i) => Math.sin(angle(p, i)) }
  }
  const length = (rotary.cos.shape[0] ?? 0) * (dim / 2)
  const cos = await readVector({ values: rotary.cos, first: 0, length })
  const sin = await readVector({ values: rotary.sin, first: 0, length })
  return { cos: (p, i) => cos[p * (dim / 2) + i]!, sin: (p, i) => sin[p * (dim / 2) + i]! }
}

/**
 * A decoder on one sequence from position 0, in float64 throughout: embedding, then per block
 * x += o(attention(norm(x))), x += down(activation(gate(norm(x))) · up(norm(x))), then head(norm(x)).
 *
 * @returns `logits` [tokens, vocabulary] and `hidden` [tokens, hidden], the final norm's output.
 */
export function referenceForward(
  model: ReferenceDecoder,
  ids: readonly number[],
  adapters: ReferenceAdapters = () => undefined,
): { logits: Float64Array; hidden: Float64Array } {
  const { hidden, heads, kvHeads, headDim, vocabulary, multipliers, scoreScale, normEpsilon } = model
  const tokens = ids.length
  const x = new Float64Array(tokens * hidden)
  ids.forEach((id, t) => {
    for (let c = 0; c < hidden; c++) {
      x[t * hidden + c] = multipliers.embedding * model.embedding[id * hidden + c]!
    }
  })
  model.blocks.forEach((block, layer) => {
    const project = (projection: Projection, input: Float64Array): Float64Array =>
      applyLinear(block.linears[projection], input, tokens, adapters(layer, projection))
    const normed = normedBy(x, block.inputNorm, normEpsilon)
    const turned = (values: Float64Array, count: number): Float64Array =>
      block.rotary === null ? values : rotate(model, model.angles[block.rotary]!, values, count)
    const query = turned(normedBy(project('q', normed), block.headNorms?.query, normEpsilon), heads)
    const key = turned(normedBy(project('k', normed), block.headNorms?.key, normEpsilon), kvHeads)
    const mixed = attention(query, key, project('v', normed), {
      tokens,
      heads,
      kvHeads,
      headDim,
      scoreScale,
      window: block.window ?? tokens,
    })
    const attended = normedBy(project('o', mixed), block.outputNorms?.attention, normEpsilon)
    for (let i = 0; i < x.length; i++) x[i] = x[i]! + multipliers.residual * attended[i]!
    const second = normedBy(x, block.postAttentionNorm, normEpsilon)
    const gate = project('gate', second)
    const up = project('up', second)
    const gated = gate.map((value, i) => gateReference[model.activation](value) * up[i]!)
    const down = normedBy(project('down', gated), block.outputNorms?.mlp, normEpsilon)
    for (let i = 0; i < x.length; i++) x[i] = x[i]! + multipliers.residual * down[i]!
  })
  const final = rmsNorm(x, model.finalNorm, normEpsilon)
  const head = { in: hidden, out: vocabulary, weight: model.head, bias: null }
  const logits = applyLinear(head, final, tokens, undefined).map((value) => multipliers.logits * value)
  return { logits, hidden: final }
}

/** The values' norm where there are gains for it. */
function normedBy(values: Float64Array, gain: Values | null | undefined, epsilon: number): Float64Array {
  return gain ? rmsNorm(values, gain, epsilon) : values
}

function rmsNorm(x: Float64Array, gain: Values, epsilon: number): Float64Array {
  const columns = gain.length
  const y = new Float64Array(x.length)
  for (let row = 0; row < x.length; row += columns) {
    let sum = 0
    for (let c = 0; c < columns; c++) sum += x[row + c]! ** 2
    const scale = 1 / Math.sqrt(sum / columns + epsilon)
    for (let c = 0; c < columns; c++) y[row + c] = x[row + c]! * scale * gain[c]!
  }
  return y
}

function applyLinear(
  linear: ReferenceLinear,
  x: Float64Array,
  tokens: number,
  adapter: ReferenceAdapter | undefined,
): Float64Array {
  const y = new Float64Array(tokens * linear.out)
  for (let t = 0; t < tokens; t++) {
    for (let n = 0; n < linear.out; n++) {
      let sum = linear.bias?.[n] ?? 0
      for (let k = 0; k < linear.in; k++) sum += x[t * linear.in + k]! * linear.weight[n * linear.in + k]!
      y[t * linear.out + n] = sum
    }
  }
  if (!adapter) return y
  const rank = adapter.b.length / linear.out
  for (let t = 0; t < tokens; t++) {
    for (let r = 0; r < rank; r++) {
      let sum = 0
      for (let k = 0; k < linear.in; k++) sum += x[t * linear.in + k]! * adapter.a[k * rank + r]!
      for (let n = 0; n < linear.out; n++) {
        y[t * linear.out + n] = y[t * linear.out + n]! + adapter.scale * sum * adapter.b[r * linear.out + n]!
      }
    }
  }
  return y
}

/** Turns each pair of every head's rotated dimensions by its position's angle: neighbours, or a half of them apart. */
function rotate(
  model: ReferenceDecoder,
  angles: ReferenceAngles,
  x: Float64Array,
  heads: number,
): Float64Array {
  const tokens = x.length / (heads * model.headDim)
  const { dim, isInterleaved } = model.rotation
  const y = x.slice()
  for (let t = 0; t < tokens; t++) {
    for (let h = 0; h < heads; h++) {
      const at = (t * heads + h) * model.headDim
      for (let i = 0; i < dim / 2; i++) {
        const [cos, sin] = [angles.cos(t, i), angles.sin(t, i)]
        const [first, second] = isInterleaved ? [at + 2 * i, at + 2 * i + 1] : [at + i, at + i + dim / 2]
        y[first] = x[first]! * cos - x[second]! * sin
        y[second] = x[second]! * cos + x[first]! * sin
      }
    }
  }
  return y
}

interface AttentionSizes {
  readonly tokens: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly scoreScale: number
  readonly window: number
}

/** Causal softmax(scoreScale·q·kᵀ)·v over the last `window` tokens; query head h reads key head ⌊h · kvHeads / heads⌋. */
function attention(
  query: Float64Array,
  key: Float64Array,
  value: Float64Array,
  { tokens, heads, kvHeads, headDim, scoreScale, window }: AttentionSizes,
): Float64Array {
  const y = new Float64Array(tokens * heads * headDim)
  for (let h = 0; h < heads; h++) {
    const kvHead = Math.floor((h * kvHeads) / heads)
    for (let t = 0; t < tokens; t++) {
      const to = (t * heads + h) * headDim
      const scores = Array.from({ length: t + 1 }, (_, s) => {
        const from = (s * kvHeads + kvHead) * headDim
        let sum = 0
        for (let d = 0; d < headDim; d++) sum += query[to + d]! * key[from + d]!
        return t - s < window ? scoreScale * sum : -Infinity
      })
      const largest = Math.max(...scores)
      const weights = scores.map((score) => Math.exp(score - largest))
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      weights.forEach((weight, s) => {
        const from = (s * kvHeads + kvHead) * headDim
        for (let d = 0; d < headDim; d++) y[to + d] = y[to + d]! + (weight / total) * value[from + d]!
      })
    }
  }
  return y
}
