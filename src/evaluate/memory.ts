import type { Casting } from '../model/decoder/backbone.ts'

/** All that a result depends on, beside the backbone and, where somebody plays, the pack. */
export interface MemoryKey {
  readonly kind: 'answer' | 'scores'
  readonly casting: Casting | null
  readonly asked: unknown
}

/** Results of earlier runs, so that one that was broken off goes on where it was. */
export interface Memory {
  recall(key: MemoryKey): unknown
  keep(key: MemoryKey, value: string | readonly number[]): void
}

/** A text that was said before, or is said now. */
export async function rememberText(
  memory: Memory | undefined,
  key: MemoryKey,
  compute: () => Promise<string>,
): Promise<string> {
  const known = memory?.recall(key)
  if (typeof known === 'string') return known
  const text = await compute()
  memory?.keep(key, text)
  return text
}

/** Numbers that were measured before, or are measured now. */
export async function rememberNumbers(
  memory: Memory | undefined,
  key: MemoryKey,
  compute: () => Promise<readonly number[]>,
): Promise<readonly number[]> {
  const known = memory?.recall(key)
  if (Array.isArray(known) && known.every((value) => typeof value === 'number')) return known
  const values = await compute()
  memory?.keep(key, values)
  return values
}
