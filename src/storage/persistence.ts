let asked: Promise<boolean> | undefined

/** Asks the browser, once a visit, not to clear this page's data when space runs short; true when it agreed. */
export function keepStorage(): Promise<boolean> {
  asked ??= navigator.storage?.persist?.() ?? Promise.resolve(false)
  return asked
}

/** What this page occupies and may occupy, in bytes, as far as the browser tells. */
export async function storageUse(): Promise<{
  readonly usedBytes: number
  readonly quotaBytes: number
  readonly kept: boolean
}> {
  const estimate = await navigator.storage?.estimate?.()
  const kept = (await navigator.storage?.persisted?.()) ?? false
  return { usedBytes: estimate?.usage ?? 0, quotaBytes: estimate?.quota ?? 0, kept }
}
