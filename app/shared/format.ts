import { locale } from '../words/catalogue.ts'
import { sharedText } from '../words/shared.ts'

/** "41 of 94 MB": how much of how much, both in the unit of the larger. */
export function bytesOf(done: number, total: number): string {
  const { name, size, digits } = unitOf(total)
  return sharedText('quantityOf', {
    done: decimal(done / size, digits),
    total: decimal(total / size, digits),
    unit: name,
  })
}

/** "94 MB". */
export function bytes(total: number): string {
  const { name, size, digits } = unitOf(total)
  return sharedText('quantity', { amount: decimal(total / size, digits), unit: name })
}

function unitOf(total: number): { readonly name: string; readonly size: number; readonly digits: number } {
  if (total >= 1e9) return { name: 'GB', size: 1e9, digits: 1 }
  if (total >= 1e7) return { name: 'MB', size: 1e6, digits: 0 }
  if (total >= 1e6) return { name: 'MB', size: 1e6, digits: 1 }
  return { name: 'kB', size: 1e3, digits: 0 }
}

/** "12 s left", "2 min left". */
export function timeLeft(seconds: number): string {
  return seconds < 90
    ? sharedText('secondsLeft', { seconds: Math.max(1, Math.ceil(seconds)) })
    : sharedText('minutesLeft', { minutes: Math.ceil(seconds / 60) })
}

/** "310 ms", "2.3 s", "40 s", "12 min", "3 hours", "2 days". */
export function duration(seconds: number): string {
  if (seconds < 1) return sharedText('milliseconds', { milliseconds: Math.round(seconds * 1000) })
  if (seconds < 90) return sharedText('seconds', { seconds: decimal(seconds, seconds < 10 ? 1 : 0) })
  if (seconds < 5400) return sharedText('minutes', { minutes: Math.ceil(seconds / 60) })
  const hours = Math.round(seconds / 3600)
  return hours < 48 ? sharedText('hours', { hours }) : sharedText('days', { days: Math.round(hours / 24) })
}

/** "1,024". */
export function count(value: number): string {
  return decimal(value, 0)
}

/** "2.30": with so many digits after the point. */
export function decimal(value: number, digits: number): string {
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** "today", "yesterday", "4 March", "4 March 2025". */
export function day(at: number, now = Date.now()): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  if (at >= midnight - 86_400_000) {
    const days = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })
    return days.format(at >= midnight ? 0 : -1, 'day')
  }
  const then = new Date(at)
  const isThisYear = then.getFullYear() === new Date(now).getFullYear()
  return then.toLocaleDateString(locale(), {
    day: 'numeric',
    month: 'long',
    ...(!isThisYear && { year: 'numeric' }),
  })
}

/** "4 March 2025 at 14:05". */
export function moment(at: number): string {
  return new Date(at).toLocaleString(locale(), { dateStyle: 'long', timeStyle: 'short' })
}

/** "Alice, Bob, Captain Brine". */
export function list(words: readonly string[]): string {
  return new Intl.ListFormat(locale(), { style: 'narrow' }).format(words)
}
