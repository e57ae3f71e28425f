// Scope: live. Whether the browser offers to install this page.
import { create } from 'zustand'

import { notify } from './notices.ts'
import { storeText } from '../../words/store.ts'

/** The browser's offer, which TypeScript's library does not know. */
export interface InstallOffer extends Event {
  prompt(): Promise<unknown>
}

interface InstallState {
  /** Null where it is installed, or the browser offers nothing. */
  readonly offer: InstallOffer | null
}

export const useInstall = create<InstallState>()(() => ({ offer: null }))

/** Keeps the browser's offer until the visitor asks for it: nothing is asked of them by itself. */
export function watchInstall(): void {
  window.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault()
    if (isOffer(event)) useInstall.setState({ offer: event })
  })
  window.addEventListener('appinstalled', () => {
    useInstall.setState({ offer: null })
    notify(storeText('installed'))
  })
}

function isOffer(event: Event): event is InstallOffer {
  return 'prompt' in event && typeof event.prompt === 'function'
}

/** Has the browser ask whether to install the page; an offer can be taken up once. */
export async function install(): Promise<void> {
  const { offer } = useInstall.getState()
  useInstall.setState({ offer: null })
  await offer?.prompt()
}
