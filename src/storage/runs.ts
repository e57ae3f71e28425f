import type { SplitDialogue } from '../core/dialogue.ts'
import type {
  AnswersPoint,
  HeldOutPoint,
  RoleMap,
  RunPlan,
  StepPoint,
  TrialQuestions,
} from '../core/training.ts'
import type { PackFile } from '../formats/packFacts.ts'
import { committed, settled } from './database.ts'
import { KEPT_STORES } from './keptDatabase.ts'

/** What a training run is: everything that is needed to begin it again. Never changes. */
export interface RunRecord {
  readonly version: 1
  readonly id: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** The backbone's name, and its id in the served list. */
  readonly backbone: { readonly name: string; readonly id: string }
  /** Who is taught. */
  readonly roles: readonly string[]
  readonly dialogues: readonly SplitDialogue[]
  /** The training configuration as JSON. */
  readonly config: Readonly<Record<string, unknown>>
  /** The pack it goes on from; its bytes are kept with the run, which the library may lose. */
  readonly start: PackFile | null
  /** What the role in training is asked on the way. */
  readonly trial: TrialQuestions
}

/** A run as it lies in its store: what is asked is called the rehearsal there. */
type StoredRun = Omit<RunRecord, 'trial'> & { readonly rehearsal: TrialQuestions }

/** What a run has said so far. */
export interface RunHistory {
  readonly plan: RunPlan | null
  readonly points: readonly StepPoint[]
  readonly heldOut: readonly HeldOutPoint[]
  readonly answers: readonly AnswersPoint[]
  readonly map: ({ readonly step: number } & RoleMap) | null
  readonly notes: readonly string[]
  /** Steps that were not applied, their values not being finite. */
  readonly skipped: number
}

/** What a run has come to; replaced at each checkpoint. */
export interface RunProgress {
  readonly version: 1
  readonly run: string
  /** `going` is read by a later visit as: the page was closed in the middle. */
  readonly state: 'going' | 'paused' | 'finished'
  readonly history: RunHistory
  readonly result: KeptResult | null
}

/** Progress as it lies in its store: of a map the first builds knew neither who is alike nor what is shared. */
type StoredProgress = Omit<RunProgress, 'history'> & {
  readonly history: Omit<RunHistory, 'map'> & { readonly map: StoredMap | null }
}
type StoredMap = Omit<NonNullable<RunHistory['map']>, 'alike' | 'isShared'> &
  Partial<Pick<RoleMap, 'alike' | 'isShared'>>

export interface KeptResult {
  readonly pack: Blob
  readonly best: Blob | null
  readonly step: number
}

/** The one run of this device, and how far it has come. */
export interface RunStore {
  /** Takes the place of the run before it. @throws HycoraError `storage-full`, `storage-corrupt`. */
  begin(run: RunRecord): Promise<void>
  /** @throws HycoraError `storage-full`, `storage-corrupt`; what was kept before is still there. */
  keep(progress: RunProgress): Promise<void>
  /** The run as it was left; undefined where there is none. */
  read(): Promise<{ readonly run: RunRecord; readonly progress: RunProgress | null } | undefined>
  remove(run: string): Promise<void>
}

/** Opens the kept run. */
export function openRuns(database: IDBDatabase): RunStore {
  const stores = [KEPT_STORES.runs, KEPT_STORES.progress]
  const change = async (write: (runs: IDBObjectStore, progress: IDBObjectStore) => void): Promise<void> => {
    const transaction = database.transaction(stores, 'readwrite', { durability: 'strict' })
    write(transaction.objectStore(KEPT_STORES.runs), transaction.objectStore(KEPT_STORES.progress))
    await committed(transaction)
  }
  return {
    begin(run) {
      return change((runs, progress) => {
        runs.clear()
        progress.clear()
        runs.put(storeRun(run))
      })
    },
    keep(state) {
      return change((_, progress) => progress.put(state))
    },
    async read() {
      const transaction = database.transaction(stores)
      // What lies in these stores was written by `begin` and `keep`.
      const [run] = (await settled(transaction.objectStore(KEPT_STORES.runs).getAll())) as StoredRun[]
      // A newer build's run is left alone.
      if (run?.version !== 1) return undefined
      const progress = (await settled(
        database.transaction(stores).objectStore(KEPT_STORES.progress).get(run.id),
      )) as StoredProgress | undefined
      return { run: runFrom(run), progress: progress ? progressFrom(progress) : null }
    },
    remove(run) {
      return change((runs, progress) => {
        runs.delete(run)
        progress.delete(run)
      })
    },
  }
}

function storeRun({ trial, ...others }: RunRecord): StoredRun {
  return { ...others, rehearsal: trial }
}

function runFrom({ rehearsal, ...others }: StoredRun): RunRecord {
  return { ...others, trial: rehearsal }
}

function progressFrom(stored: StoredProgress): RunProgress {
  const { history } = stored
  const map = history.map && {
    ...history.map,
    alike: history.map.alike ?? null,
    isShared: history.map.isShared ?? false,
  }
  return { ...stored, history: { ...history, map } }
}
