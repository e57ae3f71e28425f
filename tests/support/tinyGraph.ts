import { Random } from '../../src/core/random.ts'
import type { WrittenAttribute, WrittenNode, WrittenTensor } from './onnxWriter.ts'

/** The sizes of the tiny decoder. */
export const TINY = {
  layers: 2,
  hidden: 32,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  ffn: 64,
  vocabulary: 40,
  positions: 32,
  theta: 10_000,
  epsilon: 1e-5,
} as const

/** Of the layers of a tiny decoder that see the last tokens alone: how many, and θ of a rotation of their own. */
export const WINDOWED = { window: 5, theta: 100 } as const

/** The ways in which exporters write the same decoder. */
export interface TinyOptions {
  readonly linear?:
    | 'matMul'
    | 'gemm'
    | 'blocks2'
    | 'blocks4'
    | 'blocks8'
    | 'normalLevels'
    | 'floatLevels'
    | 'dequantised'
    | 'rounded'
    | 'roundedInOne'
    | 'roundedToFloat'
  readonly zeros?: 'none' | 'packed' | 'floats'
  /** Of linear layers in blocks, and in levels. */
  readonly blockSize?: number
  /** Of dequantised and rounded linear layers: the type of codes, what has a scale, and whether rows are outputs. */
  readonly codes?: 'int4' | 'uint4' | 'int8' | 'uint8'
  readonly scales?: 'one' | 'columns' | 'blocks'
  readonly turned?: boolean
  readonly qkv?: 'fused' | 'separate'
  readonly bias?: 'none' | 'last' | 'first'
  readonly norm?: 'fused' | 'standard' | 'reciprocal' | 'division'
  /** As ONNX Runtime's operator, as ONNX's own for rotation and attention, or written out. */
  readonly attention?: 'fused' | 'standard' | 'written'
  /** Norms of each query and key head, of all heads together, or of each inside of the attention operator. */
  readonly headNorms?: 'none' | 'each' | 'all' | 'inside'
  /** How many of a head's first dimensions are rotated. */
  readonly rotaryDim?: number
  /** Whether neighbours are pairs. */
  readonly isInterleaved?: boolean
  /** How neighbours are turned where rotation is written out: by slices of every other one, or as pairs. */
  readonly neighbours?: 'slices' | 'pairs'
  /** Whether blocks have tokens along the first axis and texts along the second; in written attention alone. */
  readonly isTokensFirst?: boolean
  /** Gate and up projection as one matrix, or as two. */
  readonly gateUp?: 'fused' | 'separate'
  /** Which layers rotate queries and keys. */
  readonly rotated?: 'all' | 'first'
  /** Which layers see the last tokens alone, in written attention by a mask that says what is seen, or what is not. */
  readonly windowed?: 'none' | 'first' | 'all'
  readonly masks?: 'seen' | 'hidden'
  /** Whether layers with a window rotate by a θ of their own. */
  readonly hasLocalTheta?: boolean
  /** Whether the graph reads one text at a time, and says so in its shapes; in written attention alone. */
  readonly isOfOneText?: boolean
  /** Where a block has norms: in front of attention and MLP, behind them, or both. */
  readonly norms?: 'before' | 'behind' | 'both'
  /** Factors of embeddings, additions, scores and logits, as Granite has them. */
  readonly multipliers?: 'none' | 'all'
  /** Whether embeddings are multiplied by the root of their width. */
  readonly hasScaledEmbedding?: boolean
  /** SiLU as a product with a sigmoid or in one node, or GELU by its tanh: in one node, by products, by powers. */
  readonly activation?: 'sigmoid' | 'quickGelu' | 'gelu' | 'fastGelu' | 'geluOfProducts' | 'geluOfPowers'
  /** Whether gains are stored without the 1 that a node adds. */
  readonly hasRaisedGains?: boolean
  readonly embedding?: 'separate' | 'tied' | 'int4' | 'uint4' | 'uint8' | 'dequantised' | 'gatheredCodes'
}

/** What a decoder with multipliers multiplies: embeddings so small that the epsilon of norms tells. */
export const MULTIPLIERS = { embedding: 0.0625, residual: 0.375, scores: 0.125, logits: 0.25 } as const

/** ONNX's numbers for the types that are written. */
export const [F32, U8, I8, I32, I64, U4, I4] = [1, 2, 3, 6, 7, 21, 22] as const

/** The domain of the fused and the quantised operators. */
export const MICROSOFT = 'com.microsoft'

/** A graph that is being written; its weights come from one seeded source, in the order in which they are asked for. */
export class TinyGraph {
  readonly nodes: WrittenNode[] = []
  readonly initializers: WrittenTensor[] = []
  readonly options: Required<TinyOptions>
  private readonly random = new Random(7)

  constructor(options: Required<TinyOptions>) {
    this.options = options
  }

  node(
    opType: string,
    inputs: readonly string[],
    output: string | readonly string[],
    attributes: Readonly<Record<string, WrittenAttribute>> = {},
    domain = '',
  ): string {
    const outputs = typeof output === 'string' ? [output] : output
    this.nodes.push({ opType, inputs, outputs, attributes, domain })
    return outputs[0]!
  }

  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    const bytes = new Uint8Array(Float32Array.from(values).buffer)
    this.initializers.push({ name, dataType: F32, dims, bytes })
    return name
  }

  integers(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    if (this.initializers.some((tensor) => tensor.name === name)) return name
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    this.initializers.push({ name, dataType: I64, dims, bytes })
    return name
  }

  normals(count: number, scale: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.random.nextNormal() * scale)
  }

  codes(
    name: string,
    dims: readonly number[],
    count: number,
    dataType: number,
    of: (byte: number) => number = (byte) => byte,
  ): string {
    const bytes = Uint8Array.from({ length: count }, () => of(this.random.nextBelow(256)))
    this.initializers.push({ name, dataType, dims, bytes })
    return name
  }
}
