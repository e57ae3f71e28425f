import { graphicsNeeds } from '../core/graphicsMemory.ts'
import type { MemoryShape } from '../core/graphicsMemory.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import { processorNeeds } from '../core/processorMemory.ts'
import { precisionOf } from './variants.ts'
import type { SizedFile, Variant } from './variants.ts'

/** `model_type`s of decoders that our kernels compute; all others are the processor's. */
export const KERNEL_FAMILIES: readonly string[] = [
  'llama',
  'mistral',
  'qwen2',
  'qwen3',
  'smollm3',
  'ernie4_5',
  'phi3',
  'granite',
  'granitemoehybrid',
  'olmo2',
  'gemma3_text',
  'glm',
  'chatglm',
]

/** What config.json says of a model, before anything of its weights is read. */
export interface ModelFacts {
  readonly family: string
  readonly shape: MemoryShape
}

/** What a config.json says; null where it leaves out a size. */
export function readModelFacts(config: unknown): ModelFacts | null {
  if (!isJsonRecord(config)) return null
  const number = (key: string): number => {
    const value = ownField(config, key)
    return typeof value === 'number' && value > 0 ? value : Number.NaN
  }
  const [hidden, heads] = [number('hidden_size'), number('num_attention_heads')]
  const shape = {
    layers: number('num_hidden_layers'),
    hidden,
    heads,
    kvHeads: number('num_key_value_heads') || heads,
    headDim: number('head_dim') || hidden / heads,
    ffn: number('intermediate_size'),
    vocabulary: number('vocab_size'),
    maxPositions: number('max_position_embeddings'),
  }
  const family = ownField(config, 'model_type')
  const isWhole = Object.values(shape).every((size) => Number.isFinite(size))
  return isWhole ? { family: typeof family === 'string' ? family : '', shape } : null
}

/** A device as far as a model has to fit on it, in bytes. */
export interface DeviceRoom {
  /** What the graphics card gave when it was tried; null without one. */
  readonly graphics: number | null
  /** The most that one buffer, and one binding of it, may have. */
  readonly maxBuffer: number
  /** Of the processor. */
  readonly memory: number
}

/**
 * `fits`: with half as much again to spare; `tight`: with less; `processor`: not on the graphics card, but on the processor;
 * `too-large`: nowhere.
 */
export type Fit = 'fits' | 'tight' | 'processor' | 'too-large'

/** What is asked of a graphics card that is to be sure of so many bytes. */
export const EASE = 1.5

/** Bytes of a form's weights. */
export function weightsOf({ files, model }: Pick<Variant<SizedFile>, 'files' | 'model'>): number {
  const texts = /\.(json|jinja|txt|model)$/
  return files.reduce((sum, { path, bytes }) => sum + (path === model || !texts.test(path) ? bytes : 0), 0)
}

/** What a form takes of a graphics card; null where only the processor computes it. */
export function graphicsBytes(
  variant: Variant<SizedFile>,
  { family, shape }: ModelFacts,
  maxBuffer: number,
): number | null {
  return KERNEL_FAMILIES.includes(family) ? graphicsNeeds(shape, weightsOf(variant), maxBuffer) : null
}

/** How a form of a model fits on a device. */
export function fitOf(variant: Variant<SizedFile>, facts: ModelFacts, room: DeviceRoom): Fit {
  const { graphics, maxBuffer, memory } = room
  const needs = graphicsBytes(variant, facts, maxBuffer)
  if (needs !== null && graphics !== null && isBindable(variant, facts, maxBuffer)) {
    if (graphics >= EASE * needs) return 'fits'
    if (graphics >= needs) return 'tight'
  }
  return processorNeeds(weightsOf(variant)) <= memory ? 'processor' : 'too-large'
}

/** Bytes of a number in blocks of 32 of four bits, with their scales. */
const FOUR_BITS = 4.5 / 8

/** Whether the largest matrix of a layer, gate and up side by side, may be bound as one; a vocabulary is bound in bands. */
function isBindable(variant: Variant<SizedFile>, { shape }: ModelFacts, maxBuffer: number): boolean {
  const { layers, hidden, heads, kvHeads, headDim, ffn, vocabulary } = shape
  const blocks = layers * (hidden * headDim * (2 * heads + 2 * kvHeads) + 3 * hidden * ffn)
  const isFourBits = precisionOf(variant.label)?.bits === 4
  const numberBytes = isFourBits ? FOUR_BITS : weightsOf(variant) / (blocks + vocabulary * hidden)
  return 2 * hidden * ffn * numberBytes <= maxBuffer
}

const RANKS: readonly Fit[] = ['fits', 'tight', 'processor', 'too-large']

/** The best form: one that fits before one that does not, then the most exact up to 16 bits, then the smaller one. */
export function bestVariant(variants: readonly Variant<SizedFile>[], fits: readonly Fit[]): number {
  const order = variants.map((variant, index) => {
    const bits = precisionOf(variant.label)?.bits ?? 0
    return { index, fit: RANKS.indexOf(fits[index] ?? 'too-large'), bits: bits > 16 ? 0 : bits, ...variant }
  })
  const [best] = order.toSorted((a, b) => a.fit - b.fit || b.bits - a.bits || a.bytes - b.bytes)
  return best?.index ?? 0
}
