/** Seconds of silence before somebody speaks, where several go on by themselves: the usual, and the bounds of what is chosen. */
export const PAUSE = { usual: 5, least: 1, most: 600 } as const

/** Whether a value is a number of seconds that several may be silent. */
export function isPause(value: unknown): value is number {
  return typeof value === 'number' && value >= PAUSE.least && value <= PAUSE.most
}
