import type { RemarkCode } from './remarkTexts.ts'

/**
 * Something that is told, as data: whoever shows it says it in their language. `remarkTexts.ts` has the English, which what
 * computes does without.
 */
export interface Remark {
  readonly code: RemarkCode
  /** What stands in it, by name. */
  readonly values: Readonly<Record<string, string | number>>
}

/** Something that is told. */
export function remark(code: RemarkCode, values: Remark['values'] = {}): Remark {
  return { code, values }
}

/** What differs, each once. */
export function distinct(remarks: Iterable<Remark>): readonly Remark[] {
  return [...new Map([...remarks].map((one) => [JSON.stringify(one), one])).values()]
}
