// Where runs, checkpoints, packs and cards are kept; opened once, by whoever needs it first. No state of the page.
import { HycoraError } from '../../../src/core/errors.ts'
import { openCardLibrary } from '../../../src/storage/cardLibrary.ts'
import type { CardLibrary } from '../../../src/storage/cardLibrary.ts'
import { openCheckpoints } from '../../../src/storage/checkpoints.ts'
import type { CheckpointStore } from '../../../src/storage/checkpoints.ts'
import { openPackLibrary } from '../../../src/storage/packLibrary.ts'
import type { PackLibrary } from '../../../src/storage/packLibrary.ts'
import { openRuns } from '../../../src/storage/runs.ts'
import type { RunStore } from '../../../src/storage/runs.ts'
import { openTrainingDatabase } from '../../../src/storage/trainingDatabase.ts'

export interface TrainingStorage {
  readonly runs: RunStore
  readonly checkpoints: CheckpointStore
  readonly library: PackLibrary
  readonly cards: CardLibrary
}

let opened: Promise<TrainingStorage | null> | undefined

/** What training keeps; null where the browser refuses storage. */
export function trainingStorage(): Promise<TrainingStorage | null> {
  opened ??= open('hycora-training', 'checkpoints').catch(() => null)
  return opened
}

/** As above, where nothing can be done without it. @throws HycoraError `storage-corrupt` where the browser refuses storage. */
export async function neededTrainingStorage(): Promise<TrainingStorage> {
  const storage = await trainingStorage()
  if (!storage) throw new HycoraError('storage-corrupt', 'the browser lets this page keep nothing')
  return storage
}

/** Uses a database and a folder of these names from now on. */
export function chooseTrainingStorage(database: string, folder: string): void {
  opened = open(database, folder)
}

async function open(name: string, folder: string): Promise<TrainingStorage> {
  const database = await openTrainingDatabase(name)
  return {
    runs: openRuns(database),
    checkpoints: openCheckpoints(database, folder),
    library: openPackLibrary(database),
    cards: openCardLibrary(database),
  }
}
