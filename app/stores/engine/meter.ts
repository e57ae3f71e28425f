// How fast a download comes. No state of the page.
/** Below this, a speed would be a guess. */
const LEAST_MS = 500

/**
 * Measures a speed over the last seconds, so that it follows the connection and neither jumps nor remembers a pause
 * for long.
 *
 * @returns a function that takes the bytes so far and the time, and gives bytes per second; 0 while it cannot tell.
 */
export function createMeter(windowMs = 5000): (bytes: number, atMs: number) => number {
  let marks: readonly { readonly bytes: number; readonly atMs: number }[] = []
  return (bytes, atMs) => {
    const recent = marks.filter((mark) => atMs - mark.atMs <= windowMs)
    // Bytes that were given up are not a speed below nothing: the measure begins anew.
    const isBack = recent.some((mark) => mark.bytes > bytes)
    marks = [...(isBack ? [] : recent), { bytes, atMs }]
    const first = marks[0]
    if (!first || atMs - first.atMs < LEAST_MS) return 0
    return ((bytes - first.bytes) * 1000) / (atMs - first.atMs)
  }
}
