import type { ByteSource } from '../core/bytes.ts'
import { floatToHalf } from '../core/half.ts'
import { Random } from '../core/random.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import type {
  Decoder,
  DecoderShape,
  ElementType,
  Linear,
  StoredTensor,
  WeightMatrix,
  WeightVector,
} from '../model/decoder/decoder.ts'
import { beginTraining, finishPack } from '../train/parameters/trainee.ts'
import { DEFAULT_CONFIG } from '../train/settings/config.ts'

/** The shapes of random models: one to try the measuring with, Qwen2.5-0.5B's, Llama-3.2-1B's, Qwen2.5-1.5B's, Phi-3-mini's. */
export const RANDOM_SHAPES = {
  tiny: { layers: 2, hidden: 64, heads: 4, kvHeads: 2, headDim: 16, ffn: 128, vocabulary: 512 },
  '0.5b': { layers: 24, hidden: 896, heads: 14, kvHeads: 2, headDim: 64, ffn: 4864, vocabulary: 151936 },
  '1b': { layers: 16, hidden: 2048, heads: 32, kvHeads: 8, headDim: 64, ffn: 8192, vocabulary: 128256 },
  '1.5b': { layers: 28, hidden: 1536, heads: 12, kvHeads: 2, headDim: 128, ffn: 8960, vocabulary: 151936 },
  '3.8b': { layers: 32, hidden: 3072, heads: 32, kvHeads: 32, headDim: 96, ffn: 8192, vocabulary: 32064 },
} as const satisfies Readonly<Record<string, DecoderShape>>

const NOISE_BYTES = 2 ** 20
const BLOCK = 32
const MAX_POSITIONS = 8192
/** The spread of codes from 0 to 15 about their zero point of 8. */
const CODE_SPREAD = 4.6

let noise: Uint8Array | undefined

function noiseBytes(): Uint8Array {
  if (noise) return noise
  const random = new Random(7)
  noise = Uint8Array.from({ length: NOISE_BYTES }, () => random.nextBelow(256))
  return noise
}

/** Bytes without end that are there only while they are read: noise, from a place of its own for each `phase`. */
function noiseSource(phase: number): ByteSource {
  return {
    name: 'noise',
    sizeBytes: Number.MAX_SAFE_INTEGER,
    read(offset, length) {
      const bytes = new Uint8Array(length)
      const all = noiseBytes()
      for (let filled = 0; filled < length;) {
        const start = (offset + filled + phase * 4099) % NOISE_BYTES
        const part = all.subarray(start, Math.min(NOISE_BYTES, start + length - filled))
        bytes.set(part, filled)
        filled += part.length
      }
      return Promise.resolve(bytes)
    },
  }
}

/** One half or float over and over; it is asked for whole ones. */
function sameSource(bytesOfOne: Uint8Array): ByteSource {
  return {
    name: 'one value',
    sizeBytes: Number.MAX_SAFE_INTEGER,
    read: (_, length) => {
      const bytes = new Uint8Array(length)
      bytes.set(bytesOfOne.subarray(0, length))
      for (let filled = bytesOfOne.length; filled < length; filled *= 2) bytes.copyWithin(filled, 0, filled)
      return Promise.resolve(bytes)
    },
  }
}

function storedAs(
  source: ByteSource,
  dataType: ElementType,
  shape: readonly number[],
  sizeBytes: number,
): StoredTensor {
  return { name: source.name, dataType, shape, source, offset: 0, sizeBytes }
}

/** 4-bit blocks of 32 with halves as scales, of about the spread that keeps activations in bounds. */
function randomMatrix(out: number, width: number, phase: number): WeightMatrix {
  const blocks = width / BLOCK
  const scale = new Uint8Array(Uint16Array.of(floatToHalf(1 / (CODE_SPREAD * Math.sqrt(width)))).buffer)
  return {
    out,
    in: width,
    firstOut: 0,
    stored: {
      kind: 'blocks',
      blockSize: BLOCK,
      codes: storedAs(noiseSource(phase), 'u4', [out, width], (out * width) / 2),
      rowStride: width,
      columnStride: 1,
      levels: null,
      scales: {
        values: storedAs(sameSource(scale), 'f16', [out, blocks], 2 * out * blocks),
        rowStride: blocks,
        blockStride: 1,
        share: 1,
      },
      zeros: 8,
    },
  }
}

function gainOfOne(length: number): WeightVector {
  const one = new Uint8Array(Float32Array.of(1).buffer)
  return { values: storedAs(sameSource(one), 'f32', [length], 4 * length), first: 0, length }
}

/** A decoder of a shape with weights of noise, 4-bit, embedding and head the same; they are made while they are read. */
export function randomDecoder(shape: DecoderShape): Decoder {
  const { layers, hidden, heads, kvHeads, headDim, ffn, vocabulary } = shape
  const table = randomMatrix(vocabulary, hidden, 0)
  let phase = 0
  const linear = (out: number, width: number): Linear => ({
    weight: randomMatrix(out, width, ++phase),
    bias: null,
  })
  return {
    ...shape,
    architecture: 'random',
    normEpsilon: 1e-6,
    multipliers: { embedding: 1, residual: 1, logits: 1 },
    activation: 'silu',
    scoreScale: 1 / Math.sqrt(headDim),
    rotaries: [{ kind: 'theta', theta: 1e6 }],
    rotation: { dim: headDim, isInterleaved: false },
    maxPositions: MAX_POSITIONS,
    embedding: table,
    blocks: Array.from({ length: layers }, () => ({
      inputNorm: gainOfOne(hidden),
      postAttentionNorm: gainOfOne(hidden),
      outputNorms: null,
      headNorms: null,
      rotary: 0,
      window: null,
      linears: {
        q: linear(heads * headDim, hidden),
        k: linear(kvHeads * headDim, hidden),
        v: linear(kvHeads * headDim, hidden),
        o: linear(hidden, heads * headDim),
        gate: linear(ffn, hidden),
        up: linear(ffn, hidden),
        down: linear(hidden, ffn),
      },
    })),
    finalNorm: gainOfOne(hidden),
    head: table,
  }
}

/** A pack of the usual rank with so many roles, untrained, that fits a decoder. */
export async function untrainedPack(decoder: Decoder, roles: number): Promise<Pack> {
  const names = Array.from({ length: roles }, (_, role) => `Role ${role + 1}`)
  const trainee = beginTraining(DEFAULT_CONFIG, decoder, names, null)
  const backbone = { name: decoder.architecture, architecture: decoder.architecture, fingerprint: '' }
  const bytes = await finishPack(trainee, trainee.tensors, backbone, {})
  return readPack(memorySource('untrained.hycora.safetensors', bytes))
}
