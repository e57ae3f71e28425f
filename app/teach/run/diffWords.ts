/** A run of words that stayed, went or came. */
export interface DiffPart {
  readonly kind: 'same' | 'gone' | 'new'
  readonly text: string
}

/** Longer texts are not compared word by word: the table of the comparison would grow with their product. */
const MOST_WORDS = 600

/**
 * What changed between two answers, word by word: a longest common subsequence, words with the space behind them.
 * What went stands before what came in its place.
 */
export function diffWords(before: string, after: string): readonly DiffPart[] {
  const [old, fresh] = [wordsOf(before), wordsOf(after)]
  if (old.length > MOST_WORDS || fresh.length > MOST_WORDS) {
    return [part('gone', before), part('new', after)].filter(({ text }) => text !== '')
  }
  const lengths = commonLengths(old, fresh)
  const parts: DiffPart[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < fresh.length) {
    const [left, right] = [old[i], fresh[j]]
    if (left !== undefined && right !== undefined && isSame(left, right)) {
      push(parts, 'same', right)
      i++
      j++
    } else if (left !== undefined && at(lengths, i + 1, j) >= at(lengths, i, j + 1)) {
      push(parts, 'gone', left)
      i++
    } else if (right !== undefined) {
      push(parts, 'new', right)
      j++
    } else break
  }
  return parts
}

function wordsOf(text: string): readonly string[] {
  return text.trim().match(/\S+\s*/g) ?? []
}

function isSame(one: string, other: string): boolean {
  return one.trimEnd() === other.trimEnd()
}

/** Entry [i][j]: how many words the rests from i and j have in common, in order. */
function commonLengths(old: readonly string[], fresh: readonly string[]): readonly Uint16Array[] {
  const rows = Array.from({ length: old.length + 1 }, () => new Uint16Array(fresh.length + 1))
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      const row = rows[i]
      if (!row) continue
      row[j] = isSame(old[i] ?? '', fresh[j] ?? '')
        ? at(rows, i + 1, j + 1) + 1
        : Math.max(at(rows, i + 1, j), at(rows, i, j + 1))
    }
  }
  return rows
}

function at(rows: readonly Uint16Array[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0
}

function part(kind: DiffPart['kind'], text: string): DiffPart {
  return { kind, text: text.trim() }
}

function push(parts: DiffPart[], kind: DiffPart['kind'], text: string): void {
  const last = parts.at(-1)
  if (last?.kind === kind) parts[parts.length - 1] = { kind, text: last.text + text }
  else parts.push({ kind, text })
}
