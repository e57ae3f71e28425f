// The settings of a training run, which is a rehearsal in the page: names, sentences, defaults. No state.

/** What a person may set; a number that is null follows another setting. */
export type OptionValue = number | string | readonly string[] | null

interface OptionText {
  /** Where it stands in the configuration, its parts joined by dots. */
  readonly key: string
  readonly name: string
  /** One sentence. */
  readonly about: string
  /** Decided by the company that the run goes on from; only a new one chooses. */
  readonly isShape?: boolean
}

export type TrainingOption = OptionText &
  (
    | {
        readonly kind: 'number'
        readonly initial: number | null
        readonly min: number
        readonly max: number
        readonly isWhole?: boolean
        /** What an empty field stands for. */
        readonly empty?: string
      }
    | {
        readonly kind: 'choice'
        readonly initial: string
        readonly choices: readonly { readonly value: string; readonly name: string }[]
      }
    | {
        readonly kind: 'several'
        readonly initial: readonly string[]
        readonly choices: readonly { readonly value: string; readonly name: string }[]
      }
    | { readonly kind: 'text'; readonly initial: string; readonly placeholder: string }
  )

export interface OptionGroup {
  readonly title: string
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
  name: 'Steps',
  about: 'How many times the weights are changed a little.',
  initial: 100,
  min: 1,
  max: 1_000_000,
  isWhole: true,
} as const satisfies TrainingOption

const projections = ['q', 'k', 'v', 'o', 'up', 'down', 'gate'] as const
const named = (names: Readonly<Record<string, string>>) =>
  Object.entries(names).map(([value, name]) => ({ value, name }))

/** All settings of the fold. */
export const optionGroups: readonly OptionGroup[] = [
  {
    title: 'The lines',
    options: [
      {
        key: 'maxTokens',
        kind: 'number',
        name: 'Longest dialogue',
        about: 'In tokens; a longer one loses its first exchanges.',
        initial: READING.maxTokens,
        min: 8,
        max: 65_536,
        isWhole: true,
      },
      {
        key: 'wordings',
        kind: 'number',
        name: 'Wordings at a time',
        about: 'Of a question that has several, so many are drawn for each pass; 0 takes all.',
        initial: 0,
        min: 0,
        max: 100,
        isWhole: true,
      },
      {
        key: 'system',
        kind: 'text',
        name: 'The line before every chat',
        about:
          'What the model is told before it plays; {name} stands for the character, and left empty the custom of the company holds.',
        initial: '',
        placeholder: 'You are {name}, …',
      },
      {
        key: 'seed',
        kind: 'number',
        name: 'Seed',
        about: 'The same seed on the same device gives the same result.',
        initial: READING.seed,
        min: 0,
        max: 2 ** 32 - 1,
        isWhole: true,
      },
    ],
  },
  {
    title: 'The pace',
    options: [
      {
        key: 'batch',
        kind: 'number',
        name: 'Dialogues at a time',
        about: 'More makes a step steadier, slower and larger in memory.',
        initial: 4,
        min: 1,
        max: 4096,
        isWhole: true,
      },
      {
        key: 'accumulate',
        kind: 'number',
        name: 'Rounds in a step',
        about: 'Collects this many rounds before the weights change: steadier without more memory.',
        initial: 1,
        min: 1,
        max: 4096,
        isWhole: true,
      },
      {
        key: 'learningRate',
        kind: 'number',
        name: 'Learning rate',
        about: 'How far a step goes; too far and the loss jumps.',
        initial: 1e-3,
        min: 0,
        max: 1,
      },
      {
        key: 'learningRateB',
        kind: 'number',
        name: 'Learning rate of B',
        about: 'The half of the adapter that all characters share may go at its own pace.',
        initial: null,
        min: 0,
        max: 1,
        empty: 'as above',
      },
      {
        key: 'schedule',
        kind: 'choice',
        name: 'Learning rate over time',
        about: 'Whether it falls towards the end or stays.',
        initial: 'cosine',
        choices: named({ cosine: 'Falls', constant: 'Stays' }),
      },
      {
        key: 'warmup',
        kind: 'number',
        name: 'Warm-up',
        about: 'In steps; the rate grows to its full height over them.',
        initial: 5,
        min: 0,
        max: 1e9,
        isWhole: true,
      },
      {
        key: 'checkpointEvery',
        kind: 'number',
        name: 'Checkpoint every',
        about:
          'In steps; left alone, never more than a twentieth of the rehearsal, which is what a closed page may lose.',
        initial: 25,
        min: 1,
        max: 1e9,
        isWhole: true,
      },
    ],
  },
  {
    title: 'The optimiser',
    options: [
      {
        key: 'clip',
        kind: 'number',
        name: 'Largest gradient',
        about: 'A longer gradient is shortened to this; 0 shortens none.',
        initial: 1,
        min: 0,
        max: 1e9,
      },
      {
        key: 'weightDecay',
        kind: 'number',
        name: 'Weight decay',
        about: 'Draws every weight towards zero by this share of the learning rate.',
        initial: 0,
        min: 0,
        max: 100,
      },
      {
        key: 'dropout',
        kind: 'number',
        name: 'Dropout',
        about: 'The share of the adapter’s inputs left out at random, against learning by heart.',
        initial: 0,
        min: 0,
        max: 0.95,
      },
      {
        key: 'betas.0',
        kind: 'number',
        name: 'Beta 1',
        about: 'How long the optimiser remembers a direction.',
        initial: BETAS[0],
        min: 0,
        max: 0.999_999,
      },
      {
        key: 'betas.1',
        kind: 'number',
        name: 'Beta 2',
        about: 'How long it remembers the size of gradients.',
        initial: BETAS[1],
        min: 0,
        max: 0.999_999,
      },
      {
        key: 'epsilon',
        kind: 'number',
        name: 'Epsilon',
        about: 'Keeps a division by a tiny gradient from growing without bound.',
        initial: 1e-8,
        min: 1e-20,
        max: 1,
      },
    ],
  },
  {
    title: 'Telling characters apart (HCL)',
    options: [
      {
        key: 'contrast.form',
        kind: 'choice',
        name: 'Compared with',
        about:
          'Ties what is said to who says it: against all characters, against those of the batch, or not at all.',
        initial: 'table',
        choices: named({ table: 'All characters', batch: 'The batch', off: 'Nobody' }),
      },
      {
        key: 'contrast.weight',
        kind: 'number',
        name: 'Weight λ',
        about: 'How much it counts beside the words.',
        initial: 0.1,
        min: 0,
        max: 1000,
      },
      {
        key: 'contrast.start',
        kind: 'number',
        name: 'Begins at',
        about: 'In rounds through all the lines; before that it does not count.',
        initial: 0,
        min: 0,
        max: 1e6,
      },
      {
        key: 'contrast.schedule',
        kind: 'choice',
        name: 'λ over time',
        about: 'How it comes to its full weight.',
        initial: 'half-cosine',
        choices: named({ 'half-cosine': 'Softly', linear: 'Evenly', none: 'At once' }),
      },
    ],
  },
  {
    title: 'The shape of a new company',
    options: [
      {
        key: 'rank',
        kind: 'number',
        name: 'Rank',
        about: 'How many directions each layer may be bent in.',
        initial: 8,
        min: 1,
        max: 256,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'alpha',
        kind: 'number',
        name: 'Alpha',
        about: 'The bend is multiplied by alpha over rank.',
        initial: 32,
        min: 1e-6,
        max: 1e6,
        isShape: true,
      },
      {
        key: 'targets',
        kind: 'several',
        name: 'Bent layers',
        about: 'Which projections of every layer get an adapter.',
        initial: projections,
        choices: projections.map((value) => ({ value, name: value })),
        isShape: true,
      },
      {
        key: 'sources.A',
        kind: 'choice',
        name: 'Where A comes from',
        about: 'Generated for each character (HyCoRA), one of each character’s own, or one for all.',
        initial: 'hyper',
        choices: named({
          hyper: 'Generated',
          'hyper+static': 'Generated + fixed',
          table: 'Own',
          shared: 'One',
        }),
        isShape: true,
      },
      {
        key: 'sources.B',
        kind: 'choice',
        name: 'Where B comes from',
        about: 'One for all (HyCoRA), one of each character’s own, or generated.',
        initial: 'shared',
        choices: named({ shared: 'One', table: 'Own', hyper: 'Generated' }),
        isShape: true,
      },
      {
        key: 'hypernetwork.roleEmbedding',
        kind: 'number',
        name: 'Numbers of a character',
        about: 'How long the vector is that stands for one character.',
        initial: 64,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.layerEmbedding',
        kind: 'number',
        name: 'Numbers of a layer',
        about: 'How long the vector is that stands for one layer.',
        initial: 64,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.hidden',
        kind: 'number',
        name: 'Width of the hyper-network',
        about: 'How wide the network is that makes A.',
        initial: 256,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.residualBlocks',
        kind: 'number',
        name: 'Its depth',
        about: 'How many residual blocks it has.',
        initial: 2,
        min: 0,
        max: 64,
        isWhole: true,
        isShape: true,
      },
      {
        key: 'hypernetwork.generatorRank',
        kind: 'number',
        name: 'Its bottleneck',
        about: 'How many numbers A is unfolded from.',
        initial: 16,
        min: 1,
        max: 65_536,
        isWhole: true,
        isShape: true,
      },
    ],
  },
]
