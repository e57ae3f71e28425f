import type { Callable } from './callable.ts'

/** After how many messages an entry was last called anew, by id; none where it never was. */
export type Times = ReadonlyMap<string, number>

/** Before anything was said. */
export const noTimes: Times = new Map()

/** Whether an entry hangs on when it was called before. */
export function isTimed({ entry }: Callable): boolean {
  return entry.sticky > 0 || entry.cooldown > 0 || entry.staysOnce || entry.comesOnce
}

/** What earlier calls make of an entry after so many messages: it stays whatever is said, it rests, or neither. */
export function phaseOf({ id, entry }: Callable, times: Times, messages: number): 'stays' | 'rests' | 'free' {
  const called = times.get(id)
  if (called === undefined || messages <= called) return 'free'
  if (entry.comesOnce) return 'rests'
  if (entry.staysOnce || messages <= called + entry.sticky) return 'stays'
  return messages <= called + entry.sticky + entry.cooldown ? 'rests' : 'free'
}
