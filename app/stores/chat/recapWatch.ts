// Scope: live. The summary that is being written, and what sees to it that it goes on with the chat.
import { create } from 'zustand'

import type { Failure } from '../../../src/core/errors.ts'
import { laterPart } from '../page/laterPart.ts'
import { useChats } from './chats.ts'
import { useGeneration } from './generation.ts'

interface RecapState {
  /** The chat that is being summed up; null for none. */
  readonly chat: string | null
  /** What is written of it so far. */
  readonly text: string
  readonly failure: (Failure & { readonly chat: string }) | null
}

export const useRecap = create<RecapState>()(() => ({ chat: null, text: '', failure: null }))

/** Where a chat has a summary, sums up what an answer could no longer read, once it is given. */
export function watchRecap(): void {
  useGeneration.subscribe((state, before) => {
    const chat = useChats.getState().open
    if (!before.live || state.live || !chat?.recap || state.cut?.chat !== chat.id) return
    const { message } = state.cut
    void laterPart(() => import('./recap.ts')).then(
      ({ goOnRecap }) => goOnRecap(message),
      // Without that part the summary stays as it is.
      () => undefined,
    )
  })
}
