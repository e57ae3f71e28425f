// Files that the system opens with this page, where it is installed. No state.
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

/** Takes files that are opened with this page, now and while it stands. */
export function watchLaunches(): void {
  window.launchQueue?.setConsumer(({ files = [] }) => void receiveHandles(files))
}

async function receiveHandles(handles: readonly FileSystemFileHandle[]): Promise<void> {
  const files = await Promise.all(handles.map((handle) => handle.getFile()))
  await receiveFiles(files.map((file) => ({ path: file.name, file })))
}
