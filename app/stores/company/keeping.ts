// Where runs, checkpoints, packs and cards are kept; opened once, by whoever needs it first. No state of the page.
import { HycoraError } from '../../../src/core/errors.ts'
import { openCardLibrary } from '../../../src/storage/cardLibrary.ts'
import type { CardLibrary } from '../../../src/storage/cardLibrary.ts'
import { openCheckpoints } from '../../../src/storage/checkpoints.ts'
import type { CheckpointStore } from '../../../src/storage/checkpoints.ts'
import { openPackLibrary } from '../../../src/storage/packLibrary.ts'
import type { PackLibrary } from '../../../src/storage/packLibrary.ts'
import { openRunSteps } from '../../../src/storage/runSteps.ts'
import type { RunSteps } from '../../../src/storage/runSteps.ts'
import { openRuns } from '../../../src/storage/runs.ts'
import type { RunStore } from '../../../src/storage/runs.ts'
import { KEPT_DATABASE, openKeptDatabase } from '../../../src/storage/keptDatabase.ts'
import { storeText } from '../../words/store.ts'

export interface Keeping {
  readonly runs: RunStore
  readonly checkpoints: CheckpointStore
  readonly steps: RunSteps
  readonly library: PackLibrary
  readonly cards: CardLibrary
}

let opened: Promise<Keeping | null> | undefined

/** What lies on this device of them all; null where the browser refuses storage. */
export function keeping(): Promise<Keeping | null> {
  opened ??= open(KEPT_DATABASE, 'checkpoints').catch(() => null)
  return opened
}

/** As above, where nothing can be done without it. @throws HycoraError `storage-corrupt` where the browser refuses storage. */
export async function neededKeeping(): Promise<Keeping> {
  const storage = await keeping()
  if (!storage) throw new HycoraError('storage-corrupt', storeText('keeping.nothing'))
  return storage
}

/** Uses a database and a folder of these names from now on. */
export function chooseKeeping(database: string, folder: string): void {
  opened = open(database, folder)
}

async function open(name: string, folder: string): Promise<Keeping> {
  const database = await openKeptDatabase(name)
  return {
    runs: openRuns(database),
    checkpoints: openCheckpoints(database, folder),
    steps: openRunSteps(folder),
    library: openPackLibrary(database),
    cards: openCardLibrary(database),
  }
}
