// The settings of a training run, which is a rehearsal in the page: what they may be, and their defaults. No state.
import type { OptionWord } from '../../words/option.ts'

/** What a person may set; a number that is null follows another setting. */
export type OptionValue = number | string | readonly string[] | null

/** What has a name and a sentence in the catalogue. */
type OptionKey = OptionWord extends infer Word ? (Word extends `${infer Key}.about` ? Key : never) : never

interface OptionPlace {
  /** Where it stands in the configuration, its parts joined by dots; the catalogue has its name and its sentence. */
  readonly key: OptionKey
  /** Decided by the company that the run goes on from; only a new one chooses. */
  readonly isShape?: boolean
}

export type TrainingOption = OptionPlace &
  (
    | {
        readonly kind: 'number'
        readonly initial: number | null
        readonly min: number
        readonly max: number
        readonly isWhole?: boolean
        /** Whether an empty field stands for what the setting above it has. */
        readonly follows?: true
      }
    | {
        readonly kind: 'choice'
        readonly initial: string
        readonly choices: readonly { readonly value: string; readonly name: OptionWord }[]
      }
    | {
        readonly kind: 'several'
        readonly initial: readonly string[]
        /** Named as they are in the graph. */
        readonly choices: readonly string[]
      }
    | { readonly kind: 'text'; readonly initial: string }
  )

export interface OptionGroup {
  readonly id: 'lines' | 'pace' | 'optimiser' | 'contrast' | 'shape'
  readonly options: readonly TrainingOption[]
}

/** Where the settings stand at first by which lines are read. */
export const READING = { maxTokens: 256, seed: 42 } as const
/** Where the optimiser's two memories stand at first. */
export const BETAS = [0.9, 0.999] as const

/** How long a run is; stands outside the fold. */
export const stepsOption = {
  key: 'steps',
  kind: 'number',
  initial: 100,
  min: 1,
  max: 1_000_000,
  isWhole: true,
} as const satisfies TrainingOption

const projections = ['q', 'k', 'v', 'o', 'up', 'down', 'gate'] as const

/** All settings of the fold. */
export const optionGroups: readonly OptionGroup[] = [
  {
    id: 'lines',
    options: [
      {
        key: 'maxTokens',
        kind: 'number',
        initial: READING.maxTokens,
        min: 8,
        max: 65_536,
        isWhole: true,
      },
      {
        key: 'wordings',
        kind: 'number',
        initial: 0,
        min: 0,
        max: 100,
        isWhole: true,
      },
      {
        key: 'system',
        kind: 'text',
        initial: '',
      },
      {
        key: 'seed',
        kind: 'number',
        initial: READING.seed,
        min: 0,
        max: 2 ** 32 - 1,
        isWhole: true,
      },
    ],
  },
  {
    id: 'pace',
    options: [
      {
        key: 'batch',
        kind: 'number',
        initial: 4,
        min: 1,
        max: 4096,
        isWhole: true,
      },
      {
        key: 'accumulate',
        kind: 'number',
        initial: 1,
        min: 1,
        max: 4096,
        isWhole: true,
      },
      {
        key: 'learningRate',
        kind: 'number',
        initial: 1e-3,
        min: 0,
        max: 1,
      },
      {
        key: 'learningRateB',
        kind: 'number',
        initial: null,
        min: 0,
        max: 1,
        follows: true,
      },
      {
        key: 'schedule',
        kind: 'choice',
        initial: 'cosine',
        choices: [
          { value: 'cosine', name: 'schedule.cosine' },
          { value: 'constant', name: 'schedule.constant' },
        ],
      },
      {
        key: 'warmup',
        kind: 'number',
        initial: 5,
        min: 0,
        max: 1e9,
        isWhole: true,
      },
      {
        key: 'checkpointEvery',
        kind: 'number',
        initial: 25,
        min: 1,
        max: 1e9,
        isWhole: true,
      },
    ],
  },
  {
    id: 'optimiser',
    options: [
      {
        key: 'clip',
        kind: 'number',
        initial: 1,
        min: 0,
        max: 1e9,
      },
      {
        key: 'weightDecay',
        kind: 'number',
        initial: 0,
        min: 0,
        max: 100,
      },
      {
        key: 'dropout',
        kind: 'number',
        initial: 0,
        min: 0,
        max: 0.95,
      },
      {
        key: 'betas.0',
        kind: 'number',
        initial: BETAS[0],
        min: 0,
        max: 0.999_999,
      },
      {
        key: 'betas.1',
        kind: 'number',
        initial: BETAS[1],
        min: 0,
        max: 0.999_999,
      },
      {
        key: 'epsilon',
        kind: 'number',
        initial: 1e-8,
        min: 1e-20,
        max: 1,
      },
    ],
  },
  {
    id: 'contrast',
    options: [
      {
        key: 'contrast.form',
        kind: 'choice',
        initial: 'table',
        choices: [
          { value: 'table', name: 'contrast.form.table' },
          { value: 'batch', name: 'contrast.form.batch' },
          { value: 'off', name: 'contrast.form.off' },
        ],
      },
      {
        key: 'contrast.weight',
        kind: 'number',
        initial: 0.1,
        min: 0,
        max: 1000,
      },
      {
        key: 'contrast.start',
        kind: 'number',
        initial: 0,
        min: 0,
        max: 1e6,
      },
      {
        key: 'contrast.schedule',
        kind: 'choice',
        initial: 'half-cosine',
        choices: [
          { value: 'half-cosine', name: 'contrast.schedule.half-cosine' },
          { value: 'linear', name: 'contrast.schedule.linear' },
          { value: 'none', name: 'contrast.schedule.none' },
        ],
      },
    ],
  },
  {
    id: 'shape',
    options: [
      {
        key: 'rank',
        kind: 'number',
        initial: 8,
        min: 1,
        max: 256,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'alpha',
        kind: 'number',
        initial: 32,
        min: 1e-6,
        max: 1e6,
        isShape: true,
      },
      {
        key: 'targets',
        kind: 'several',
        initial: projections,
        choices: projections,
        isShape: true,
      },
      {
        key: 'sources.A',
        kind: 'choice',
        initial: 'hyper',
        choices: [
          { value: 'hyper', name: 'sources.A.hyper' },
          { value: 'hyper+static', name: 'sources.A.hyper+static' },
          { value: 'table', name: 'sources.A.table' },
          { value: 'shared', name: 'sources.A.shared' },
        ],
        isShape: true,
      },
      {
        key: 'sources.B',
        kind: 'choice',
        initial: 'shared',
        choices: [
          { value: 'shared', name: 'sources.B.shared' },
          { value: 'table', name: 'sources.B.table' },
          { value: 'hyper', name: 'sources.B.hyper' },
        ],
        isShape: true,
      },
      {
        key: 'hypernetwork.roleEmbedding',
        kind: 'number',
        initial: 64,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.layerEmbedding',
        kind: 'number',
        initial: 64,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.hidden',
        kind: 'number',
        initial: 256,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.residualBlocks',
        kind: 'number',
        initial: 2,
        min: 0,
        max: 64,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.generatorRank',
        kind: 'number',
        initial: 16,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
    ],
  },
]
