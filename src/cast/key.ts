const GUEST_KEY = /^[0-9a-f]{24}\/(.+)$/s

/**
 * What identifies a guest of the cast on this device: the kept pack or card, and the name in it. The name alone would be
 * that of somebody else in another pack. Whoever came with the model has the plain name as key.
 */
export function guestKey(id: string, role: string): string {
  return `${id}/${role}`
}

/** Whether a key is that of a guest. */
export function isGuestKey(key: string | null): boolean {
  return key !== null && GUEST_KEY.test(key)
}

/** The name in a key. */
export function nameInKey(key: string): string {
  return GUEST_KEY.exec(key)?.[1] ?? key
}
