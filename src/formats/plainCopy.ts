import { isJsonRecord } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'

/** How deep a card may nest: written again, deeper ones could end the stack. */
export const MAX_DEPTH = 64

/**
 * A copy of parsed JSON without any key `__proto__`, so that no later copy of it can reach a prototype.
 *
 * @param takes says of each value by its depth whether it is kept, or stands as null; it may throw.
 */
export function plainCopy(record: JsonRecord, takes: (depth: number) => boolean): JsonRecord {
  const copy = (value: unknown, depth: number): unknown => {
    if (!takes(depth)) return null
    if (Array.isArray(value)) return value.map((entry) => copy(entry, depth + 1))
    return isJsonRecord(value) ? copyOf(value, depth) : value
  }
  // `fromEntries` defines the keys, so none of them can reach a prototype itself.
  const copyOf = (value: JsonRecord, depth: number): JsonRecord => {
    const entries = Object.entries(value).filter(([key]) => key !== '__proto__')
    return Object.fromEntries(entries.map(([key, entry]) => [key, copy(entry, depth + 1)]))
  }
  return copyOf(record, 0)
}
