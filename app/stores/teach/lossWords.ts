// What the loss of a run says, in words. No state.
import type { RunHistory } from '../../../src/storage/runs.ts'
import { locale } from '../../words/catalogue.ts'
import { runText } from '../../words/run.ts'
import { bestHeldOut, lastStep, lossesOf } from './progress.ts'

/** "2.30". */
function twoDigits(value: number): string {
  return value.toLocaleString(locale(), { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

/** The loss chart in words. */
export function describeLoss(history: RunHistory): string {
  const losses = lossesOf(history.points)
  if (!losses) return runText('noStep')
  const total = history.plan?.totalSteps
  const step = lastStep(history)
  const change = losses.last - losses.first
  const [first, last] = [twoDigits(losses.first), twoDigits(losses.last)]
  const sentences = [
    total ? runText('loss.stepOf', { step, total }) : runText('loss.step', { step }),
    Math.abs(change) <= 0.005
      ? runText('loss.stayed', { last })
      : runText(change < 0 ? 'loss.fell' : 'loss.rose', { first, last }),
  ]
  return [...sentences, ...heldOutWords(history)].join(' ')
}

/** How it stands on the lines held out; nothing where none are. */
function heldOutWords(history: RunHistory): readonly string[] {
  const [lowest, newest] = [bestHeldOut(history), history.heldOut.at(-1)]
  if (!lowest || !newest) return []
  const [best, now] = [twoDigits(lowest.loss), twoDigits(newest.loss)]
  if (lowest.step === newest.step) return [runText('loss.lowest', { now })]
  return lowest.step === 0
    ? [runText('loss.lowestStart', { now, best })]
    : [runText('loss.lowestAt', { now, best, step: lowest.step })]
}

/** Evaluations in a row without a new lowest, and how much above it, that mean the lines are being learnt by heart. */
const PATIENCE = 3
const RISE = 1.02

/** A word of advice where the held-out loss has been rising; null otherwise. */
export function overlearning(history: RunHistory): string | null {
  const best = bestHeldOut(history)
  const now = history.heldOut.at(-1)
  if (!best || !now || now.loss < best.loss * RISE) return null
  const since = history.heldOut.filter(({ step }) => step > best.step).length
  if (since < PATIENCE) return null
  return best.step === 0 ? runText('overlearning.start') : runText('overlearning.since', { step: best.step })
}
