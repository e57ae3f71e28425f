import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, parseStrictJson, type JsonRecord } from '../core/json.ts'
import { foldedAlpha, loraPairs, type LoraRole } from './loraRole.ts'
import { memorySource } from './memorySource.ts'
import type { PackBackbone, PackContent } from './pack.ts'
import { PACK_PROJECTIONS, type PackConfig, type PackProjection } from './packConfig.ts'
import { readSafetensorsHeader, writeSafetensors, type SafetensorsTensor } from './safetensors.ts'
import { floatTensor, transposed, widened } from './tensorValues.ts'

const CONFIG_PATH = 'adapter_config.json'
const WEIGHTS_PATH = 'adapter_model.safetensors'
const README_PATH = 'README.md'
const MAX_CONFIG_BYTES = 2 ** 20
const MAX_LAYERS = 1024
const MAX_BYTES = 512 * 2 ** 20

/** Which part of a block holds a projection, in the models that name them as Llama does. */
function moduleOf(projection: PackProjection): string {
  return `${'qkvo'.includes(projection) ? 'self_attn' : 'mlp'}.${projection}_proj`
}

/** `model_type`s whose blocks have `self_attn.{q,k,v,o}_proj` and `mlp.{up,down,gate}_proj`, each a linear of its own. */
const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set([
  '',
  'llama',
  'mistral',
  'qwen2',
  'qwen3',
  'smollm3',
  'gemma',
  'gemma2',
  'gemma3_text',
  'granite',
  'olmo2',
])

/** What a PEFT folder says besides its matrices. */
export interface PeftFacts {
  /** The repository or folder of the backbone in PyTorch's form. */
  readonly baseModel: string
  /** `model_type` of the backbone's config.json. */
  readonly architecture: string
  readonly licence: string
  /** The role's line, for the README. */
  readonly system: string | null
}

/**
 * One role as a standard LoRA folder, F32: file by path. A and B are exact, transposed as PEFT keeps them (A [rank, in],
 * B [out, rank]); PEFT's scaling is `lora_alpha` / `r`.
 *
 * Reference: huggingface/peft, `src/peft/tuners/lora/config.py`, `src/peft/utils/save_and_load.py`.
 *
 * @throws HycoraError `format-unsupported` for an architecture whose linears have other names.
 */
export function writePeft(role: LoraRole, facts: PeftFacts): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const { baseModel, architecture } = facts
  check(KNOWN_ARCHITECTURES.has(architecture), 'format-unsupported', () => {
    return `a PEFT folder for ${architecture} cannot be written: the names of its linears are not known here`
  })
  const tensors = new Map<string, SafetensorsTensor>()
  const { rank, projections } = role.config
  for (const { layer, projection, inSize, outSize, a, b } of loraPairs(role)) {
    const stem = `base_model.model.model.layers.${layer}.${moduleOf(projection)}`
    tensors.set(`${stem}.lora_A.weight`, floatTensor([rank, inSize], a))
    tensors.set(`${stem}.lora_B.weight`, floatTensor([outSize, rank], b))
  }
  const config = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: foldedAlpha(role),
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    rank_pattern: {},
    revision: null,
    target_modules: projections.map((projection) => `${projection}_proj`),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: false,
  }
  const utf8 = new TextEncoder()
  return new Map([
    [CONFIG_PATH, utf8.encode(`${JSON.stringify(config, null, 2)}\n`)],
    [WEIGHTS_PATH, writeSafetensors(tensors, new Map([['format', 'pt']]))],
    [README_PATH, utf8.encode(readme(role, facts))],
  ])
}

function readme({ name, config }: LoraRole, { baseModel, licence, system }: PeftFacts): string {
  // JSON strings are YAML strings.
  const front = [
    'library_name: peft',
    `base_model: ${JSON.stringify(baseModel)}`,
    ...(licence === '' ? [] : [`license: ${JSON.stringify(licence)}`]),
    'pipeline_tag: text-generation',
    'tags:',
    `- ${JSON.stringify(`base_model:adapter:${baseModel}`)}`,
    '- lora',
  ]
  const line =
    system === null
      ? 'It was trained without a system message; leave out the one that the chat template adds by itself.'
      : `It was trained with this system message, to the letter:\n\n${indented(system)}`
  return `---
${front.join('\n')}
---

# ${name.replaceAll(/[\\`*_[\]<>#|]/g, String.raw`\$&`)}

One role of a HyCoRA persona pack as a LoRA of rank ${config.rank}. A hyper-network generated A from the role; B is shared by all roles of the pack.

${line}
`
}

/** An indented code block: a stranger's text stays text. */
function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}

/** The files of a PEFT folder that lies at the root or in a folder of an archive; null where there is none. */
export function findPeftFolder(
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, Uint8Array> | null {
  const config = [...files.keys()].find((path) => path === CONFIG_PATH || path.endsWith(`/${CONFIG_PATH}`))
  if (config === undefined) return null
  const folder = config.slice(0, -CONFIG_PATH.length)
  const inside = [...files].filter(([path]) => path.startsWith(folder))
  return new Map(inside.map(([path, bytes]) => [path.slice(folder.length), bytes]))
}

/** What is read of a PEFT folder. */
export interface PeftRole {
  /** A and B shared: the one role of a pack. */
  readonly config: PackConfig
  /** By the names of a pack; dtype and bits as they were, but BF16 as F32, which holds it exactly. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  readonly baseModel: string
  /** What a reader should be told, in sentences. */
  readonly warnings: readonly string[]
}

/** Keys of adapter_config.json that change what is computed, and what each must be; absent or null is as good. */
const NEUTRAL: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['bias', (value) => value === 'none'],
  ['fan_in_fan_out', isFalse],
  ['use_dora', isFalse],
  ['lora_bias', isFalse],
  ['use_qalora', isFalse],
  ['rank_pattern', isEmpty],
  ['alpha_pattern', isEmpty],
  ['modules_to_save', isEmpty],
  ['target_parameters', isEmpty],
  ['trainable_token_indices', isEmpty],
  ['layer_replication', isEmpty],
  ['megatron_config', isEmpty],
  ['alora_invocation_tokens', isEmpty],
])

function isFalse(value: unknown): boolean {
  return value === false
}

function isEmpty(value: unknown): boolean {
  return (Array.isArray(value) || isJsonRecord(value)) && Object.keys(value).length === 0
}

/**
 * Reads a PEFT LoRA folder as one role: ΔW = scaling·(B·A), scaling = `lora_alpha` / `r`, or / √`r` with `use_rslora`.
 * Modules that the adapter leaves out in some blocks are zero there.
 *
 * @param layers how many blocks the backbone has; by default as many as the adapter names.
 * @throws HycoraError `format-invalid` when a file is missing or broken or shapes do not fit each other,
 *   `format-unsupported` when it is more than a LoRA of a block's linears, naming what is.
 */
export async function readPeft(files: ReadonlyMap<string, Uint8Array>, layers?: number): Promise<PeftRole> {
  const { rank, alpha, baseModel, warnings } = readAdapterConfig(files.get(CONFIG_PATH))
  const weights = files.get(WEIGHTS_PATH)
  check(weights, 'format-invalid', () => {
    return `the PEFT folder has no ${WEIGHTS_PATH}; weights in another form, such as adapter_model.bin, are not read`
  })
  const header = await readSafetensorsHeader(memorySource(WEIGHTS_PATH, weights))
  const matrices = new Map<string, SafetensorsTensor>()
  for (const [name, { dtype, shape, offset, sizeBytes }] of header.tensors) {
    const key = packKey(name)
    check(['F32', 'F16', 'BF16'].includes(dtype) && shape.length === 2, 'format-unsupported', () => {
      return `${WEIGHTS_PATH}: ${name} is ${dtype} [${shape.join(', ')}], expected a matrix in F32, F16 or BF16`
    })
    check(!matrices.has(key), 'format-invalid', () => `${WEIGHTS_PATH}: ${name} stands there twice`)
    const tensor = transposed({ dtype, shape, bytes: weights.subarray(offset, offset + sizeBytes) })
    matrices.set(key, dtype === 'BF16' ? widened(tensor) : tensor)
  }
  const named = 1 + Math.max(...Array.from(matrices.keys(), (key) => Number(key.split('.')[1])))
  const config = configOf(matrices, { rank, alpha, layers: layers ?? named })
  check(named <= config.layers, 'model-incompatible', () => {
    return `the adapter has matrices for block ${named - 1}, the backbone has ${config.layers} blocks`
  })
  return { config, tensors: completed(matrices, config, warnings), baseModel, warnings }
}

function readAdapterConfig(bytes: Uint8Array | undefined): {
  readonly rank: number
  readonly alpha: number
  readonly baseModel: string
  readonly warnings: string[]
} {
  check(bytes, 'format-invalid', () => `the PEFT folder has no ${CONFIG_PATH}`)
  check(bytes.length <= MAX_CONFIG_BYTES, 'format-invalid', () => {
    return `${CONFIG_PATH} has ${bytes.length} bytes, at most ${MAX_CONFIG_BYTES} are read`
  })
  const json = parseStrictJson(new TextDecoder().decode(bytes), CONFIG_PATH)
  check(isJsonRecord(json), 'format-invalid', () => `${CONFIG_PATH} is not an object`)
  const field = (key: string): unknown => ownField(json, key) ?? undefined
  check(field('peft_type') === 'LORA', 'format-unsupported', () => {
    return `${CONFIG_PATH} has the peft_type ${show(field('peft_type'))}, expected LORA`
  })
  for (const [key, isNeutral] of NEUTRAL) {
    check(field(key) === undefined || isNeutral(field(key)), 'format-unsupported', () => {
      return `${CONFIG_PATH} has ${key} ${show(field(key))}, which a role cannot hold`
    })
  }
  const [rank, stated] = [field('r'), field('lora_alpha')]
  check(
    typeof rank === 'number' && Number.isInteger(rank) && rank >= 1 && rank <= 256,
    'format-unsupported',
    () => `${CONFIG_PATH} has the rank ${show(rank)}, expected an integer from 1 to 256`,
  )
  check(typeof stated === 'number' && Number.isFinite(stated) && stated > 0, 'format-unsupported', () => {
    return `${CONFIG_PATH} has the lora_alpha ${show(stated)}, expected a positive number`
  })
  const baseModel = field('base_model_name_or_path')
  return {
    rank,
    // A pack's scaling is α / rank.
    alpha: field('use_rslora') === true ? stated * Math.sqrt(rank) : stated,
    baseModel: typeof baseModel === 'string' ? baseModel.slice(0, 256) : '',
    warnings: initialisationWarning(json),
  }
}

/** Initialisations that also change the backbone's own weights, unless PEFT was told to convert them when it saved. */
function initialisationWarning(json: JsonRecord): string[] {
  const initial = ownField(json, 'init_lora_weights')
  if (typeof initial !== 'string' || !/^(?:pissa|olora|corda|loftq)/i.test(initial)) return []
  return [`The LoRA began with ${initial.slice(0, 32)}; it fits only if it was converted when it was saved.`]
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'none').slice(0, 64)
}

/** `layers.{l}.{p}.lora_A|lora_B` of a tensor's name in PEFT. */
function packKey(name: string): string {
  const found =
    /^(?:base_model\.model\.)?(?:model\.)+layers\.(\d+)\.(self_attn|mlp)\.([a-z]+)_proj\.lora_([AB])(?:\.default)?\.weight$/.exec(
      name,
    )
  const [, layer = '', , short = '', side = ''] = found ?? []
  const projection = PACK_PROJECTIONS.find((known) => known === short)
  check(
    projection && name.includes(`.${moduleOf(projection)}.`) && Number(layer) < MAX_LAYERS,
    'format-unsupported',
    () => `${WEIGHTS_PATH} has ${name}, which is no LoRA matrix of a q, k, v, o, up, down or gate projection`,
  )
  return `layers.${Number(layer)}.${projection}.lora_${side}`
}

/** The configuration that the matrices imply: A [in, rank], B [rank, out]. */
function configOf(
  matrices: ReadonlyMap<string, SafetensorsTensor>,
  { rank, alpha, layers }: { readonly rank: number; readonly alpha: number; readonly layers: number },
): PackConfig {
  const dims = new Map<PackProjection, readonly [number, number]>()
  for (const projection of PACK_PROJECTIONS) {
    const find = (side: string) =>
      [...matrices].find(([key]) => key.endsWith(`.${projection}.lora_${side}`))?.[1]
    const [a, b] = [find('A'), find('B')]
    if (a && b) dims.set(projection, [a.shape[0] ?? 0, b.shape[1] ?? 0])
  }
  for (const [key, { shape }] of matrices) {
    const [, , projection, side] = key.split('.')
    const [inSize, outSize] = dims.get(PACK_PROJECTIONS.find((known) => known === projection) ?? 'q') ?? [
      0, 0,
    ]
    const expected = side === 'lora_A' ? [inSize, rank] : [rank, outSize]
    const twin = key.replace(/[AB]$/, side === 'lora_A' ? 'B' : 'A')
    check(matrices.has(twin), 'format-invalid', () => `${WEIGHTS_PATH} has ${key}, but not its other half`)
    check(
      shape.every((size, axis) => size === expected[axis]),
      'format-invalid',
      () => `${WEIGHTS_PATH}: ${key} is [${shape.join(', ')}], expected [${expected.join(', ')}]`,
    )
  }
  return {
    rank,
    alpha,
    layers,
    projections: [...dims.keys()],
    dims,
    sources: { A: 'shared', B: 'shared' },
    roleEmbedding: null,
    hypernetwork: null,
  }
}

/** Every matrix that the configuration asks for; those that the adapter leaves out are zero. */
function completed(
  matrices: ReadonlyMap<string, SafetensorsTensor>,
  { rank, layers, dims }: PackConfig,
  warnings: string[],
): ReadonlyMap<string, SafetensorsTensor> {
  const values = [...dims.values()].reduce((sum, [inSize, outSize]) => sum + rank * (inSize + outSize), 0)
  check(4 * layers * values <= MAX_BYTES, 'format-unsupported', () => {
    return `the adapter has ${4 * layers * values} bytes in all ${layers} blocks, a pack may have ${MAX_BYTES}`
  })
  const tensors = new Map<string, SafetensorsTensor>()
  let missing = 0
  for (let layer = 0; layer < layers; layer++) {
    for (const [projection, [inSize, outSize]] of dims) {
      const stem = `layers.${layer}.${projection}`
      const [a, b] = [matrices.get(`${stem}.lora_A`), matrices.get(`${stem}.lora_B`)]
      if (!a) missing++
      tensors.set(`${stem}.lora_A`, a ?? floatTensor([inSize, rank], new Float32Array(inSize * rank)))
      tensors.set(`${stem}.lora_B`, b ?? floatTensor([rank, outSize], new Float32Array(rank * outSize)))
    }
  }
  if (missing > 0) warnings.push(`The LoRA leaves ${missing} linears out; there the role changes nothing.`)
  return tensors
}

/** A pack of the one role of a PEFT folder. */
export function peftPack(
  { config, tensors, baseModel }: PeftRole,
  {
    roleName,
    system,
    backbone,
  }: {
    readonly roleName: string
    readonly system: string | null
    /** Null where no backbone is at hand: the pack then fits by its sizes alone, with a warning. */
    readonly backbone: PackBackbone | null
  },
): PackContent {
  return {
    config,
    roles: [{ name: roleName, card: null, system, blend: null }],
    backbone: backbone ?? { name: baseModel, architecture: '', fingerprint: '' },
    provenance: { source: 'PEFT LoRA', base_model: baseModel },
    tensors,
  }
}
