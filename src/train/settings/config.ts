import { HycoraError, check } from '../../core/errors.ts'
import { isJsonRecord } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { PACK_PROJECTIONS } from '../../formats/packConfig.ts'
import type { PackConfig, PackProjection, SourceOfA, SourceOfB } from '../../formats/packConfig.ts'

/** The contrastive loss between what is said and who says it. */
export interface ContrastConfig {
  /** `batch`: against the roles of the micro-batch, as in the paper; `table`: against all roles. */
  readonly form: 'off' | 'batch' | 'table'
  /** λ at its largest. */
  readonly weight: number
  /** In epochs; λ is 0 before. */
  readonly start: number
  readonly schedule: 'none' | 'linear' | 'half-cosine'
}

/** The likelihood gap: a role's lines should be likelier under its own adapter than under another's. */
export interface GapConfig {
  /** 0 for none. */
  readonly weight: number
  /** By how much likelier, in nats a token. */
  readonly margin: number
  /** Of a micro-batch's rows, how many take part. */
  readonly share: number
  /** Of so many other roles, drawn at random, the one that the lines suit best is taken. */
  readonly among: number
}

/** Sizes of a hyper-network that starts from nothing. */
export interface HypernetworkSizes {
  readonly roleEmbedding: number
  readonly layerEmbedding: number
  readonly hidden: number
  readonly residualBlocks: number
  readonly generatorRank: number
}

/** Everything that decides a training run but backbone, data and start; the same file trains in the tab and elsewhere. */
export interface TrainConfig {
  readonly steps: number
  /** Rows (dialogues) of a micro-step. */
  readonly batch: number
  /** Micro-steps of a step. */
  readonly accumulate: number
  readonly seed: number
  readonly learningRate: number
  /** Of B; `learningRate` where left out. */
  readonly learningRateB: number
  readonly schedule: 'constant' | 'cosine'
  /** In steps. */
  readonly warmup: number
  readonly betas: readonly [number, number]
  readonly epsilon: number
  readonly weightDecay: number
  /** The largest gradient norm; 0 clips nothing. */
  readonly clip: number
  readonly dropout: number
  readonly rank: number
  readonly alpha: number
  readonly targets: readonly PackProjection[]
  readonly sources: { readonly A: SourceOfA; readonly B: SourceOfB }
  readonly contrast: ContrastConfig
  readonly gap: GapConfig
  /** `all`: everything; `quick`: one new role's vector, all else frozen; `full`: a new role, everything trains. */
  readonly mode: 'all' | 'quick' | 'full'
  /** The new role of `quick` and `full`. */
  readonly role: string | null
  readonly checkpointEvery: number
  readonly hypernetwork: HypernetworkSizes
  /** Tokens of a row at most. */
  readonly maxTokens: number
  /** How many wordings of each item an epoch has, drawn anew for each; 0 for all of them. */
  readonly wordings: number
  /** A role's system line: a template with `{name}`, or one text a role; null for none. */
  readonly system: string | Readonly<Record<string, string>> | null
}

export const DEFAULT_CONFIG: TrainConfig = {
  steps: 100,
  batch: 4,
  accumulate: 1,
  seed: 42,
  learningRate: 1e-3,
  learningRateB: 2e-3,
  schedule: 'cosine',
  warmup: 5,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  weightDecay: 0,
  clip: 1,
  dropout: 0,
  rank: 8,
  alpha: 32,
  targets: PACK_PROJECTIONS,
  sources: { A: 'hyper', B: 'shared' },
  contrast: { form: 'table', weight: 0.1, start: 0, schedule: 'half-cosine' },
  gap: { weight: 0, margin: 0.3, share: 0.25, among: 1 },
  mode: 'all',
  role: null,
  checkpointEvery: 25,
  hypernetwork: { roleEmbedding: 64, layerEmbedding: 64, hidden: 256, residualBlocks: 2, generatorRank: 16 },
  maxTokens: 256,
  wordings: 0,
  system: null,
}

/** Reads entries one by one with their bounds; what was not asked for is an error in the end. */
class Fields {
  private readonly entries: JsonRecord
  private readonly where: string
  private readonly read = new Set<string>()

  constructor(value: unknown, where: string) {
    check(isJsonRecord(value), 'format-invalid', () => `${where} is not an object`)
    this.entries = value
    this.where = where
  }

  take(key: string): unknown {
    this.read.add(key)
    return Object.hasOwn(this.entries, key) ? this.entries[key] : undefined
  }

  number(key: string, fallback: number, [least, most]: readonly [number, number]): number {
    const value = this.take(key)
    if (value === undefined) return fallback
    if (typeof value === 'number' && value >= least && value <= most) return value
    throw this.fault(key, `a number from ${least} to ${most}`)
  }

  integer(key: string, fallback: number, bounds: readonly [number, number]): number {
    const value = this.number(key, fallback, bounds)
    if (Number.isInteger(value)) return value
    throw this.fault(key, 'an integer')
  }

  choice<T extends string>(key: string, fallback: T, choices: readonly T[]): T {
    const value = this.take(key)
    if (value === undefined) return fallback
    const chosen = choices.find((choice) => choice === value)
    if (chosen !== undefined) return chosen
    throw this.fault(key, choices.map((choice) => `"${choice}"`).join(' or '))
  }

  fault(key: string, expected: string): HycoraError {
    const found = JSON.stringify(this.entries[key])
    return new HycoraError('format-invalid', `${this.where}: ${key} is ${found}, expected ${expected}`)
  }

  /** @throws HycoraError `format-invalid` naming a key that nobody asked for. */
  done(): void {
    const unknown = Object.keys(this.entries).find((key) => !this.read.has(key))
    check(unknown === undefined, 'format-invalid', () => `${this.where} has the unknown key "${unknown}"`)
  }
}

const RATE = [0, 1] as const
const SIZE = [1, 65536] as const
const COUNT = [1, 1e9] as const

function readTargets(fields: Fields): readonly PackProjection[] {
  const value = fields.take('targets')
  if (value === undefined) return DEFAULT_CONFIG.targets
  const expected = `a list out of ${PACK_PROJECTIONS.join(', ')}`
  if (!Array.isArray(value) || value.length === 0) throw fields.fault('targets', expected)
  const isKnown = value.every((name) => PACK_PROJECTIONS.some((known) => known === name))
  if (!isKnown || new Set(value).size < value.length) throw fields.fault('targets', expected)
  return PACK_PROJECTIONS.filter((name) => value.includes(name))
}

function isRate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1
}

function readBetas(fields: Fields): readonly [number, number] {
  const value = fields.take('betas')
  if (value === undefined) return DEFAULT_CONFIG.betas
  if (Array.isArray(value) && value.length === 2 && isRate(value[0]) && isRate(value[1]))
    return [value[0], value[1]]
  throw fields.fault('betas', 'two numbers from 0 to below 1')
}

function readSystem(fields: Fields): TrainConfig['system'] {
  const value = fields.take('system')
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  if (isJsonRecord(value)) {
    const lines = Object.entries(value).map(([role, line]) => {
      if (typeof line !== 'string') throw fields.fault('system', 'a text, or one text a role')
      return [role, line] as const
    })
    return Object.fromEntries(lines)
  }
  throw fields.fault('system', 'a text, or one text a role')
}

function readSources(value: unknown): TrainConfig['sources'] {
  const fields = new Fields(value ?? {}, 'sources')
  const { A, B } = DEFAULT_CONFIG.sources
  const sources = {
    A: fields.choice('A', A, ['shared', 'table', 'hyper', 'hyper+static']),
    B: fields.choice('B', B, ['shared', 'table', 'hyper']),
  }
  fields.done()
  return sources
}

function readContrast(value: unknown): ContrastConfig {
  const fields = new Fields(value ?? {}, 'contrast')
  const fallback = DEFAULT_CONFIG.contrast
  const contrast = {
    form: fields.choice('form', fallback.form, ['off', 'batch', 'table']),
    weight: fields.number('weight', fallback.weight, [0, 1000]),
    start: fields.number('start', fallback.start, [0, 1e6]),
    schedule: fields.choice('schedule', fallback.schedule, ['none', 'linear', 'half-cosine']),
  }
  fields.done()
  return contrast
}

function readGap(value: unknown): GapConfig {
  const fields = new Fields(value ?? {}, 'gap')
  const fallback = DEFAULT_CONFIG.gap
  const gap = {
    weight: fields.number('weight', fallback.weight, [0, 1000]),
    margin: fields.number('margin', fallback.margin, [0, 100]),
    share: fields.number('share', fallback.share, [0, 1]),
    among: fields.integer('among', fallback.among, [1, 4096]),
  }
  fields.done()
  return gap
}

function readSizes(value: unknown): HypernetworkSizes {
  const fields = new Fields(value ?? {}, 'hypernetwork')
  const fallback = DEFAULT_CONFIG.hypernetwork
  const sizes = {
    roleEmbedding: fields.integer('roleEmbedding', fallback.roleEmbedding, SIZE),
    layerEmbedding: fields.integer('layerEmbedding', fallback.layerEmbedding, SIZE),
    hidden: fields.integer('hidden', fallback.hidden, SIZE),
    residualBlocks: fields.integer('residualBlocks', fallback.residualBlocks, [0, 64]),
    generatorRank: fields.integer('generatorRank', fallback.generatorRank, SIZE),
  }
  fields.done()
  return sizes
}

/**
 * Validates a configuration file's JSON; what it leaves out has its default.
 *
 * @param start the configuration of the start pack, which decides rank and all sizes.
 * @throws HycoraError `format-invalid` naming the key and what it should hold; `usage` when the rank is not the start's.
 */
export function readTrainConfig(
  value: unknown,
  start: Pick<PackConfig, 'rank' | 'alpha'> | null = null,
): TrainConfig {
  const fields = new Fields(value, 'the configuration')
  const fallback = DEFAULT_CONFIG
  const learningRate = fields.number('learningRate', fallback.learningRate, RATE)
  const role = fields.take('role') ?? null
  if (role !== null && typeof role !== 'string') throw fields.fault('role', 'a name')
  const config: TrainConfig = {
    steps: fields.integer('steps', fallback.steps, COUNT),
    batch: fields.integer('batch', fallback.batch, [1, 4096]),
    accumulate: fields.integer('accumulate', fallback.accumulate, [1, 4096]),
    seed: fields.integer('seed', fallback.seed, [0, 2 ** 32 - 1]),
    learningRate,
    learningRateB: fields.number('learningRateB', learningRate, RATE),
    schedule: fields.choice('schedule', fallback.schedule, ['constant', 'cosine']),
    warmup: fields.integer('warmup', fallback.warmup, [0, 1e9]),
    betas: readBetas(fields),
    epsilon: fields.number('epsilon', fallback.epsilon, [1e-20, 1]),
    weightDecay: fields.number('weightDecay', fallback.weightDecay, [0, 100]),
    clip: fields.number('clip', fallback.clip, [0, 1e9]),
    dropout: fields.number('dropout', fallback.dropout, [0, 0.95]),
    rank: fields.integer('rank', start?.rank ?? fallback.rank, [1, 256]),
    alpha: fields.number('alpha', start?.alpha ?? fallback.alpha, [1e-6, 1e6]),
    targets: readTargets(fields),
    sources: readSources(fields.take('sources')),
    contrast: readContrast(fields.take('contrast')),
    gap: readGap(fields.take('gap')),
    mode: fields.choice('mode', fallback.mode, ['all', 'quick', 'full']),
    role,
    checkpointEvery: fields.integer('checkpointEvery', fallback.checkpointEvery, COUNT),
    hypernetwork: readSizes(fields.take('hypernetwork')),
    maxTokens: fields.integer('maxTokens', fallback.maxTokens, [8, 65536]),
    wordings: fields.integer('wordings', fallback.wordings, [0, 100]),
    system: readSystem(fields),
  }
  fields.done()
  check(
    !start || config.rank === start.rank,
    'usage',
    () => `the configuration: rank is ${config.rank}, the start pack has ${start?.rank}`,
  )
  check(
    config.mode === 'all' || config.role !== null,
    'format-invalid',
    () => `the configuration: mode "${config.mode}" needs the new role's name in "role"`,
  )
  return config
}
