// Scope: document. The training run of this device: fed by the engine, kept at every checkpoint.
import { create } from 'zustand'

import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import type { TrainEvent, TrainParams, TrainResult } from '../../../src/engine/protocol.ts'
import { keepStorage } from '../../../src/storage/persistence.ts'
import type { RunHistory, RunProgress, RunRecord, KeptResult } from '../../../src/storage/runs.ts'
import { connectedEngine, useEngine, whenReady } from '../engine/engine.ts'
import { newId } from '../page/newId.ts'
import { changeSettings, useSettings } from '../page/settings.ts'
import { forgetUnsaved, newestCheckpoint, saveCheckpoints } from './checkpoints.ts'
import type { CheckpointFile, NoRoom } from './checkpoints.ts'
import { addEvents, cutHistory, emptyHistory, lastStep } from './progress.ts'
import { dropRunSteps, listRunSteps, runStepSaver } from './runSteps.ts'
import { holdTraining, watchTrainingTabs } from './tabs.ts'
import { neededKeeping, keeping } from '../company/keeping.ts'
import type { Keeping } from '../company/keeping.ts'
import { storeText } from '../../words/store.ts'

/** `waiting`: for the model or the first step; `pausing`: until the engine has stopped. */
export type RunPhase = 'none' | 'waiting' | 'running' | 'pausing' | 'paused' | 'finished'

interface TrainingState {
  readonly phase: RunPhase
  readonly run: RunRecord | null
  readonly history: RunHistory
  /** The step of the checkpoint that would survive the browser; null before the first. */
  readonly keptStep: number | null
  /** The pack as it was when the run last stopped. */
  readonly result: KeptResult | null
  /** The step at which the page was closed in the middle of the run. */
  readonly cutOffAt: number | null
  readonly failure: Failure | null
  readonly room: NoRoom | null
  /** Whether the browser keeps nothing, so that the run lasts as long as the page. */
  readonly isUnkept: boolean
  /** Whether another tab trains. */
  readonly isElsewhere: boolean
}

const initial: TrainingState = {
  phase: 'none',
  run: null,
  history: emptyHistory,
  keptStep: null,
  result: null,
  cutOffAt: null,
  failure: null,
  room: null,
  isUnkept: false,
  isElsewhere: false,
}

export const useTraining = create<TrainingState>()(() => initial)

let controller: AbortController | undefined
/** The run under way, until it has stopped and what it came to is kept. */
let underway: Promise<void> = Promise.resolve()
/** Whether the run that is being stopped is to end with what it has. */
let isEnding = false

/** Whether the graphics card belongs to a run now. */
export function isTraining({ phase }: Pick<TrainingState, 'phase'>): boolean {
  return phase === 'waiting' || phase === 'running' || phase === 'pausing'
}

/** Takes up the run that was left here, and keeps an eye on other tabs and on the page's closing. */
export async function openTraining(): Promise<void> {
  window.addEventListener('beforeunload', (event) => {
    if (isTraining(useTraining.getState())) event.preventDefault()
  })
  await restoreRun()
  await watchTrainingTabs({
    onChange(isElsewhere) {
      useTraining.setState({ isElsewhere })
      if (!isElsewhere) void restoreRun()
    },
    onKept: () => void restoreRun(),
  })
}

/** Puts the kept run on the page, as paused or finished; a run that began or went meanwhile is left as it is. */
export async function restoreRun(): Promise<void> {
  const { run: before, phase } = useTraining.getState()
  if (isTraining({ phase })) return
  const storage = await keeping()
  const kept = await storage?.runs.read()
  if (!storage || !kept) return
  const { run, progress } = kept
  const keptStep = (await storage.checkpoints.stepOf(run.id)) ?? null
  await listRunSteps(run.id)
  const now = useTraining.getState()
  if (isTraining(now) || now.run !== before) return
  const history = progress?.history ?? emptyHistory
  const isFinished = progress?.state === 'finished'
  useTraining.setState({
    ...initial,
    isElsewhere: useTraining.getState().isElsewhere,
    phase: isFinished ? 'finished' : 'paused',
    run,
    history,
    keptStep,
    result: progress?.result ?? null,
    cutOffAt: progress?.state === 'paused' || isFinished ? null : lastStep(history),
  })
}

/** Begins a run; the one before gives its place up. */
export async function startTraining(order: Omit<RunRecord, 'version' | 'id' | 'createdAt'>): Promise<void> {
  if (isTraining(useTraining.getState())) return
  await holdStage(async (signal) => {
    const before = useTraining.getState().run
    const run: RunRecord = { version: 1, id: newId(), createdAt: Date.now(), ...order }
    forgetUnsaved()
    useTraining.setState({ ...initial, phase: 'waiting', run })
    await keepQuietly(async (storage) => {
      if (before) await storage.checkpoints.remove(before.id)
      if (before) await dropRunSteps(before.id)
      await storage.runs.begin(run)
    })
    await rehearse(run, null, signal)
  })
}

/** Goes on from the newest checkpoint, which another tab may have made. */
export async function resumeTraining(): Promise<void> {
  if (isTraining(useTraining.getState())) return
  await holdStage(async (signal) => {
    await adoptForeignRun()
    const { run } = useTraining.getState()
    if (!run) return
    try {
      await rehearse(run, await newestCheckpoint(run.id), signal)
    } catch (thrown) {
      useTraining.setState({ phase: 'paused', failure: failureOf(thrown, 'storage-corrupt') })
    }
  })
}

/** Stops at the next step; the checkpoint is kept, and the run can go on. */
export function pauseTraining(): void {
  if (!isTraining(useTraining.getState())) return
  useTraining.setState({ phase: 'pausing' })
  controller?.abort()
}

/** Ends the run with the best that it has. */
export async function finishTraining(): Promise<void> {
  const { phase, run, result } = useTraining.getState()
  if (!run || phase === 'finished') return
  if (isTraining({ phase })) {
    isEnding = true
    pauseTraining()
    return
  }
  if (result) {
    useTraining.setState({ phase: 'finished' })
    await keepProgress(run, 'finished')
    return
  }
  // The page was closed before the run gave a pack: the engine makes one of the checkpoint.
  await holdStage(async (signal) => {
    isEnding = true
    await rehearse(run, await newestCheckpoint(run.id), signal, { stopsAtOnce: true })
  })
}

/** Puts the run away, with its checkpoints; one under way is stopped first. */
export async function discardTraining(): Promise<void> {
  pauseTraining()
  controller?.abort()
  // What a run keeps at its end would else come after it was put away.
  await underway.catch(() => undefined)
  const { run, isElsewhere } = useTraining.getState()
  if (!run || isElsewhere) return
  forgetUnsaved()
  useTraining.setState(initial)
  await keepQuietly(async (storage) => {
    await storage.runs.remove(run.id)
    await storage.checkpoints.remove(run.id)
    await dropRunSteps(run.id)
  })
}

/** Sets the share of time that the run may keep the graphics card busy, now and from now on. */
export function setDuty(duty: number): void {
  changeSettings({ duty })
  if (isTraining(useTraining.getState())) {
    // A run that has just ended has nothing to tune.
    connectedEngine()
      ?.request('tune', { duty })
      .catch(() => undefined)
  }
}

/** Puts away the message about what went wrong. */
export function dismissTrainingFailure(): void {
  useTraining.setState({ failure: null, room: null })
}

/** The pack that a run has come to: the best where that was not the last. */
export function chosenResult(result: KeptResult): Blob {
  return result.best ?? result.pack
}

/** Runs while no other tab trains; `underway` and the controller are its until it has stopped. */
function holdStage(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  return holdTraining(() => {
    controller = new AbortController()
    underway = work(controller.signal)
    return underway
  })
}

async function rehearse(
  run: RunRecord,
  checkpoint: CheckpointFile | null,
  signal: AbortSignal,
  { stopsAtOnce = false }: { readonly stopsAtOnce?: boolean } = {},
): Promise<void> {
  useTraining.setState(({ history }) => ({
    phase: 'waiting',
    history: cutHistory(history, checkpoint?.step ?? 0),
    failure: null,
    room: null,
    cutOffAt: null,
  }))
  const inbox = collectEvents()
  const saver = checkpointSaver(run)
  const past = runStepSaver(run.id)
  try {
    const engine = await whenReady(signal)
    checkBackbone(run)
    await keepQuietly(() => dropRunSteps(run.id, checkpoint?.step))
    // Its answer is shown Backstage; a refusal changes nothing here.
    keepStorage().catch(() => false)
    const done = engine.request('train', trainParams(run, checkpoint), {
      onYield: (event) => {
        if (event.kind === 'pack') past.push(event)
        else if (event.kind !== 'checkpoint') inbox.push(event)
        else {
          // What is kept with a checkpoint reaches at least as far as it.
          inbox.finish()
          saver.push(event)
        }
      },
      signal,
    })
    if (stopsAtOnce) controller?.abort()
    const result = await done
    inbox.finish()
    await Promise.all([saver.settled(), past.settled()])
    await settle(run, result)
  } catch (thrown) {
    inbox.finish()
    await Promise.all([saver.settled(), past.settled()])
    const failure = failureOf(thrown, 'device-lost')
    useTraining.setState({ phase: 'paused', failure: failure.code === 'cancelled' ? null : failure })
    await keepProgress(run, 'paused')
  } finally {
    isEnding = false
  }
}

/** Keeps the checkpoints of a run, and pauses it where there is no room for them. */
function checkpointSaver(run: RunRecord): ReturnType<typeof saveCheckpoints> {
  return saveCheckpoints(run.id, {
    progress: () => progressOf(run, 'going'),
    onKept: (step) => useTraining.setState({ keptStep: step, room: null }),
    onUnkept: () => useTraining.setState({ isUnkept: true }),
    onNoRoom(room) {
      useTraining.setState({ room })
      pauseTraining()
    },
  })
}

function trainParams(run: RunRecord, checkpoint: CheckpointFile | null): TrainParams {
  const { backbone, dialogues, config, start, trial } = run
  const { duty } = useSettings.getState()
  return {
    backbone: backbone.name,
    dialogues,
    config,
    start,
    checkpoint: checkpoint?.file ?? null,
    trial,
    duty,
  }
}

async function settle(run: RunRecord, { pack, best, step, isFinished }: TrainResult): Promise<void> {
  const state = isFinished || isEnding ? 'finished' : 'paused'
  useTraining.setState({ phase: state, result: { pack, best, step } })
  await keepProgress(run, state)
}

/** @throws HycoraError `model-incompatible` when another model is loaded than the run began with. */
function checkBackbone(run: RunRecord): void {
  const { backbone } = useEngine.getState()
  if (backbone && backbone.id !== run.backbone.id) {
    throw new HycoraError(
      'model-incompatible',
      storeText('run.otherModel', { begun: run.backbone.name, loaded: backbone.name }),
    )
  }
}

/** How often the charts move: drawing them must not take from the run. */
const SHOW_MS = 200

/** Collects what the run says and shows it a few times a second. */
function collectEvents(): { push: (event: TrainEvent) => void; finish: () => void } {
  let waiting: TrainEvent[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const show = (): void => {
    timer = undefined
    const events = waiting
    waiting = []
    useTraining.setState(({ history, phase }) => ({
      history: addEvents(history, events),
      phase: phase === 'waiting' ? 'running' : phase,
    }))
  }
  return {
    push(event) {
      waiting.push(event)
      timer ??= setTimeout(show, SHOW_MS)
    },
    finish() {
      clearTimeout(timer)
      if (waiting.length > 0) show()
    },
  }
}

function progressOf(run: RunRecord, state: RunProgress['state']): RunProgress {
  const { history, result } = useTraining.getState()
  return { version: 1, run: run.id, state, history, result }
}

async function keepProgress(run: RunRecord, state: RunProgress['state']): Promise<void> {
  await keepQuietly((storage) => storage.runs.keep(progressOf(run, state)))
}

/** Writes what may be lost without harm: what the page needs is in its memory, and the state says so. */
async function keepQuietly(write: (storage: Keeping) => Promise<void>): Promise<void> {
  try {
    await write(await neededKeeping())
  } catch {
    useTraining.setState({ isUnkept: true })
  }
}

/** Takes over what another tab has made of the run, or the run that it began. */
async function adoptForeignRun(): Promise<void> {
  const { run, history } = useTraining.getState()
  const storage = await keeping()
  const kept = await storage?.runs.read()
  if (!storage || !kept) return
  const isFurther = lastStep(kept.progress?.history ?? emptyHistory) > lastStep(history)
  if (kept.run.id !== run?.id || isFurther) await restoreRun()
}
