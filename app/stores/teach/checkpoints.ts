// The checkpoints of the run under way: on the disk, or in memory while they are not there. No state of the page.
import { asHycoraError } from '../../../src/core/errors.ts'
import { storageUse } from '../../../src/storage/persistence.ts'
import type { RunProgress } from '../../../src/storage/runs.ts'
import { neededKeeping, keeping } from '../company/keeping.ts'
import { tellTrainingTabs } from './tabs.ts'

export interface CheckpointFile {
  readonly step: number
  readonly file: Blob
}

/** A checkpoint that found no room. */
export interface NoRoom {
  readonly step: number
  readonly neededBytes: number
  readonly freeBytes: number
}

interface Watcher {
  /** What is kept beside a checkpoint: how far the run is. */
  readonly progress: () => RunProgress
  readonly onKept: (step: number) => void
  /** The browser keeps nothing. */
  readonly onUnkept: () => void
  readonly onNoRoom: (room: NoRoom) => void
}

/** The newest checkpoint, while it is not on the disk. */
let unsaved: (CheckpointFile & { readonly run: string }) | null = null

/** Saves a run's checkpoints one after the other; where they come faster than the disk takes them, only the newest waits. */
export function saveCheckpoints(
  run: string,
  watcher: Watcher,
): {
  readonly push: (checkpoint: CheckpointFile) => void
  readonly settled: () => Promise<void>
} {
  let next: CheckpointFile | null = null
  let working: Promise<void> | null = null
  const work = async (): Promise<void> => {
    for (let checkpoint = next; checkpoint; checkpoint = next) {
      next = null
      await saveCheckpoint(run, checkpoint, watcher)
    }
    working = null
  }
  return {
    push({ step, file }) {
      unsaved = { run, step, file }
      next = { step, file }
      working ??= work()
    },
    async settled() {
      await working
    },
  }
}

async function saveCheckpoint(run: string, { step, file }: CheckpointFile, watcher: Watcher): Promise<void> {
  try {
    const storage = await neededKeeping()
    await storage.checkpoints.save(run, step, file)
    watcher.onKept(step)
    if (unsaved?.step === step) unsaved = null
    await storage.runs.keep(watcher.progress())
    tellTrainingTabs('kept')
  } catch (thrown) {
    if (asHycoraError(thrown, 'storage-corrupt').code !== 'storage-full') {
      watcher.onUnkept()
      return
    }
    const { quotaBytes, usedBytes } = await storageUse()
    const freeBytes = Math.max(0, quotaBytes - usedBytes)
    watcher.onNoRoom({ step, neededBytes: file.size, freeBytes })
  }
}

/** The newest checkpoint of a run, from the page's memory where the disk had no room for it. */
export async function newestCheckpoint(run: string): Promise<CheckpointFile | null> {
  const storage = await keeping()
  const held = unsaved?.run === run ? unsaved : null
  const keptStep = await storage?.checkpoints.stepOf(run)
  if (held && held.step >= (keptStep ?? 0)) return held
  return (await storage?.checkpoints.read(run)) ?? null
}

/** Lets go of what the page's memory holds. */
export function forgetUnsaved(): void {
  unsaved = null
}
