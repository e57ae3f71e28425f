// Scope: session. What is open on the page; forgotten with it.
import { create } from 'zustand'

interface SessionState {
  readonly isBackstageOpen: boolean
  readonly dialog: 'none' | 'keys' | 'sent' | 'together' | 'whose'
  /** The message being edited. */
  readonly editing: string | null
}

export const useSession = create<SessionState>()(() => ({
  isBackstageOpen: false,
  dialog: 'none',
  editing: null,
}))

/** Opens or closes the drawer. */
export function showBackstage(isBackstageOpen: boolean): void {
  useSession.setState({ isBackstageOpen })
}

/** Opens a window, or closes the one that is open. */
export function showDialog(dialog: SessionState['dialog']): void {
  useSession.setState({ dialog })
}

/** Begins to edit a message, or ends it. */
export function edit(message: string | null): void {
  useSession.setState({ editing: message })
}
