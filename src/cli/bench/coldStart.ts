import { spawnSync } from 'node:child_process'

import { HycoraError } from '../../core/errors.ts'
import { openModel } from '../engine.ts'
import { openNodeDevice } from '../gpu.ts'
import { CASE_BUDGET_MS } from './generationCases.ts'
import type { BenchRow } from './report.ts'
import { openRival } from './rival.ts'
import { GpuBackbone } from '../../model/gpu/gpuBackbone.ts'
import { generateGreedy, promptIds, takeFirst } from '../../bench/prompts.ts'
import { rivalModel } from './subject.ts'
import type { Opponent, BenchSubject } from './subject.ts'
import { interleave, timeOf } from '../../bench/timing.ts'
import { tuneWith } from './tune.ts'

/** Who starts in a process of its own. */
export type Starter = 'ours' | 'rival'

const SHORT_PROMPT = 8

/** Milliseconds from files on disk to the first token, in this process, which has done nothing of the kind before. */
export async function startCold(who: Starter, options: ReadonlyMap<string, string>): Promise<number> {
  if (who === 'ours') {
    return timeOf(async () => {
      const opened = await openModel(options)
      const gpu = await openNodeDevice()
      const tuned = { ...gpu, tuning: tuneWith(gpu.tuning, options.get('tune')) }
      const backbone = await GpuBackbone.create(tuned, opened.model.decoder, { cacheForm: 'halves' })
      const ids = promptIds(SHORT_PROMPT, opened.model.decoder.vocabulary, 1)
      await takeFirst(generateGreedy(backbone, ids, 1))
    })
  }
  const opened = await openModel(options)
  const { vocabulary } = opened.model.decoder
  return timeOf(async () => {
    const rival = await openRival(rivalModel(opened), 'webgpu')
    await takeFirst(rival.generate(promptIds(SHORT_PROMPT, vocabulary, 1), 1))
  })
}

/** Switches of drivers that keep compiled shaders on disk. */
const WITHOUT_SHADER_CACHE = { MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' }

/** Starts this program again for one cold start. */
function startProcess(
  subject: BenchSubject,
  who: Starter,
  environment: Readonly<Record<string, string>>,
): number {
  const { tune } = subject
  const { root, model } = subject.opened
  const [, program = ''] = process.argv
  const words = [program, 'bench', '--cold-start', who, '--backbone', root, '--model', model.modelFile]
  if (tune !== undefined) words.push('--tune', tune)
  const { stdout, stderr, status } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
  const milliseconds = Number(stdout)
  if (status !== 0 || !(milliseconds > 0)) {
    throw new HycoraError(
      'usage',
      `the process for a cold start failed: ${stderr.trim().split('\n').at(-1) ?? ''}`,
    )
  }
  return milliseconds
}

/** Two sides in turn, each time in a fresh process; where one turn alone takes long, only that one. */
async function startInTurn(
  subject: BenchSubject,
  environment: Readonly<Record<string, string>>,
): Promise<{ ours: number; rival: number; rounds: number }> {
  const start = (who: Starter) => (): Promise<number> =>
    Promise.resolve(startProcess(subject, who, environment))
  const [ours, rival] = [await start('ours')(), await start('rival')()]
  const rounds = Math.min(subject.rounds, Math.floor(CASE_BUDGET_MS / (2 * (ours + rival))))
  if (rounds === 0) return { ours, rival, rounds: 1 }
  const [ourMedian, rivalMedian] = await interleave(rounds, start('ours'), start('rival'))
  return { ours: ourMedian, rival: rivalMedian, rounds }
}

/**
 * From files on disk to the first token: at a first visit, when every shader is still to be compiled, and beside it at a
 * later one.
 */
export async function coldStartCase(subject: BenchSubject, opponent: Opponent): Promise<BenchRow> {
  const { rival } = opponent
  if (!rival) return subject.row('cold-start', { unit: 'ms', rivalName: opponent.name, note: opponent.note })
  const first = await startInTurn(subject, WITHOUT_SHADER_CACHE)
  const later = await startInTurn(subject, {})
  return subject.row('cold-start', {
    ...first,
    unit: 'ms',
    rivalName: rival.name,
    oursWithShaderCache: later.ours,
    rivalWithShaderCache: later.rival,
  })
}
