import { check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import { CONFIG_PATH, readAdapterConfig, type AdapterConfig } from './adapterConfig.ts'
import { moduleOf, readAdapterMatrices, WEIGHTS_PATH, type AdapterPair } from './adapterMatrices.ts'
import { foldedAlpha, loraPairs, type LoraRole } from './loraRole.ts'
import { readBackbone, type PackBackbone, type PackContent } from './pack.ts'
import { PACK_PROJECTIONS, type PackConfig, type PackProjection } from './packConfig.ts'
import { MOST_BYTES, writeSafetensors, type SafetensorsTensor } from './safetensors.ts'
import { floatTensor, resized, tensorValues } from './tensorValues.ts'

const README_PATH = 'README.md'
/** Under this name the weights say whom they hold and for which backbone: other programs pass it over. */
const STATED_KEY = 'hycora'
const MAX_STATED = 2 ** 16

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
  /** The repository or folder of the backbone in PyTorch's form; empty where none is known. */
  readonly baseModel: string
  /** `model_type` of the backbone's config.json. */
  readonly architecture: string
  readonly licence: string
  /** The role's line. */
  readonly system: string | null
  /** The backbone as the pack names it; left out, the folder does not say for which one it is. */
  readonly backbone?: PackBackbone
}

/** Whom a folder holds that was written here. */
export interface StatedRole {
  readonly name: string
  readonly system: string | null
  /** Empty where none is stated. */
  readonly licence: string
  readonly backbone: PackBackbone
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
    base_model_name_or_path: baseModel === '' ? null : baseModel,
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
    [WEIGHTS_PATH, writeSafetensors(tensors, new Map([['format', 'pt'], ...statedTexts(role.name, facts)]))],
    [README_PATH, utf8.encode(readme(role, facts))],
  ])
}

function statedTexts(
  name: string,
  { system, licence, backbone }: PeftFacts,
): readonly (readonly [key: string, text: string])[] {
  const stated = backbone && JSON.stringify({ name, system, licence, backbone } satisfies StatedRole)
  return stated === undefined || stated.length > MAX_STATED ? [] : [[STATED_KEY, stated]]
}

/** What the weights say of whom they hold; null where they do not, or not in full. */
function readStated(metadata: ReadonlyMap<string, string>): StatedRole | null {
  const text = metadata.get(STATED_KEY) ?? ''
  if (text === '' || text.length > MAX_STATED) return null
  try {
    const json: unknown = JSON.parse(text)
    if (!isJsonRecord(json)) return null
    const [name, system, licence, backbone] = ['name', 'system', 'licence', 'backbone'].map((key) =>
      ownField(json, key),
    )
    if (typeof name !== 'string' || !(typeof system === 'string' || system === null)) return null
    if (typeof licence !== 'string' || !isJsonRecord(backbone)) return null
    return { name, system, licence, backbone: readBackbone(backbone, WEIGHTS_PATH) }
  } catch {
    return null
  }
}

function readme({ name, config }: LoraRole, { baseModel, licence, system, backbone }: PeftFacts): string {
  // JSON strings are YAML strings.
  const front = [
    'library_name: peft',
    ...(baseModel === '' ? [] : [`base_model: ${JSON.stringify(baseModel)}`]),
    ...(licence === '' ? [] : [`license: ${JSON.stringify(licence)}`]),
    'pipeline_tag: text-generation',
    'tags:',
    ...(baseModel === '' ? [] : [`- ${JSON.stringify(`base_model:adapter:${baseModel}`)}`]),
    '- lora',
  ]
  const known = [baseModel || backbone?.name, backbone?.fingerprint && `fingerprint ${backbone.fingerprint}`]
  const base = known.filter(Boolean).join(', ')
  const line =
    system === null
      ? 'It was trained without a system message; leave out the one that the chat template adds by itself.'
      : `It was trained with this system message, to the letter:\n\n${indented(system)}`
  return `---
${front.join('\n')}
---

# ${name.replaceAll(/[\\`*_[\]<>#|]/g, String.raw`\$&`)}

One role of a HyCoRA persona pack as a LoRA of rank ${config.rank}. A hyper-network generated A from the role; B is shared by all roles of the pack.
${base === '' ? '' : `\nIt fits this model and no other:\n\n${indented(base)}\n`}
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

/** An adapter's folder within an archive. */
export interface AdapterFolder {
  /** Its path with a slash behind; empty for the archive itself. */
  readonly folder: string
  /** By path within the folder. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

const IS_ADAPTER =
  /(?:^|\/)(?:adapter_config\.json|adapter_model(?:-\d+-of-\d+)?\.(?:safetensors|bin)|adapters\.safetensors)$/

/** Whether a file of an archive is an adapter's, with or without the others that belong to it. */
export function isAdapterPath(path: string): boolean {
  return IS_ADAPTER.test(path) && !path.split('/').includes('__MACOSX')
}

/** The adapters that lie at the root or in folders of an archive, those with a configuration first, then the outermost. */
export function findPeftFolders(files: ReadonlyMap<string, Uint8Array>): readonly AdapterFolder[] {
  const paths = [...files.keys()].filter(isAdapterPath)
  const folders = [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))]
  const isWhole = (folder: string): boolean => files.has(`${folder}${CONFIG_PATH}`)
  return folders
    .toSorted(
      (left, right) =>
        Number(isWhole(right)) - Number(isWhole(left)) || left.split('/').length - right.split('/').length,
    )
    .map((folder) => {
      const inside = [...files].filter(([path]) => path.startsWith(folder))
      return { folder, files: new Map(inside.map(([path, bytes]) => [path.slice(folder.length), bytes])) }
    })
}

/** What is read of an adapter's folder, PEFT's or mlx-lm's. */
export interface PeftRole {
  /** A and B shared: the one role of a pack. */
  readonly config: PackConfig
  /** By the names of a pack; dtype and bits as they were where F32 or F16 and neither padded nor scaled, else F32. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  readonly baseModel: string
  /** What a reader should be told, in sentences. */
  readonly warnings: readonly string[]
  readonly program?: AdapterConfig['program']
  /** What a folder that was written here says of whom it holds; null in any other. */
  readonly stated?: StatedRole | null
}

/**
 * Reads the folder of a LoRA as one role: ΔW = scaling·(B·A). PEFT's scaling is `lora_alpha` / `r`, or / √`r` with
 * `use_rslora`, each module's own where `rank_pattern` and `alpha_pattern` say so; mlx-lm's is its `scale`. Ranks are padded
 * with zeros to the largest, and what differs from the usual scaling goes into B. Modules that the adapter leaves out in
 * some blocks are zero there.
 *
 * @param layers how many blocks the backbone has; by default, and where the folder says for which backbone it is, as many
 *   as the adapter names.
 * @throws HycoraError `format-invalid` when a file is missing or broken or shapes do not fit each other,
 *   `format-unsupported` when it is more than a LoRA of a block's linears, naming what is.
 */
export async function readPeft(files: ReadonlyMap<string, Uint8Array>, layers?: number): Promise<PeftRole> {
  const adapter = readAdapterConfig(files.get(CONFIG_PATH))
  const { program, baseModel } = adapter
  const { pairs: found, metadata } = await readAdapterMatrices(files)
  const stated = readStated(metadata)
  const warnings = [...adapter.warnings]
  const pairs = targeted(found, adapter, warnings)
  const named = 1 + Math.max(...pairs.map(({ layer }) => layer))
  const config = configOf(pairs, adapter, (stated ? undefined : layers) ?? named)
  check(named <= config.layers, 'model-incompatible', () => {
    return `the LoRA is made for ${baseModel || 'another model'}: it has matrices for block ${named - 1}, the backbone has ${config.layers} blocks`
  })
  const lacking = PACK_PROJECTIONS.filter(
    (projection) => adapter.targets.includes(`${projection}_proj`) && !config.dims.has(projection),
  )
  if (lacking.length > 0) {
    const names = lacking.map((projection) => `${projection}_proj`).join(', ')
    warnings.push(
      `The configuration names ${names}, but the weights have no matrices of it: it changes nothing there.`,
    )
  }
  const tensors = completed(scaledMatrices(pairs, adapter, config), config, warnings)
  return { config, tensors, baseModel, warnings, program, stated }
}

/** The pairs that the configuration is about: others are in the file, but PEFT does not use them. */
function targeted(
  pairs: readonly AdapterPair[],
  config: AdapterConfig,
  warnings: string[],
): readonly AdapterPair[] {
  const wanted = pairs.filter(({ module }) => config.isTargeted(module) !== false)
  if (wanted.length === pairs.length) return pairs
  check(wanted.length > 0, 'format-invalid', () => {
    return `${CONFIG_PATH} names none of the modules that the weights are of, such as ${pairs[0]?.module}`
  })
  const [first] = pairs.filter((pair) => !wanted.includes(pair))
  warnings.push(
    `The LoRA has matrices of ${pairs.length - wanted.length} linears, such as ${first?.module}, that its configuration does not name; as PEFT does, they are passed over.`,
  )
  return wanted
}

/** The configuration that the matrices imply: of the largest rank, and of the scaling that most of them have. */
function configOf(pairs: readonly AdapterPair[], adapter: AdapterConfig, layers: number): PackConfig {
  const sizes = new Map<PackProjection, readonly [number, number]>()
  for (const { projection, module, a, b } of pairs) {
    const [inSize = 0, rank = 0] = a.shape
    const outSize = b.shape[1] ?? 0
    check(rank === adapter.rank(module), 'format-invalid', () => {
      return `the matrices of ${module} have the rank ${rank}, ${CONFIG_PATH} says ${adapter.rank(module)}`
    })
    const known = sizes.get(projection) ?? [inSize, outSize]
    check(known[0] === inSize && known[1] === outSize, 'format-invalid', () => {
      return `${module} goes from ${inSize} to ${outSize}, another ${projection} of the adapter from ${known[0]} to ${known[1]}`
    })
    sizes.set(projection, known)
  }
  const rank = Math.max(...pairs.map(({ a }) => a.shape[1] ?? 1))
  const projections = PACK_PROJECTIONS.filter((projection) => sizes.has(projection))
  return {
    rank,
    alpha: usualAlpha(pairs.map(({ module }) => adapter.alpha(module, rank))),
    layers,
    projections,
    dims: new Map(projections.map((projection) => [projection, sizes.get(projection) ?? [0, 0]])),
    sources: { A: 'shared', B: 'shared' },
    roleEmbedding: null,
    hypernetwork: null,
  }
}

/** The α that most modules have, of those that a pack may have. */
function usualAlpha(alphas: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const alpha of alphas) if (alpha > 0) counts.set(alpha, (counts.get(alpha) ?? 0) + 1)
  const [usual] = [...counts].toSorted(([, left], [, right]) => right - left)
  return usual?.[0] ?? 1
}

/** A and B by their names in a pack, of one rank and behind one α. */
function scaledMatrices(
  pairs: readonly AdapterPair[],
  adapter: AdapterConfig,
  { rank, alpha }: PackConfig,
): ReadonlyMap<string, SafetensorsTensor> {
  return new Map(
    pairs.flatMap(({ layer, projection, module, a, b }) => {
      const stem = `layers.${layer}.${projection}`
      const factor = adapter.alpha(module, rank) / alpha
      return [
        [`${stem}.lora_A`, resized(a, [a.shape[0] ?? 0, rank])],
        [`${stem}.lora_B`, resized(factor === 1 ? b : scaled(b, factor), [rank, b.shape[1] ?? 0])],
      ] as const
    }),
  )
}

function scaled(tensor: SafetensorsTensor, factor: number): SafetensorsTensor {
  return floatTensor(
    tensor.shape,
    tensorValues(tensor).map((value) => value * factor),
  )
}

/** Every matrix that the configuration asks for; those that the adapter leaves out are zero. */
function completed(
  matrices: ReadonlyMap<string, SafetensorsTensor>,
  { rank, layers, dims }: PackConfig,
  warnings: string[],
): ReadonlyMap<string, SafetensorsTensor> {
  const values = [...dims.values()].reduce((sum, [inSize, outSize]) => sum + rank * (inSize + outSize), 0)
  check(4 * layers * values <= MOST_BYTES, 'format-unsupported', () => {
    return `the adapter has ${4 * layers * values} bytes in all ${layers} blocks, a pack may have ${MOST_BYTES}`
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
  { config, tensors, baseModel, program = 'PEFT', stated }: PeftRole,
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
    provenance: {
      source: `${program} LoRA`,
      base_model: baseModel,
      ...(stated && stated.licence !== '' && { licence: stated.licence }),
    },
    tensors,
  }
}
