const PARTS = /\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|D|HH|H|hh|h|mm|m|ss|s|A|a/g

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

function named(at: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en', options).format(at)
}

/** A moment as "3 minutes past four" is written by people: "4:03 PM". */
export function clockOf(at: Date): string {
  return formatDate(at, 'h:mm A')
}

/** A day as people write it: "May 3, 2026". */
export function dayOf(at: Date): string {
  return formatDate(at, 'MMMM D, YYYY')
}

/** The same moment on the clock of a zone that many hours ahead of UTC. */
export function inZone(at: Date, hours: number): Date {
  return new Date(at.getTime() + (hours * 60 + at.getTimezoneOffset()) * 60_000)
}

/** A moment after a pattern such as `YYYY-MM-DD HH:mm`, in the tokens that Moment.js has; text in brackets stays. */
export function formatDate(at: Date, pattern: string): string {
  const [hour, minute, second] = [at.getHours(), at.getMinutes(), at.getSeconds()]
  const [year, month, day] = [at.getFullYear(), at.getMonth() + 1, at.getDate()]
  const half = hour < 12 ? 'am' : 'pm'
  const values: Readonly<Record<string, () => string>> = {
    YYYY: () => String(year),
    YY: () => pad(year % 100),
    MMMM: () => named(at, { month: 'long' }),
    MMM: () => named(at, { month: 'short' }),
    MM: () => pad(month),
    M: () => String(month),
    dddd: () => named(at, { weekday: 'long' }),
    ddd: () => named(at, { weekday: 'short' }),
    DD: () => pad(day),
    D: () => String(day),
    HH: () => pad(hour),
    H: () => String(hour),
    hh: () => pad(hour % 12 || 12),
    h: () => String(hour % 12 || 12),
    mm: () => pad(minute),
    m: () => String(minute),
    ss: () => pad(second),
    s: () => String(second),
    A: () => half.toUpperCase(),
    a: () => half,
  }
  return pattern.replaceAll(PARTS, (token: string, kept?: string) => kept ?? values[token]?.() ?? token)
}
