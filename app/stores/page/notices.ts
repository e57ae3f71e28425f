// Scope: live. The one line at the foot of the page that says what was done, and offers to take it back.
import { create } from 'zustand'

export interface Notice {
  readonly id: number
  readonly text: string
  /** What takes it back. */
  readonly undo: (() => Promise<void>) | null
}

interface NoticesState {
  readonly notice: Notice | null
}

export const useNotices = create<NoticesState>()(() => ({ notice: null }))

let nextId = 1

/** Says what was done; the newest takes the place of the one before. */
export function notify(text: string, undo: Notice['undo'] = null): void {
  useNotices.setState({ notice: { id: nextId++, text, undo } })
}

/** Takes a notice away, if it is still the one shown. */
export function dismissNotice(id: number): void {
  if (useNotices.getState().notice?.id === id) useNotices.setState({ notice: null })
}
