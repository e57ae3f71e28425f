import { DEFAULT_CONFIG } from '../../train/settings/config.ts'
import { roomToKeep } from '../../train/run/keptRoom.ts'
import { trainingBytes, trainingNeeds } from '../../train/run/memory.ts'
import { beginTraining } from '../../train/parameters/trainee.ts'
import { Trainer } from '../../train/run/trainer.ts'
import { blockSizeOf } from '../../train/gradients/trainingBuffers.ts'
import { watchBuffers } from './bufferBytes.ts'
import { CASE_BUDGET_MS } from './generationCases.ts'
import type { BenchRow } from './report.ts'
import { generateGreedy, promptIds, takeFirst, trainingBatch } from '../../bench/prompts.ts'
import type { BenchSubject } from './subject.ts'
import { interleave, roundsWithin, timeOf } from '../../bench/timing.ts'

const ROWS = 4
/** Tokens of a row: as many as the prompt of `prefill-256` in all, or so few that a slow adapter comes to an end. */
const TOKENS = 64
const FEW_TOKENS = 8

/** A step that would take longer than this is measured with few tokens. */
const LONGEST_STEP_MS = 30_000
/** A step is about five passes forward. */
const PASSES = 5

/** Tokens a second of a training step, against reading as many as a prompt; peak memory against its formula. */
export async function trainCase(subject: BenchSubject): Promise<BenchRow> {
  const { backbone, gpu, rounds } = subject
  const { shape, weights } = backbone
  const read = (count: number, seed: number): Promise<number> =>
    timeOf(() => takeFirst(generateGreedy(backbone, promptIds(count, shape.vocabulary, seed), 1)))
  let seed = 0
  await read(ROWS * FEW_TOKENS, ++seed)
  const probeMs = await read(ROWS * FEW_TOKENS, ++seed)
  const isSlow = (PASSES * probeMs * TOKENS) / FEW_TOKENS > LONGEST_STEP_MS
  const tokens = isSlow ? FEW_TOKENS : TOKENS

  const trainee = beginTraining(DEFAULT_CONFIG, shape, ['Ada', 'Bo', 'Cy', 'Di'], null)
  const limits = { rows: ROWS, tokens }
  const needs = trainingNeeds(shape, trainee, DEFAULT_CONFIG, limits)
  const blockSize = blockSizeOf(weights)
  const formula = trainingBytes(shape, needs, blockSize, await roomToKeep(gpu, shape, needs, blockSize))
  const bytes = watchBuffers(gpu.device)
  const trainer = await Trainer.create(gpu, shape, weights, trainee, { config: DEFAULT_CONFIG, limits })
  let step = 0
  const train = (): Promise<number> =>
    timeOf(() => {
      const batches = [trainingBatch(ROWS, tokens, shape.vocabulary, step)]
      return trainer.step({ step: step++, batches, lambda: 0.1, rateFactor: 1 })
    })
  await train()
  const roundMs = 2 * ((await train()) + (await read(ROWS * tokens, ++seed)))
  const counted = roundsWithin(CASE_BUDGET_MS, roundMs, rounds)
  const [trained, prefilled] = await interleave(counted, train, () => read(ROWS * tokens, ++seed))
  trainer.destroy()
  return subject.row('train', {
    ours: (1000 * ROWS * tokens) / trained,
    rival: (1000 * ROWS * tokens) / prefilled,
    unit: 'tokens/s',
    rivalName: 'reading as many tokens',
    rounds: counted,
    trainingBytes: bytes.peak,
    bytesOverFormula: bytes.peak / formula,
  })
}
