import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, parseStrictJson, type JsonRecord } from '../core/json.ts'
import { decodeText } from '../core/text.ts'
import { isNothing, isTargeted, modulePatterns, patternLookup } from './modulePatterns.ts'
import type { ModulePattern } from './modulePatterns.ts'

/*
 * adapter_config.json, as PEFT and as mlx-lm write it.
 *
 * Reference: huggingface/peft, `src/peft/tuners/lora/config.py`; ml-explore/mlx-lm, `mlx_lm/tuner/utils.py`.
 */

export const CONFIG_PATH = 'adapter_config.json'
/** The file that mlx-lm writes the matrices into. */
export const MLX_WEIGHTS_PATH = 'adapters.safetensors'

const MAX_CONFIG_BYTES = 2 ** 20
const MAX_RANK = 256
const MAX_PATTERNS = 4096

/** What a LoRA's configuration says of its modules; a module is named as in the model, `model.layers.0.mlp.up_proj`. */
export interface AdapterConfig {
  readonly program: 'PEFT' | 'mlx-lm'
  /** The repository or folder of the backbone; empty where none is named. */
  readonly baseModel: string
  rank(module: string): number
  /** The α by which a module's matrices are scaled once they are padded to `rank`: ΔW = (α / rank)·(B·A). */
  alpha(module: string, rank: number): number
  /** Whether the configuration is about a module; null where it does not tell. */
  isTargeted(module: string): boolean | null
  /** The names of modules that it is about, where it lists them. */
  readonly targets: readonly string[]
  /** What a reader should be told, in sentences. */
  readonly warnings: readonly string[]
}

/**
 * Reads adapter_config.json.
 *
 * @throws HycoraError `format-invalid` when it is missing or broken, `format-unsupported` naming what is more than a LoRA.
 */
export function readAdapterConfig(bytes: Uint8Array | undefined): AdapterConfig {
  check(bytes, 'format-invalid', () => {
    return `its ${CONFIG_PATH} is missing, which says how the matrices are scaled: take the whole folder of the adapter`
  })
  check(bytes.length <= MAX_CONFIG_BYTES, 'format-invalid', () => {
    return `${CONFIG_PATH} has ${bytes.length} bytes, at most ${MAX_CONFIG_BYTES} are read`
  })
  const json = parseStrictJson(decodeText(bytes, CONFIG_PATH).text, CONFIG_PATH)
  check(isJsonRecord(json), 'format-invalid', () => `${CONFIG_PATH} is not an object`)
  const isMlx = ['lora_parameters', 'fine_tune_type'].some((key) => Object.hasOwn(json, key))
  return isMlx && !Object.hasOwn(json, 'peft_type') ? readMlx(json) : readPeftConfig(json)
}

/** Keys that change what is computed, and what each must be; absent or null is as good. */
const NEUTRAL: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['bias', (value: unknown) => value === 'none'],
  ...[
    'use_dora',
    'lora_bias',
    'use_qalora',
    'modules_to_save',
    'target_parameters',
    'trainable_token_indices',
    'layer_replication',
    'megatron_config',
    'alora_invocation_tokens',
    'use_bdlora',
    'monteclora_config',
    'arrow_config',
    'kasa_config',
  ].map((key) => [key, isNothing] as const),
])

/** Keys that are read here, or that change nothing of what a trained adapter computes. */
const KNOWN: ReadonlySet<string> = new Set([
  ...NEUTRAL.keys(),
  'peft_type',
  'r',
  'lora_alpha',
  'use_rslora',
  'rank_pattern',
  'alpha_pattern',
  'base_model_name_or_path',
  'init_lora_weights',
  'target_modules',
  'exclude_modules',
  'layers_to_transform',
  'layers_pattern',
  'fan_in_fan_out',
  'task_type',
  'inference_mode',
  'revision',
  'auto_mapping',
  'lora_dropout',
  'loftq_config',
  'eva_config',
  'corda_config',
  'lora_ga_config',
  'velora_config',
  'qalora_group_size',
  'megatron_core',
  'runtime_config',
  'ensure_weight_tying',
  'peft_version',
  // Of PEFT before 0.4, and of trainers that write beside it.
  'enable_lora',
  'merge_weights',
  'modules_mapping',
  'unsloth_fixed',
  'lora_layers',
])

function readPeftConfig(json: JsonRecord): AdapterConfig {
  const field = (key: string): unknown => ownField(json, key) ?? undefined
  check(field('peft_type') === 'LORA', 'format-unsupported', () => {
    return `${CONFIG_PATH} has the peft_type ${show(field('peft_type'))}, expected LORA`
  })
  for (const [key, isNeutral] of NEUTRAL) {
    check(field(key) === undefined || isNeutral(field(key)), 'format-unsupported', () => {
      return `${CONFIG_PATH} has ${key} ${show(field(key))}, which a role cannot hold`
    })
  }
  const rank = readRank(field('r'), 'the rank')
  const stated = field('lora_alpha')
  check(typeof stated === 'number' && Number.isFinite(stated) && stated > 0, 'format-unsupported', () => {
    return `${CONFIG_PATH} has the lora_alpha ${show(stated)}, expected a positive number`
  })
  const [ranks, alphas] = [readPatterns(json, 'rank_pattern'), readPatterns(json, 'alpha_pattern')]
  for (const { value } of ranks) readRank(value, 'in rank_pattern')
  const isRooted = field('use_rslora') === true
  const [ownRank, ownAlpha] = [patternLookup(ranks), patternLookup(alphas)]
  const rankOf = (module: string): number => Number(ownRank(module) ?? rank)
  return {
    program: 'PEFT',
    baseModel: textOf(field('base_model_name_or_path')),
    rank: rankOf,
    alpha(module, padded) {
      const own = rankOf(module)
      const alpha = Number(ownAlpha(module) ?? stated)
      // Where nothing is padded, no division may round what the configuration says.
      if (own === padded) return isRooted ? alpha * Math.sqrt(own) : alpha
      return (alpha * padded) / (isRooted ? Math.sqrt(own) : own)
    },
    isTargeted: (module) => isTargeted(json, module),
    targets: targetNames(field('target_modules')),
    warnings: warningsOf(json),
  }
}

function targetNames(targets: unknown): readonly string[] {
  return Array.isArray(targets)
    ? targets.filter((target): target is string => typeof target === 'string')
    : []
}

function readRank(value: unknown, where: string): number {
  check(
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_RANK,
    'format-unsupported',
    () => `${CONFIG_PATH} has ${where} ${show(value)}, expected an integer from 1 to ${MAX_RANK}`,
  )
  return value
}

function readPatterns(json: JsonRecord, key: 'rank_pattern' | 'alpha_pattern'): readonly ModulePattern[] {
  const value = ownField(json, key) ?? {}
  check(isJsonRecord(value) && Object.keys(value).length <= MAX_PATTERNS, 'format-invalid', () => {
    return `${CONFIG_PATH} has ${key} ${show(value)}, expected up to ${MAX_PATTERNS} numbers by module`
  })
  const patterns = modulePatterns(value)
  check(typeof patterns !== 'string', 'format-unsupported', () => {
    return `${CONFIG_PATH} has ${key} for ${show(patterns)}, an expression that is not read here`
  })
  for (const { value: number } of patterns) {
    check(typeof number === 'number' && Number.isFinite(number), 'format-invalid', () => {
      return `${CONFIG_PATH} has ${show(number)} in ${key}, expected a number`
    })
  }
  return patterns
}

/** Initialisations that take the first A and B out of the model's own weights; PEFT says `true` where it converted them. */
const CHANGES_THE_BASE = /^(?:pissa|olora|corda|lora_ga|loftq)/i

function warningsOf(json: JsonRecord): string[] {
  const warnings: string[] = []
  const initial = ownField(json, 'init_lora_weights')
  if (typeof initial === 'string' && CHANGES_THE_BASE.test(initial)) {
    warnings.push(
      `The LoRA began with ${initial.slice(0, 32)}, which changes the base model's own weights; it fits only if it was converted when it was saved, and its configuration says that it was not: on the model as it is published, the role is not the one that was trained. Where it was trained, PEFT's save_pretrained converts it, given path_initial_model_for_weight_conversion.`,
    )
  }
  if (ownField(json, 'fan_in_fan_out') === true) {
    warnings.push(
      'The LoRA says fan_in_fan_out, which no linear of this kind has; as PEFT does, it is passed over.',
    )
  }
  const task = ownField(json, 'task_type') ?? 'CAUSAL_LM'
  if (task !== 'CAUSAL_LM') warnings.push(`The LoRA was trained for ${show(task)}, not to go on with a text.`)
  const unknown = Object.keys(json).filter((key) => !KNOWN.has(key) && !isNothing(ownField(json, key)))
  if (unknown.length > 0) {
    const listed = unknown.slice(0, 8).map((key) => key.slice(0, 64))
    warnings.push(`Of ${CONFIG_PATH}, ${listed.join(', ')} is not known here and was passed over.`)
  }
  return warnings
}

/** mlx-lm's scale multiplies B·A as it is; before it, α / rank came on top. */
function readMlx(json: JsonRecord): AdapterConfig {
  const kind = ownField(json, 'fine_tune_type') ?? 'lora'
  check(kind === 'lora', 'format-unsupported', () => {
    return `${CONFIG_PATH} is of an mlx-lm adapter with the fine_tune_type ${show(kind)}, which a role cannot hold; expected lora`
  })
  const parameters = ownField(json, 'lora_parameters')
  check(isJsonRecord(parameters), 'format-invalid', () => {
    return `${CONFIG_PATH} is of an mlx-lm adapter, but has no lora_parameters`
  })
  const rank = readRank(ownField(parameters, 'rank'), 'the rank')
  const [stated, older] = [ownField(parameters, 'scale'), ownField(parameters, 'alpha')]
  check(typeof stated === 'number' && Number.isFinite(stated) && stated > 0, 'format-unsupported', () => {
    return `${CONFIG_PATH} has the scale ${show(stated)}, expected a positive number`
  })
  const scale = typeof older === 'number' && older > 0 ? (stated * older) / rank : stated
  return {
    program: 'mlx-lm',
    baseModel: textOf(ownField(json, 'model')),
    rank: () => rank,
    alpha: (_, padded) => scale * padded,
    isTargeted: () => null,
    targets: [],
    warnings:
      scale === stated
        ? []
        : [
            `The mlx-lm adapter states an alpha beside its scale; as the versions that wrote one do, both were used.`,
          ],
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 256) : ''
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'none').slice(0, 64)
}
