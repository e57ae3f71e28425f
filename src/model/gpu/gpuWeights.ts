import { bindableBytes, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import type {
  Decoder,
  DecoderBlock,
  HeadNorms,
  Linear,
  OutputNorms,
  StoredTensor,
  WeightMatrix,
  WeightVector,
} from '../decoder/decoder.ts'
import { isColumnMajor, readVector } from '../decoder/dequantise.ts'
import type { BandedMatrix } from './bands.ts'
import { loadMatrix, loadTable } from './loadMatrix.ts'
import type { ReportBytes } from './placeRows.ts'
import { storedBytes, storedFormat } from './commonForm.ts'

/** A projection or several with one input, side by side, with their biases. */
export interface GpuLinear {
  readonly matrix: PackedMatrix
  /** [Σ out], zeros where there is none. */
  readonly bias: Tensor
}

/** The norms of queries and keys, and what stands in for a bias behind them. */
export interface GpuHeadNorms {
  /** [(queryGroup + keyGroup)·headDim] */
  readonly gain: Tensor
  /** Heads that are normalised together. */
  readonly queryGroup: number
  readonly keyGroup: number
  /** Zeros, as many as queries, keys and values have columns. */
  readonly noBias: Tensor
}

/** The norms of what attention and MLP add, and what stands in for a bias behind them. */
export interface GpuOutputNorms {
  readonly attention: Tensor
  readonly mlp: Tensor
  /** Zeros, as many as the residual stream has columns. */
  readonly noBias: Tensor
}

export interface GpuBlock {
  /** null where attention, or the MLP, reads the residual stream as it is. */
  readonly inputNorm: Tensor | null
  /** null where queries and keys are taken as they are. */
  readonly headNorms: GpuHeadNorms | null
  /** Which of the decoder's rotaries turns queries and keys; null where none does. */
  readonly rotary: number | null
  /** How many tokens back a token sees, itself included; null where it sees all. */
  readonly window: number | null
  readonly qkv: GpuLinear
  readonly o: GpuLinear
  readonly postAttentionNorm: Tensor | null
  /** null where the outputs are added as they are. */
  readonly outputNorms: GpuOutputNorms | null
  readonly gateUp: GpuLinear
  readonly down: GpuLinear
}

/** All weights of a decoder on the GPU, packed as they are stored. */
export interface GpuWeights {
  readonly embedding: BandedMatrix
  readonly blocks: readonly GpuBlock[]
  /** With the multiplier of logits, so that the head gives them. */
  readonly finalNorm: Tensor
  readonly head: BandedMatrix
}

async function loadVector(device: GPUDevice, vector: WeightVector, factor = 1): Promise<Tensor> {
  const values = Float32Array.from(await readVector(vector), (value) => factor * value)
  return uploadTensor(device, [vector.length], values, vector.values.name)
}

async function loadBias(device: GPUDevice, linears: readonly Linear[], label: string): Promise<Tensor> {
  const width = linears.reduce((sum, { weight }) => sum + weight.out, 0)
  const values = new Float32Array(width)
  let first = 0
  for (const { weight, bias } of linears) {
    if (bias) values.set(await readVector(bias), first)
    first += weight.out
  }
  return uploadTensor(device, [width], values, `${label} bias`)
}

async function loadLinear(
  device: GPUDevice,
  linears: readonly Linear[],
  label: string,
  report: ReportBytes,
): Promise<GpuLinear> {
  const matrices = linears.map(({ weight }) => weight)
  return {
    matrix: await loadMatrix(device, matrices, label, report),
    bias: await loadBias(device, linears, label),
  }
}

async function loadHeadNorms(
  device: GPUDevice,
  { query, key }: HeadNorms,
  headDim: number,
  noBias: Tensor,
): Promise<GpuHeadNorms> {
  const gains = Float32Array.of(...(await readVector(query)), ...(await readVector(key)))
  return {
    gain: uploadTensor(device, [gains.length], gains, 'gains of heads'),
    queryGroup: query.length / headDim,
    keyGroup: key.length / headDim,
    noBias,
  }
}

async function loadOutputNorms(device: GPUDevice, { attention, mlp }: OutputNorms): Promise<GpuOutputNorms> {
  return {
    attention: await loadVector(device, attention),
    mlp: await loadVector(device, mlp),
    noBias: uploadTensor(device, [mlp.length], new Float32Array(mlp.length), 'no bias'),
  }
}

/** Zeros in the place of the biases that a norm of heads has taken up; null where no block has one. */
function createNoBias(device: GPUDevice, { blocks, heads, kvHeads, headDim }: Decoder): Tensor | null {
  if (!blocks.some(({ headNorms }) => headNorms)) return null
  const width = (heads + 2 * kvHeads) * headDim
  return uploadTensor(device, [width], new Float32Array(width), 'no bias')
}

async function loadBlock(
  device: GPUDevice,
  { block, layer, headDim, noBias }: BlockToLoad,
  report: ReportBytes,
): Promise<GpuBlock> {
  const { q, k, v, o, gate, up, down } = block.linears
  const load = (linears: readonly Linear[], name: string): Promise<GpuLinear> =>
    loadLinear(device, linears, `layer ${layer} ${name}`, report)
  return {
    inputNorm: block.inputNorm && (await loadVector(device, block.inputNorm)),
    headNorms:
      block.headNorms && noBias ? await loadHeadNorms(device, block.headNorms, headDim, noBias) : null,
    rotary: block.rotary,
    window: block.window,
    qkv: await load([q, k, v], 'qkv'),
    o: await load([o], 'o'),
    postAttentionNorm: block.postAttentionNorm && (await loadVector(device, block.postAttentionNorm)),
    outputNorms: block.outputNorms && (await loadOutputNorms(device, block.outputNorms)),
    gateUp: await load([gate, up], 'gate and up'),
    down: await load([down], 'down'),
  }
}

interface BlockToLoad {
  readonly block: DecoderBlock
  readonly layer: number
  readonly headDim: number
  readonly noBias: Tensor | null
}

function mainTensor({ stored }: WeightMatrix): StoredTensor {
  return stored.kind === 'float' ? stored.values : stored.codes
}

function isSameStorage(one: WeightMatrix, other: WeightMatrix): boolean {
  const [a, b] = [mainTensor(one), mainTensor(other)]
  const isSamePlace = a.source === b.source && a.offset === b.offset && one.firstOut === other.firstOut
  return isSamePlace && isColumnMajor(one) === isColumnMajor(other)
}

/** Bytes of weights that `loadWeights` will report in all. */
export function weightBytes(decoder: Decoder): number {
  const matrices = [
    decoder.embedding,
    ...(isSameStorage(decoder.embedding, decoder.head) ? [] : [decoder.head]),
    ...decoder.blocks.flatMap(({ linears }) => Object.values(linears).map(({ weight }) => weight)),
  ]
  return matrices.reduce((sum, matrix) => sum + storedBytes(matrix), 0)
}

/**
 * Brings a decoder's weights to the GPU piece by piece; a head that shares its storage with the embedding is held once.
 *
 * @param bandBytes the most of the embedding, and of the head, in one binding.
 * @throws HycoraError `format-invalid` when a file is too short, `out-of-memory` when the device is too small.
 */
export async function loadWeights(
  device: GPUDevice,
  decoder: Decoder,
  report: ReportBytes,
  bandBytes = bindableBytes(device),
): Promise<GpuWeights> {
  const embedding = await loadTable(device, decoder.embedding, 'embedding', report, bandBytes)
  const blocks: GpuBlock[] = []
  const noBias = createNoBias(device, decoder)
  for (const [layer, block] of decoder.blocks.entries())
    blocks.push(await loadBlock(device, { block, layer, headDim: decoder.headDim, noBias }, report))
  const finalNorm = await loadVector(device, decoder.finalNorm, decoder.multipliers.logits)
  const head = isSameStorage(decoder.embedding, decoder.head)
    ? embedding
    : await loadTable(device, decoder.head, 'head', report, bandBytes)
  return { embedding, blocks, finalNorm, head }
}

function ofMatrix({ weights, scales, zeros }: PackedMatrix): Tensor[] {
  return [weights, scales, zeros]
}

function tensorsOf(weights: GpuWeights): Set<GPUBuffer> {
  const ofLinear = ({ matrix, bias }: GpuLinear): Tensor[] => [...ofMatrix(matrix), bias]
  const tensors = [
    ...[...weights.embedding, ...weights.head].flatMap(ofMatrix),
    weights.finalNorm,
    ...weights.blocks.flatMap((block) => [
      ...[block.inputNorm, block.postAttentionNorm].filter((gain) => gain !== null),
      ...(block.outputNorms ? Object.values<Tensor>({ ...block.outputNorms }) : []),
      ...(block.headNorms ? [block.headNorms.gain, block.headNorms.noBias] : []),
      ...[block.qkv, block.o, block.gateUp, block.down].flatMap(ofLinear),
    ]),
  ]
  return new Set(tensors.map(({ buffer }) => buffer))
}

/** All matrices that rows of activations are multiplied with. */
export function multipliedMatrices({ blocks, head }: GpuWeights): readonly PackedMatrix[] {
  return [
    ...blocks.flatMap(({ qkv, o, gateUp, down }) => [qkv, o, gateUp, down].map(({ matrix }) => matrix)),
    ...head,
  ]
}

/** Bytes of GPU memory that the weights take. */
export function bytesOfWeights(weights: GpuWeights): number {
  return [...tensorsOf(weights)].reduce((sum, { size }) => sum + size, 0)
}

export function destroyWeights(weights: GpuWeights): void {
  for (const buffer of tensorsOf(weights)) buffer.destroy()
}

/** How the weights are stored, for people: "f16", "4-bit blocks of 32, head 8-bit blocks of 32". */
export function describeFormat(decoder: Decoder): string {
  const body = decoder.blocks[0] ? storedFormat(decoder.blocks[0].linears.q.weight) : ''
  const head = storedFormat(decoder.head)
  return body === head ? body : `${body}, head ${head}`
}
