import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'

/** The linear layers of a block that may be adapted. */
export const PACK_PROJECTIONS = ['q', 'k', 'v', 'o', 'up', 'down', 'gate'] as const
export type PackProjection = (typeof PACK_PROJECTIONS)[number]

export type SourceOfA = 'shared' | 'table' | 'hyper' | 'hyper+static'
export type SourceOfB = 'shared' | 'table' | 'hyper'

/** The sizes of the encoder and the generators. */
export interface HypernetworkConfig {
  readonly layerEmbedding: number
  readonly hidden: number
  readonly residualBlocks: number
  readonly generatorRank: number
  readonly layernormInput: boolean
  readonly layernormOutput: boolean
}

export interface PackConfig {
  readonly rank: number
  readonly alpha: number
  readonly layers: number
  /** In the order of the layer ids: id = index · layers + layer. */
  readonly projections: readonly PackProjection[]
  /** [in, out] of each projection. */
  readonly dims: ReadonlyMap<PackProjection, readonly [number, number]>
  readonly sources: { readonly A: SourceOfA; readonly B: SourceOfB }
  /** Null where there is no role table: no hyper source and no heads. */
  readonly roleEmbedding: number | null
  /** Null without a hyper source. */
  readonly hypernetwork: HypernetworkConfig | null
}

const BASE_KEYS = ['rank', 'alpha', 'layers', 'projections', 'dims', 'sources']
const HYPER_KEYS = [
  'layer_embedding',
  'hidden',
  'residual_blocks',
  'generator_rank',
  'layernorm_input',
  'layernorm_output',
]
const SOURCES_OF_A: readonly unknown[] = ['shared', 'table', 'hyper', 'hyper+static'] satisfies SourceOfA[]
const SOURCES_OF_B: readonly unknown[] = ['shared', 'table', 'hyper'] satisfies SourceOfB[]
const MAX_SIZE = 2 ** 20

/**
 * Validates the parsed `config` of a pack.
 *
 * @throws HycoraError `format-invalid` naming the key and what it should hold.
 */
export function readPackConfig(value: unknown, name: string): PackConfig {
  const where = `${name}: config`
  check(isJsonRecord(value), 'format-invalid', () => `${where} is not an object`)
  const projections = readProjections(ownField(value, 'projections'), where)
  const sources = readSources(ownField(value, 'sources'), where)
  const isHyper = sources.A.startsWith('hyper') || sources.B === 'hyper'
  const hasRoles = isHyper || Object.hasOwn(value, 'role_embedding')
  const known = [...BASE_KEYS, ...(isHyper ? HYPER_KEYS : []), ...(hasRoles ? ['role_embedding'] : [])]
  checkKeys(value, known, where)
  const alpha = ownField(value, 'alpha')
  check(
    typeof alpha === 'number' && Number.isFinite(alpha) && alpha > 0,
    'format-invalid',
    () => `${where} has an alpha that is not a positive number`,
  )
  return {
    rank: readSize(value, 'rank', where, { most: 256 }),
    alpha,
    layers: readSize(value, 'layers', where, { most: 1024 }),
    projections,
    dims: readDims(ownField(value, 'dims'), projections, where),
    sources,
    roleEmbedding: hasRoles ? readSize(value, 'role_embedding', where) : null,
    hypernetwork: isHyper
      ? {
          layerEmbedding: readSize(value, 'layer_embedding', where),
          hidden: readSize(value, 'hidden', where),
          residualBlocks: readSize(value, 'residual_blocks', where, { least: 0, most: 64 }),
          generatorRank: readSize(value, 'generator_rank', where),
          layernormInput: readFlag(value, 'layernorm_input', where),
          layernormOutput: readFlag(value, 'layernorm_output', where),
        }
      : null,
  }
}

/** Demands exactly these keys of an object. */
export function checkKeys(value: JsonRecord, keys: readonly string[], where: string): void {
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  check(unknown === undefined, 'format-invalid', () => {
    return `${where} has the key ${JSON.stringify(unknown?.slice(0, 64))}, expected only ${keys.join(', ')}`
  })
  const missing = keys.find((key) => !Object.hasOwn(value, key))
  check(missing === undefined, 'format-invalid', () => `${where} has no ${missing}`)
}

function readSize(
  value: JsonRecord,
  key: string,
  where: string,
  { least = 1, most = MAX_SIZE }: { readonly least?: number; readonly most?: number } = {},
): number {
  const size = ownField(value, key)
  check(
    typeof size === 'number' && Number.isInteger(size) && size >= least && size <= most,
    'format-invalid',
    () => `${where} has a ${key} that is not an integer from ${least} to ${most}`,
  )
  return size
}

function readFlag(value: JsonRecord, key: string, where: string): boolean {
  const flag = ownField(value, key)
  check(
    typeof flag === 'boolean',
    'format-invalid',
    () => `${where} has a ${key} that is neither true nor false`,
  )
  return flag
}

function isProjection(value: unknown): value is PackProjection {
  return (PACK_PROJECTIONS as readonly unknown[]).includes(value)
}

function readProjections(value: unknown, where: string): readonly PackProjection[] {
  check(
    Array.isArray(value) &&
      value.length > 0 &&
      value.every(isProjection) &&
      new Set(value).size === value.length,
    'format-invalid',
    () => `${where} has projections that are not different ones of ${PACK_PROJECTIONS.join(', ')}`,
  )
  return value
}

function readSources(value: unknown, where: string): PackConfig['sources'] {
  check(isJsonRecord(value), 'format-invalid', () => `${where} has no sources`)
  checkKeys(value, ['A', 'B'], `${where} sources`)
  const [sourceOfA, sourceOfB] = [ownField(value, 'A'), ownField(value, 'B')]
  check(isSourceOfA(sourceOfA), 'format-invalid', () => {
    return `${where} has a source of A that is none of ${SOURCES_OF_A.join(', ')}`
  })
  check(isSourceOfB(sourceOfB), 'format-invalid', () => {
    return `${where} has a source of B that is none of ${SOURCES_OF_B.join(', ')}`
  })
  return { A: sourceOfA, B: sourceOfB }
}

function isSourceOfA(value: unknown): value is SourceOfA {
  return SOURCES_OF_A.includes(value)
}

function isSourceOfB(value: unknown): value is SourceOfB {
  return SOURCES_OF_B.includes(value)
}

function readDims(
  value: unknown,
  projections: readonly PackProjection[],
  where: string,
): ReadonlyMap<PackProjection, readonly [number, number]> {
  check(isJsonRecord(value), 'format-invalid', () => `${where} has no dims`)
  checkKeys(value, projections, `${where} dims`)
  const dims = new Map<PackProjection, readonly [number, number]>()
  for (const projection of projections) {
    const pair = ownField(value, projection)
    check(
      Array.isArray(pair) && pair.length === 2 && pair.every((size) => Number.isInteger(size)),
      'format-invalid',
      () => `${where} has dims of ${projection} that are not two integers`,
    )
    const [inSize, outSize] = [Number(pair[0]), Number(pair[1])]
    check(
      Math.min(inSize, outSize) >= 1 && Math.max(inSize, outSize) <= MAX_SIZE,
      'format-invalid',
      () => `${where} has dims of ${projection} outside 1 to ${MAX_SIZE}`,
    )
    dims.set(projection, [inSize, outSize])
  }
  checkDims(dims, where)
  return dims
}

/** Which sizes of a block each projection reads and writes. */
const BLOCK_SIZES: Readonly<Record<PackProjection, readonly [string, string]>> = {
  q: ['hidden', 'query'],
  k: ['hidden', 'key'],
  v: ['hidden', 'key'],
  o: ['query', 'hidden'],
  up: ['hidden', 'inner'],
  down: ['inner', 'hidden'],
  gate: ['hidden', 'inner'],
}

function checkDims(dims: ReadonlyMap<PackProjection, readonly [number, number]>, where: string): void {
  const sizes = new Map<string, number>()
  for (const [projection, pair] of dims) {
    for (const side of [0, 1] as const) {
      const word = BLOCK_SIZES[projection][side]
      const known = sizes.get(word) ?? pair[side]
      check(known === pair[side], 'format-invalid', () => {
        return `${where} has dims that do not fit each other: ${word} is ${known} and, in ${projection}, ${pair[side]}`
      })
      sizes.set(word, known)
    }
  }
}

/** The width of the backbone's hidden states, which every projection reads or writes. */
export function hiddenSize(config: PackConfig): number {
  for (const [projection, pair] of config.dims) {
    const side = BLOCK_SIZES[projection].indexOf('hidden')
    return pair[side === 0 ? 0 : 1]
  }
  return 0
}

/** The JSON object that `readPackConfig` reads, its keys in the order of the format's description. */
export function packConfigJson(config: PackConfig): JsonRecord {
  const { hypernetwork } = config
  return {
    rank: config.rank,
    alpha: config.alpha,
    ...(config.roleEmbedding === null ? {} : { role_embedding: config.roleEmbedding }),
    ...(hypernetwork && {
      layer_embedding: hypernetwork.layerEmbedding,
      hidden: hypernetwork.hidden,
      residual_blocks: hypernetwork.residualBlocks,
      generator_rank: hypernetwork.generatorRank,
      layernorm_input: hypernetwork.layernormInput,
      layernorm_output: hypernetwork.layernormOutput,
    }),
    layers: config.layers,
    projections: config.projections,
    dims: Object.fromEntries(config.dims),
    sources: config.sources,
  }
}

/**
 * The tensors of a pack and their shapes: the closed world that the configuration asks for.
 *
 * @param rows how many roles have rows of their own.
 * @param hasHeads whether the two projections of the contrastive loss are there.
 */
export function expectedTensors(
  config: PackConfig,
  rows: number,
  { hasHeads }: { readonly hasHeads: boolean },
): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>()
  const linear = (name: string, out: number, inSize: number): void => {
    shapes.set(`${name}.weight`, [out, inSize])
    shapes.set(`${name}.bias`, [out])
  }
  const { roleEmbedding, hypernetwork } = config
  if (roleEmbedding !== null && (hypernetwork || hasHeads)) {
    shapes.set('roles_emb.weight', [rows, roleEmbedding])
  }
  if (roleEmbedding !== null && hasHeads) {
    linear('hidden_to_role_emb_layer', roleEmbedding, hiddenSize(config))
    linear('role_emb_to_role_emb_layer', roleEmbedding, roleEmbedding)
  }
  if (hypernetwork && roleEmbedding !== null)
    addHypernetwork(shapes, linear, config, hypernetwork, roleEmbedding)
  for (const projection of config.projections) {
    for (let layer = 0; layer < config.layers; layer++) addLinear(shapes, config, projection, layer, rows)
  }
  return shapes
}

function addHypernetwork(
  shapes: Map<string, readonly number[]>,
  linear: (name: string, out: number, inSize: number) => void,
  config: PackConfig,
  {
    layerEmbedding,
    hidden,
    residualBlocks,
    generatorRank,
    layernormInput,
    layernormOutput,
  }: HypernetworkConfig,
  roleEmbedding: number,
): void {
  const norm = (name: string, size: number): void => {
    shapes.set(`${name}.weight`, [size])
    shapes.set(`${name}.bias`, [size])
  }
  const input = roleEmbedding + layerEmbedding
  shapes.set('layers_emb.weight', [config.projections.length * config.layers, layerEmbedding])
  if (layernormInput) norm('hypernet_encoder.norm_input', input)
  linear('hypernet_encoder.fc_input', hidden, input)
  for (let block = 0; block < residualBlocks; block++) {
    norm(`hypernet_encoder.layers.${block}.norm`, hidden)
    linear(`hypernet_encoder.layers.${block}.fc1`, hidden, hidden)
    linear(`hypernet_encoder.layers.${block}.fc2`, hidden, hidden)
  }
  if (layernormOutput) norm('hypernet_encoder.norm_output', hidden)
  for (const [projection, [inSize, outSize]] of config.dims) {
    if (config.sources.A.startsWith('hyper')) {
      linear(`${projection}_down_linear.down`, generatorRank, hidden)
      linear(`${projection}_down_linear.up`, inSize * config.rank, generatorRank)
    }
    if (config.sources.B === 'hyper') {
      linear(`${projection}_up_linear.down`, generatorRank, hidden)
      linear(`${projection}_up_linear.up`, config.rank * outSize, generatorRank)
    }
  }
}

function addLinear(
  shapes: Map<string, readonly number[]>,
  { rank, dims, sources }: PackConfig,
  projection: PackProjection,
  layer: number,
  rows: number,
): void {
  const [inSize, outSize] = dims.get(projection) ?? [0, 0]
  const stem = `layers.${layer}.${projection}`
  if (sources.A === 'shared') shapes.set(`${stem}.lora_A`, [inSize, rank])
  if (sources.A === 'table') shapes.set(`${stem}.lora_A_table`, [rows, inSize, rank])
  if (sources.A === 'hyper+static') shapes.set(`${stem}.lora_A0`, [inSize, rank])
  if (sources.B === 'shared') shapes.set(`${stem}.lora_B`, [rank, outSize])
  if (sources.B === 'table') shapes.set(`${stem}.lora_B_table`, [rows, rank, outSize])
}
