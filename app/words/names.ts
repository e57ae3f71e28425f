import { sharedText } from './shared.ts'

/** "Alice", "Alice and Bob", "Alice, Bob and 3 more"; nobody is `fallback`. */
export function listNames(names: readonly string[], fallback = sharedText('somebody')): string {
  const [one = fallback, two, ...others] = names
  if (two === undefined) return one
  return others.length === 0
    ? sharedText('names.two', { one, two })
    : sharedText('names.more', { one, two, more: others.length })
}
