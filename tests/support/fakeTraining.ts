import type { RoleMap } from '../../src/core/training.ts'
import { HycoraError } from '../../src/core/errors.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import type {
  DatasetParams,
  DatasetReport,
  TrainEvent,
  TrainParams,
  TrainResult,
} from '../../src/engine/protocol.ts'
import { readDatasetReport } from '../../src/engine/readDatasetReport.ts'

/** How a scripted run goes. */
export interface TrainingScript {
  /** The pack that comes of it. */
  readonly pack?: Blob
  /** Throws after this step. */
  readonly failsAt?: { readonly step: number; readonly code: ErrorCode }
  readonly checkpointBytes?: number
  /** What a step is said to take before a run. */
  readonly secondsPerStep?: number
  /** The map of roles from the first rehearsal on, in place of one that is made up. */
  readonly map?: RoleMap
  readonly notes?: readonly string[]
  /** How often the held-out lines are measured, in steps. */
  readonly heldOutEvery?: number
}

/** Reads lines with the real reader; lengths are those of a tokenizer that makes four letters a token. */
export function fakeDataset(params: DatasetParams): DatasetReport {
  const report = readDatasetReport(params, null)
  const whole = report.dialogues.map(({ turns }) =>
    turns.reduce((sum, { text }) => sum + Math.ceil(text.length / 4) + 5, 0),
  )
  const long = whole.filter((length) => length > params.maxTokens)
  return {
    ...report,
    lengths: whole.map((length) => Math.min(length, params.maxTokens)),
    cut: {
      rows: long.length,
      turns: long.length,
      tokens: long.reduce((sum, length) => sum + length - params.maxTokens, 0),
    },
  }
}

/** A run after the script: every number follows from the step alone, so that a resumed run is the same run. */
export async function fakeTrain(
  params: TrainParams,
  emit: (event: TrainEvent) => void,
  signal: AbortSignal | undefined,
  script: TrainingScript,
  pause: () => Promise<void>,
): Promise<TrainResult> {
  const config = params.config as { readonly steps?: number; readonly checkpointEvery?: number }
  const steps = config.steps ?? 100
  const every = config.checkpointEvery ?? 25
  const heldOutEvery = script.heldOutEvery ?? 5
  const heldOutRows = params.dialogues.filter(({ split }) => split === 'test').length
  let step = params.checkpoint ? await stepOf(params.checkpoint) : 0
  const pack = script.pack ?? new Blob(['a pack'])
  const isStopped = (): boolean => signal?.aborted ?? false
  const best = { step: 0, loss: Infinity }
  const checkpoint = (): void =>
    emit({ kind: 'checkpoint', step, file: checkpointOf(step, script.checkpointBytes ?? 64) })

  emit({
    kind: 'plan',
    totalSteps: steps,
    rows: params.dialogues.length - heldOutRows,
    heldOutRows,
    tokensPerStep: 212,
    gpuBytes: 187_400_000,
    secondsPerStep: 0.31,
  })
  for (const message of script.notes ?? []) emit({ kind: 'note', message })
  if (step === 0) {
    emit({ kind: 'answers', step, answers: answersAt(params, 0) })
    emit({ kind: 'map', step, map: mapAt(params, 0) })
    emit({ kind: 'pack', step, pack })
  }
  while (step < steps && !isStopped()) {
    await pause()
    step++
    emit(stepEvent(step, steps))
    if (step % heldOutEvery === 0 && heldOutRows > 0) {
      const loss = heldOutLoss(step, steps)
      const isBest = loss < best.loss
      if (isBest) Object.assign(best, { step, loss })
      emit({ kind: 'held-out', step, loss, isBest })
    }
    if (step % params.trial.everySteps === 0) {
      emit({ kind: 'answers', step, answers: answersAt(params, step / steps) })
      emit({ kind: 'map', step, map: script.map ?? mapAt(params, step / steps) })
      emit({ kind: 'pack', step, pack })
    }
    if (script.failsAt?.step === step) throw new HycoraError(script.failsAt.code, 'the script says so')
    if (step % every === 0 && !isStopped()) checkpoint()
  }
  if (isStopped()) checkpoint()
  return { pack, best: best.step > 0 && best.step < step ? pack : null, step, isFinished: step >= steps }
}

function checkpointOf(step: number, bytes: number): Blob {
  return new Blob([`${step}\n`, new Uint8Array(bytes)])
}

async function stepOf(checkpoint: Blob): Promise<number> {
  return Number.parseInt(await checkpoint.slice(0, 12).text(), 10)
}

/** A value in [−1, 1] that looks like noise. */
function noise(step: number, stream: number): number {
  return 2 * ((Math.sin(step * 12.9898 + stream * 78.233) * 43_758.5453) % 1)
}

function stepEvent(step: number, steps: number): TrainEvent {
  const done = step / steps
  const crossEntropy = 1.35 + 2.9 * Math.exp(-4.2 * done) + 0.16 * noise(step, 1) * Math.exp(-1.5 * done)
  const contrast = 0.25 + 1.5 * Math.exp(-5 * done) + 0.07 * noise(step, 2)
  const lambda = 0.1 * Math.min(1, 0.5 - 0.5 * Math.cos(Math.PI * Math.min(1, done * 2)))
  return {
    kind: 'step',
    step,
    loss: crossEntropy + lambda * contrast,
    crossEntropy,
    contrast,
    lambda,
    learningRate: 1e-3 * Math.min(1, step / 5) * (0.5 + 0.5 * Math.cos(Math.PI * done)),
    gradientNorm: 0.4 + 1.4 * Math.exp(-3 * done) + 0.25 * Math.abs(noise(step, 3)),
    tokensPerSecond: 684 + 30 * noise(step, 4),
    secondsPerStep: 0.31 + 0.01 * noise(step, 5),
    isSkipped: false,
  }
}

function heldOutLoss(step: number, steps: number): number {
  const done = step / steps
  return 1.9 + 2.3 * Math.exp(-4.6 * done) + 0.55 * Math.max(0, done - 0.6) ** 1.4
}

const stages: readonly (readonly string[])[] = [
  ['I am a good friend, and I like to play.', 'I love the park.', 'I do not know.'],
  ['I am the captain, and I like to play in the water.', 'I love the river.', 'I do not know the boat.'],
  [
    'I am Captain Brine of the ferry, and I like the water.',
    'I love the river in the morning.',
    'The boat does not know the way.',
  ],
  [
    'Captain Brine, of the ferry Patience. Mind the wet rope.',
    'The river in the morning, before it has an opinion.',
    'The boat knows the way. I only argue with it.',
  ],
]

function answersAt({ trial }: TrainParams, done: number): readonly string[] {
  const stage = stages[Math.min(stages.length - 1, Math.floor(done * stages.length))] ?? []
  return trial.prompts.map((_, index) => stage[index % stage.length] ?? '')
}

function mapAt(params: TrainParams, done: number): RoleMap {
  const others = params.start
    ? ['Sherlock Holmes', 'Caesar', 'Alice', 'Queen Elizabeth I', 'Abraham Lincoln']
    : []
  return mapOf([...others, ...new Set(params.dialogues.map(({ role }) => role))], done)
}

/** A map of these roles, a circle that widens as a run goes on. */
export function mapOf(names: readonly string[], done = 1): RoleMap {
  const count = names.length
  const cosines = new Float32Array(count * count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const apart = 0.32 + 0.4 * (1 - done) + 0.12 * noise(i + j + 1, 7)
      cosines[i * count + j] = i === j ? 1 : apart
    }
  }
  const points = Float32Array.from({ length: 2 * count }, (_, index) => {
    const angle = (2 * Math.PI * (index >> 1)) / count + 0.6
    const radius = (0.3 + 0.7 * done) * (1 + 0.2 * noise(index >> 1, 9))
    return radius * (index % 2 === 0 ? Math.cos(angle) : 0.6 * Math.sin(angle))
  })
  return { names, cosines, points, alike: null, isShared: false }
}
