import { check, HycoraError } from '../../core/errors.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import type { GateActivation } from '../../kernels/operands/gatedOperands.ts'

/** What config.json says about a backbone; undefined where it says nothing. */
export interface BackboneConfig {
  readonly architecture: string
  readonly layers: number | undefined
  readonly hidden: number | undefined
  readonly heads: number | undefined
  readonly kvHeads: number | undefined
  readonly headDim: number | undefined
  readonly ffn: number | undefined
  readonly vocabulary: number | undefined
  readonly activation: GateActivation
  readonly normEpsilon: number | undefined
  readonly maxPositions: number | undefined
  /** How many tokens back a token sees in a layer, itself included; null where it sees all. */
  readonly windowOf: (layer: number) => number | null
  readonly theta: number | undefined
  /** θ of the layers with a window where these have one of their own, which is never scaled. */
  readonly thetaLocal: number | undefined
  /** Whether rotary positions follow θ alone. */
  readonly hasPlainRotary: boolean
  /** How much of a head is rotated, as a share; undefined where it says nothing. */
  readonly partialRotary: number | undefined
}

/**
 * Reads a parsed config.json; undefined where there is none.
 *
 * @throws HycoraError `format-invalid` where it is no JSON object or a number is none; `format-unsupported` where it
 * asks for what a graph's shape may not show (soft caps, another activation).
 */
export function readBackboneConfig(config: unknown): BackboneConfig | undefined {
  if (config === undefined || config === null) return undefined
  check(isJsonRecord(config), 'format-invalid', () => 'config.json is not a JSON object, expected one')
  refuseUnsupported(config)
  const rotary = rotaryOf(config)
  const heads = numberAt(config, 'num_attention_heads')
  const architecture = ownField(config, 'model_type')
  return {
    architecture: typeof architecture === 'string' ? architecture : '',
    layers: numberOf(config, 'num_hidden_layers'),
    hidden: numberAt(config, 'hidden_size'),
    heads,
    kvHeads: numberOf(config, 'num_key_value_heads') ?? heads,
    headDim: numberOf(config, 'head_dim'),
    ffn: numberOf(config, 'intermediate_size'),
    vocabulary: numberOf(config, 'vocab_size'),
    activation: activationOf(config),
    normEpsilon: numberAt(config, 'rms_norm_eps'),
    maxPositions: positionsOf(config, rotary),
    windowOf: windowsOf(config),
    theta: thetaOf(config, rotary),
    thetaLocal: numberAt(config, 'rope_local_base_freq') ?? numberAt(localRotaryOf(config), 'rope_theta'),
    hasPlainRotary: ['"default"', undefined].includes(rotaryType(rotary)),
    partialRotary: numberAt(config, 'partial_rotary_factor') ?? numberAt(rotary, 'partial_rotary_factor'),
  }
}

/** What ChatGLM2's config.json calls what others call by the first of these names. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  num_hidden_layers: 'num_layers',
  num_key_value_heads: 'multi_query_group_num',
  head_dim: 'kv_channels',
  intermediate_size: 'ffn_hidden_size',
  vocab_size: 'padded_vocab_size',
  max_position_embeddings: 'seq_length',
}

function numberOf(config: JsonRecord, key: string): number | undefined {
  const other = OTHER_NAMES[key]
  return numberAt(config, key) ?? (other === undefined ? undefined : numberAt(config, other))
}

function numberAt(entries: JsonRecord, key: string): number | undefined {
  const value = ownField(entries, key)
  if (value === undefined || value === null) return undefined
  check(typeof value === 'number' && Number.isFinite(value) && value > 0, 'format-invalid', () => {
    return `config.json has ${key} ${JSON.stringify(value)}, expected a positive number`
  })
  return value
}

/** How many positions a graph's one set of frequencies is for: with LongRoPE another set takes over behind the first. */
function positionsOf(config: JsonRecord, rotary: JsonRecord): number | undefined {
  const most = numberOf(config, 'max_position_embeddings')
  if (!['"longrope"', '"su"'].includes(rotaryType(rotary) ?? '')) return most
  const key = 'original_max_position_embeddings'
  return numberAt(config, key) ?? numberAt(rotary, key) ?? most
}

/** ChatGLM's is always this, times a ratio of later versions. */
const GLM_THETA = 10_000

function thetaOf(config: JsonRecord, rotary: JsonRecord): number | undefined {
  const stated = numberAt(config, 'rope_theta') ?? numberAt(rotary, 'rope_theta')
  const isGlm = ownField(config, 'model_type') === 'chatglm'
  return stated ?? (isGlm ? GLM_THETA * (numberAt(config, 'rope_ratio') ?? 1) : undefined)
}

function rotaryOf(config: JsonRecord): JsonRecord {
  const entries = ownField(config, 'rope_parameters') ?? ownField(config, 'rope_scaling') ?? {}
  if (!isJsonRecord(entries)) return {}
  const ofFull = ownField(entries, FULL)
  return isJsonRecord(ofFull) ? ofFull : entries
}

/** Rotary positions of the layers with a window, where they have any of their own. */
function localRotaryOf(config: JsonRecord): JsonRecord {
  const entries = ownField(config, 'rope_parameters')
  const ofSliding = isJsonRecord(entries) ? ownField(entries, SLIDING) : undefined
  return isJsonRecord(ofSliding) ? ofSliding : {}
}

function rotaryType(rotary: JsonRecord): string | undefined {
  const type = ownField(rotary, 'rope_type') ?? ownField(rotary, 'type')
  return type === undefined || type === null ? undefined : JSON.stringify(type)
}

const [FULL, SLIDING] = ['full_attention', 'sliding_attention']

/** What `layer_types` may say of a layer; Granite's hybrids call those without a window `attention`. */
const ATTENTION_TYPES = [FULL, 'attention', SLIDING]

/** Which layers see a part of the tokens alone; null where none does. */
function windowedLayers(config: JsonRecord): ((layer: number) => boolean) | null {
  const layers = ownField(config, 'layer_types')
  if (Array.isArray(layers)) {
    return layers.includes(SLIDING) ? (layer) => layers[layer] === SLIDING : null
  }
  const switched = ownField(config, 'use_sliding_window')
  if (switched === false || (switched !== true && (ownField(config, 'sliding_window') ?? null) === null))
    return null
  const every = numberAt(config, 'sliding_window_pattern') ?? numberAt(config, '_sliding_window_pattern')
  if (every !== undefined) return (layer) => (layer + 1) % every !== 0
  const first = switched === true ? (ownField(config, 'max_window_layers') ?? 0) : 0
  return (layer) => layer >= Number(first)
}

function windowsOf(config: JsonRecord): BackboneConfig['windowOf'] {
  const isWindowed = windowedLayers(config)
  const window = numberAt(config, 'sliding_window') ?? null
  return (layer) => (isWindowed?.(layer) ? window : null)
}

/** What config.json calls the activations of gates; Gemma's older key says what its own code has never computed. */
const ACTIVATIONS: Readonly<Record<string, GateActivation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu_pytorch_tanh: 'gelu',
  gelu_new: 'gelu',
  gelu_fast: 'gelu',
}

function activationOf(config: JsonRecord): GateActivation {
  const key = (ownField(config, 'hidden_activation') ?? null) === null ? 'hidden_act' : 'hidden_activation'
  const name = ownField(config, key) ?? 'silu'
  const activation =
    typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined
  check(activation, 'format-unsupported', () => {
    return `config.json has ${key} ${JSON.stringify(name)}, expected one of ${Object.keys(ACTIVATIONS).join(', ')}`
  })
  return activation
}

function refuseUnsupported(config: JsonRecord): void {
  const refuse = (key: string, expected: string): never => {
    const value = JSON.stringify(ownField(config, key))
    throw new HycoraError('format-unsupported', `config.json has ${key} ${value}, expected ${expected}`)
  }
  const layers = ownField(config, 'layer_types')
  if (Array.isArray(layers) && layers.some((type) => !ATTENTION_TYPES.includes(String(type)))) {
    refuse('layer_types', 'full or sliding attention in every layer')
  }
  if (windowedLayers(config) && numberAt(config, 'sliding_window') === undefined) {
    refuse('sliding_window', 'how many tokens the sliding layers see')
  }
  for (const key of ['attn_logit_softcapping', 'final_logit_softcapping']) {
    if ((ownField(config, key) ?? null) !== null) refuse(key, 'no soft cap')
  }
}
