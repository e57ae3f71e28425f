// Files that the system opens or shares with this page, where it is installed. No state.
import { laterPart } from '../page/laterPart.ts'
import { routeHash } from '../page/route.ts'
import { SHARED_HASH } from '../page/sharedNames.ts'
import { receiveFiles } from './arrivals.ts'

/** What the browser hands over, which TypeScript's library does not know yet. */
interface LaunchQueue {
  setConsumer(consume: (launch: { readonly files?: readonly FileSystemFileHandle[] }) => void): void
}

declare global {
  interface Window {
    readonly launchQueue?: LaunchQueue
  }
}

/** Takes files that are opened with this page or shared with it, now and while it stands. */
export function watchLaunches(): void {
  if (location.hash === SHARED_HASH) void receiveShared()
  window.launchQueue?.setConsumer(({ files = [] }) => void receiveHandles(files))
}

async function receiveShared(): Promise<void> {
  // Taken once: a reload finds nothing there.
  history.replaceState(null, '', routeHash({ screen: 'cast' }))
  const { takeShared } = await laterPart(() => import('./sharedFiles.ts'))
  await takeShared()
}

async function receiveHandles(handles: readonly FileSystemFileHandle[]): Promise<void> {
  const files = await Promise.all(handles.map((handle) => handle.getFile()))
  await receiveFiles(files.map((file) => ({ path: file.name, file })))
}
