/** Whether the device says that it has no network; one that does not say has one. */
export function isOffline(): boolean {
  return typeof navigator === 'object' && 'onLine' in navigator && !navigator.onLine
}
