import { useSyncExternalStore } from 'react'

/** Where the drawer covers the screen; the same width as in App.module.css. */
const query = '(width < 860px)'

/** Whether the window is too narrow for the drawer to stand beside the screen. */
export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches)
}

function subscribe(onChange: () => void): () => void {
  const media = matchMedia(query)
  media.addEventListener('change', onChange)
  return () => media.removeEventListener('change', onChange)
}
