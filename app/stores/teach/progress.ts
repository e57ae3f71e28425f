// What a training run has said, gathered for the charts. Pure functions, no state.
import type { RunPlan, StepPoint } from '../../../src/core/training.ts'
import type { TrainEvent } from '../../../src/engine/protocol.ts'
import type { RunHistory } from '../../../src/storage/runs.ts'

export const emptyHistory: RunHistory = {
  plan: null,
  points: [],
  heldOut: [],
  answers: [],
  map: null,
  notes: [],
  skipped: 0,
}

/** From twice this many points on, neighbours are joined: a chart has no room for more. */
const POINTS = 2000

/** The history after more events; what comes again, after a roll-back or on going on, takes the place of what was there. */
export function addEvents(history: RunHistory, events: readonly TrainEvent[]): RunHistory {
  const points = [...history.points]
  const heldOut = [...history.heldOut]
  const answers = [...history.answers]
  const notes = [...history.notes]
  let { plan, map, skipped } = history
  for (const event of events) {
    switch (event.kind) {
      case 'plan':
        plan = planOf(event)
        break
      case 'step':
        for (const list of [points, heldOut, answers]) dropFrom(list, event.step)
        if (map && map.step >= event.step) map = null
        // A step that was not applied has no loss to draw.
        if (event.isSkipped) skipped++
        else points.push(pointOf(event))
        break
      case 'held-out':
        dropFrom(heldOut, event.step)
        heldOut.push({ step: event.step, loss: event.loss, isBest: event.isBest })
        break
      case 'answers':
        dropFrom(answers, event.step)
        answers.push({ step: event.step, answers: event.answers })
        break
      case 'map':
        map = { step: event.step, ...event.map }
        break
      case 'note':
        // A run that goes on notes again what it could not read.
        if (!notes.includes(event.message)) notes.push(event.message)
        break
      case 'checkpoint':
      case 'pack':
        break
      default:
        event satisfies never
    }
  }
  return { plan, points: thin(points), heldOut, answers, map, notes, skipped }
}

/** Takes out what a list in the order of steps has from a step on. */
function dropFrom(list: { readonly step: number }[], step: number): void {
  while ((list.at(-1)?.step ?? -1) >= step) list.pop()
}

function planOf(event: TrainEvent & { kind: 'plan' }): RunPlan {
  const { totalSteps, rows, heldOutRows, tokensPerStep, gpuBytes, secondsPerStep } = event
  return { totalSteps, rows, heldOutRows, tokensPerStep, gpuBytes, secondsPerStep }
}

function pointOf(event: TrainEvent & { kind: 'step' }): StepPoint {
  const { step, loss, crossEntropy, contrast, lambda } = event
  const { learningRate, gradientNorm, tokensPerSecond, secondsPerStep } = event
  return {
    step,
    loss,
    crossEntropy,
    contrast,
    lambda,
    learningRate,
    gradientNorm,
    tokensPerSecond,
    secondsPerStep,
  }
}

/** Joins neighbours two by two once there are more points than a chart can show. */
export function thin(points: readonly StepPoint[], limit = POINTS): readonly StepPoint[] {
  if (points.length < 2 * limit) return points
  const joined: StepPoint[] = []
  for (let index = 0; index < points.length; index += 2) {
    const [one, other] = [points[index], points[index + 1]]
    if (one) joined.push(other ? meanOf(one, other) : one)
  }
  return joined
}

function meanOf(one: StepPoint, other: StepPoint): StepPoint {
  const mean = (read: (point: StepPoint) => number): number => (read(one) + read(other)) / 2
  return {
    step: other.step,
    loss: mean((point) => point.loss),
    crossEntropy: mean((point) => point.crossEntropy),
    contrast: mean((point) => point.contrast),
    lambda: mean((point) => point.lambda),
    learningRate: mean((point) => point.learningRate),
    gradientNorm: mean((point) => point.gradientNorm),
    tokensPerSecond: mean((point) => point.tokensPerSecond),
    secondsPerStep: mean((point) => point.secondsPerStep),
  }
}

/** What holds at a step: a run that goes on from its checkpoint does the steps behind it again. */
export function cutHistory(history: RunHistory, step: number): RunHistory {
  const isBefore = (point: { readonly step: number }): boolean => point.step <= step
  return {
    ...history,
    points: history.points.filter(isBefore),
    heldOut: history.heldOut.filter(isBefore),
    answers: history.answers.filter(isBefore),
    map: history.map && isBefore(history.map) ? history.map : null,
  }
}

/** The last step that the history knows of; 0 before the first. */
export function lastStep({ points, heldOut, answers }: RunHistory): number {
  return Math.max(0, ...[points.at(-1), heldOut.at(-1), answers.at(-1)].map((point) => point?.step ?? 0))
}

/** How many of the last steps a speed is taken over. */
const RECENT = 12

/** How fast it goes now; null before the first step. */
export function paceOf({ points }: RunHistory): {
  readonly tokensPerSecond: number
  /** Of work alone, without the time that is left to everything else. */
  readonly secondsPerStep: number
} | null {
  const recent = points.slice(-RECENT)
  if (recent.length === 0) return null
  const mean = (read: (point: StepPoint) => number): number =>
    recent.reduce((sum, point) => sum + read(point), 0) / recent.length
  return {
    tokensPerSecond: mean((point) => point.tokensPerSecond),
    secondsPerStep: mean((point) => point.secondsPerStep),
  }
}

/**
 * How long it will still take, steps left · seconds of work a step / duty; null before the plan. Until the first step is done,
 * the engine's own trial says how long one is.
 *
 * @param duty the share of time that the run works, (0, 1].
 */
export function secondsLeft(history: RunHistory, duty: number): number | null {
  const { plan } = history
  if (!plan) return null
  const { secondsPerStep } = paceOf(history) ?? plan
  return (Math.max(0, plan.totalSteps - lastStep(history)) * secondsPerStep) / duty
}

/** The loss at the beginning and now, each over a few steps; null before the first step. */
export function lossesOf(
  points: readonly StepPoint[],
): { readonly first: number; readonly last: number } | null {
  const window = Math.max(1, Math.min(5, Math.floor(points.length / 2)))
  if (points.length === 0) return null
  return { first: meanLoss(points.slice(0, window)), last: meanLoss(points.slice(-window)) }
}

function meanLoss(points: readonly StepPoint[]): number {
  return points.reduce((sum, point) => sum + point.crossEntropy, 0) / points.length
}

/** The held-out evaluation with the lowest loss. */
export function bestHeldOut({ heldOut }: RunHistory): RunHistory['heldOut'][number] | null {
  return heldOut.reduce<RunHistory['heldOut'][number] | null>(
    (best, point) => (best && best.loss <= point.loss ? best : point),
    null,
  )
}

/** Evenly spread entries of a long list, the first and the last among them, for a table. */
export function spread<T>(entries: readonly T[], limit: number): readonly T[] {
  if (entries.length <= limit) return entries
  const stride = (entries.length - 1) / (limit - 1)
  return Array.from({ length: limit }, (_, index) => entries[Math.round(index * stride)]).filter(
    (entry) => entry !== undefined,
  )
}
