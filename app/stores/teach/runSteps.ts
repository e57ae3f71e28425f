// Scope: document. The steps of the run at which its character is kept, to be asked as it was then.
import { create } from 'zustand'

import { storageUse } from '../../../src/storage/persistence.ts'
import { keeping } from '../company/keeping.ts'

interface RunStepsState {
  readonly steps: readonly number[]
}

export const useRunSteps = create<RunStepsState>()(() => ({ steps: [] }))

/** Room for so many more packs has to be there: checkpoints come first. */
const SPARE_PACKS = 8

/** Reads which steps of a run are kept. */
export async function listRunSteps(run: string): Promise<void> {
  const storage = await keeping()
  useRunSteps.setState({ steps: (await storage?.steps.list(run)) ?? [] })
}

/** Forgets the kept steps of a run behind one, or all of them. */
export async function dropRunSteps(run: string, behind = -1): Promise<void> {
  const storage = await keeping()
  await storage?.steps.cut(run, behind)
  await listRunSteps(run)
}

/** Keeps what a run comes to, one step after the other; without a place or room for it a step is left out. */
export function runStepSaver(run: string): {
  readonly push: (step: { readonly step: number; readonly pack: Blob }) => void
  readonly settled: () => Promise<void>
} {
  let working: Promise<void> = Promise.resolve()
  return {
    push({ step, pack }) {
      working = working.then(() => keepStep(run, step, pack)).catch(() => undefined)
    },
    settled: () => working,
  }
}

async function keepStep(run: string, step: number, pack: Blob): Promise<void> {
  const storage = await keeping()
  const { quotaBytes, usedBytes } = await storageUse()
  if (!storage || quotaBytes - usedBytes < SPARE_PACKS * pack.size) return
  await storage.steps.keep(run, step, pack)
  await listRunSteps(run)
}
