// Scope: session. What the rehearsal as planned would take on this machine, and the zip for another.
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import type { TrainEstimate } from '../../../src/engine/protocol.ts'
import type { KitSource } from '../../../src/exchange/trainingKit.ts'
import { HUB_URL } from '../../../src/hub/repository.ts'
import type { ServedBackbone } from '../../../src/storage/manifest.ts'
import { isOwn } from '../../../src/storage/ownModels.ts'
import { askFileWorker } from '../../../src/engine/fileClient.ts'
import { saveFile } from '../page/saveFile.ts'
import { openFileWorker } from '../engine/workers.ts'
import { connectedEngine, useEngine } from '../engine/engine.ts'
import { useLines } from './lines.ts'
import { measureBehindLine, plannedRun, useRehearsalPlan } from './rehearsalPlan.ts'
import { useTraining } from './training.ts'

interface EstimateState {
  /** null until a step was tried, and where none can be. */
  readonly estimate: TrainEstimate | null
  readonly isTrying: boolean
  readonly failure: Failure | null
}

const initial: EstimateState = { estimate: null, isTrying: false, failure: null }

export const useEstimate = create<EstimateState>()(() => initial)

/** How long the plan must rest before a step of it is tried. */
const SETTLE_MS = 600
/** The trial under way; one that is overtaken by a later one is given up. */
let trial = new AbortController()

/** Tries a step of the plan each time that it rests after a change; returns how to stop. */
export function followPlan(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let seen: readonly unknown[] = []
  const look = (): void => {
    measureBehindLine()
    const { way, role, joins, overrides } = useRehearsalPlan.getState()
    const { info } = useEngine.getState()
    const { report } = useLines.getState()
    const { isElsewhere } = useTraining.getState()
    const now = [info, report, isElsewhere, way, role, joins, overrides]
    if (now.every((value, index) => value === seen[index])) return
    // Another model takes its own time.
    if (info !== seen[0]) forget()
    seen = now
    clearTimeout(timer)
    timer = setTimeout(() => void estimate(), SETTLE_MS)
  }
  const stops = [useRehearsalPlan, useEngine, useLines, useTraining].map((store) => store.subscribe(look))
  look()
  return () => {
    clearTimeout(timer)
    for (const stop of stops) stop()
    forget()
  }
}

function forget(): void {
  trial.abort()
  useEstimate.setState(initial)
}

async function estimate(): Promise<void> {
  trial.abort()
  trial = new AbortController()
  const { signal } = trial
  const engine = connectedEngine()
  const { info } = useEngine.getState()
  if (!engine || info?.computing.path !== 'webgpu' || useTraining.getState().isElsewhere) {
    useEstimate.setState(initial)
    return
  }
  useEstimate.setState({ ...initial, isTrying: true })
  try {
    const run = await plannedRun()
    const { dialogues = [], config, start = null } = run ?? {}
    const params = { backbone: info.name, dialogues, config, start }
    const tried = run && !signal.aborted ? await engine.request('estimate', params, { signal }) : null
    if (!signal.aborted) useEstimate.setState({ ...initial, estimate: tried })
  } catch (thrown) {
    if (!signal.aborted) useEstimate.setState({ ...initial, failure: failureOf(thrown, 'device-lost') })
  }
}

/** Hands the visitor the rehearsal as planned, to be held on another machine. */
export async function saveKit(): Promise<void> {
  const run = await plannedRun()
  const { backbone } = useEngine.getState()
  if (!run || !backbone) return
  const name = fileStem(run.trial.role)
  const kit = await askFileWorker(openFileWorker, 'kit', { ...run, name, source: kitSource(backbone) })
  saveFile(`${name}-rehearsal.zip`, kit)
}

/** Where another machine finds the model that is loaded. */
function kitSource(backbone: ServedBackbone): KitSource {
  if (!isOwn(backbone)) return { kind: 'shipped', folder: `public/${backbone.folder}` }
  const { place, filesUrl, model } = backbone.own
  if (place.kind !== 'hub') return { kind: 'folder' }
  const { repository, revision } = place
  const hubUrl = new URL(filesUrl).origin
  const root = filesUrl.split(`/resolve/${revision}/`).at(-1) ?? ''
  const endpoint = hubUrl === HUB_URL ? null : hubUrl
  return { kind: 'hub', endpoint, repository, revision, file: root + model }
}

/** "Captain Brine" as "captain-brine". */
function fileStem(name: string): string {
  const words = name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['newcomer']
  return words.join('-')
}
