// What of a text is for the ear. Pure functions, no state.
import { firstSentence } from '../../../src/cast/sentences.ts'

/**
 * Where the sentences end that begin at or after `from`; lines end them too. The last one is whole only when something
 * follows it, or when nothing more is to come.
 */
export function sentenceEnds(text: string, from: number, { isWhole = false } = {}): readonly number[] {
  const ends: number[] = []
  for (let at = from; at < text.length;) {
    const begin = at + text.slice(at).search(/\S/)
    if (begin < at) break
    const [line = ''] = text.slice(begin).split('\n', 1)
    const end = begin + firstSentence(line).length
    if (!isWhole && end >= text.trimEnd().length && !text.slice(end).includes('\n')) break
    ends.push(end)
    at = end
  }
  return ends
}

/** Text without the marks. */
export function plainSpeech(text: string): string {
  return text.replaceAll('*', '').trim()
}
