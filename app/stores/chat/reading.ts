// Scope: live. Which message is being read aloud; the voice itself comes when it is first asked for.
import { create } from 'zustand'

import { laterPart } from '../page/laterPart.ts'

interface ReadingState {
  /** The message's id; null while nothing is read. */
  readonly message: string | null
}

export const useReading = create<ReadingState>()(() => ({ message: null }))

/** Reads a message aloud, or stops reading it. */
export async function toggleReading(message: string): Promise<void> {
  const { readAloud, stopReading } = await laterPart(() => import('./readAloud.ts'))
  if (useReading.getState().message === message) stopReading()
  else await readAloud(message)
}
