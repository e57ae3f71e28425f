/** "41 of 94 MB": how much of how much, both in the unit of the larger. */
export function bytesOf(done: number, total: number): string {
  const unit = unitOf(total)
  return `${(done / unit.size).toFixed(unit.digits)} of ${(total / unit.size).toFixed(unit.digits)} ${unit.name}`
}

/** "94 MB". */
export function bytes(size: number): string {
  const unit = unitOf(size)
  return `${(size / unit.size).toFixed(unit.digits)} ${unit.name}`
}

function unitOf(total: number): { readonly name: string; readonly size: number; readonly digits: number } {
  if (total >= 1e9) return { name: 'GB', size: 1e9, digits: 1 }
  if (total >= 1e7) return { name: 'MB', size: 1e6, digits: 0 }
  if (total >= 1e6) return { name: 'MB', size: 1e6, digits: 1 }
  return { name: 'kB', size: 1e3, digits: 0 }
}

/** "12 s left", "2 min left". */
export function timeLeft(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.ceil(seconds))} s left` : `${Math.ceil(seconds / 60)} min left`
}

/** "310 ms", "2.3 s", "40 s", "12 min", "3 hours", "2 days". */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`
  const hours = Math.round(seconds / 3600)
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`
}

/** "1,024". */
export function count(value: number): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: 0 })
}

/** "today", "yesterday", "4 March", "4 March 2025". */
export function day(at: number, now = Date.now()): string {
  const then = new Date(at)
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  if (at >= midnight) return 'today'
  if (at >= midnight - 86_400_000) return 'yesterday'
  const isThisYear = then.getFullYear() === new Date(now).getFullYear()
  return then.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    ...(!isThisYear && { year: 'numeric' }),
  })
}
