import type { Turn } from '../../core/dialogue.ts'
import { remark } from '../../core/remarks.ts'
import { fillMacros } from '../../core/macros.ts'
import type { MacroValues } from '../../core/macros.ts'
import type { Script } from '../../core/script.ts'
import type { LoreEntry, Lorebook } from '../../formats/lore/lorebook.ts'
import { wordsByStem } from '../../formats/lore/stems.ts'
import type { Called, Callable } from './callable.ts'
import type { KeySearch } from './keys.ts'

/** Messages in which keys are looked for where nobody says how many. */
const USUAL_SCAN_DEPTH = 2
/** Characters of the chat in which they are looked for at most. */
const MOST_SCANNED = 2 ** 16

/** What keys are looked for in: the chat as it stood, what other entries say, and the texts of the card. */
export class Recall {
  /** What entries say that were called, by who says it. */
  private readonly said: { readonly title: string; readonly text: string }[] = []
  private readonly script: Script
  private readonly turns: readonly Turn[]
  private readonly search: KeySearch
  /** The stems of what was looked through, with their words. */
  private readonly stemsSaid = new Map<string, ReadonlyMap<string, string>>()
  /** How many entries of a book have a key. */
  private readonly spreads = new Map<Lorebook, ReadonlyMap<string, number>>()

  constructor(script: Script, turns: readonly Turn[], search: KeySearch) {
    this.script = script
    this.turns = turns
    this.search = search
  }

  /** Lets what an entry says call others. */
  hear(title: string, text: string): void {
    this.said.push({ title, text })
  }

  /** Whether the keys of an entry are found, by its own rules; null where they are not. */
  calls({ entry, book }: Callable, isRecursion: boolean): Pick<Called, 'why' | 'score' | 'weight'> | null {
    const heard = isRecursion && book.isRecursive && !entry.isUnreachable ? this.said : []
    // The chat alone was looked through in the first round.
    if (isRecursion && heard.length === 0 && entry.recursionLevel === 0) return null
    if (entry.stems.size > 0) return this.callsByStems(entry, book)
    const text = this.textFor(entry, book)
    const whole = [text, ...heard.map((one) => one.text)].join('\n')
    const values = this.values()
    const has = (key: string, within = whole): boolean =>
      this.search.has(within, fillMacros(key, values), entry)
    const found = entry.keys.filter((key) => has(key))
    const [first] = found
    if (first === undefined) return null
    const second = entry.secondaryKeys.filter((key) => has(key))
    if (!holds(entry, second.length)) return null
    if (entry.additionalKeys.some((keys) => !keys.some((key) => has(key)))) return null
    if (entry.excludedKeys.some((key) => has(key))) return null
    const teller = has(first, text) ? undefined : heard.find((one) => has(first, one.text))
    const counts = entry.logic === 'any' || entry.logic === 'all' ? second.length : 0
    return {
      why: teller
        ? remark('fired.told', { key: first, teller: teller.title })
        : remark('fired.said', { key: first }),
      score: found.length + counts,
      weight: found.reduce((sum, key) => sum + (entry.keyWeights.get(key) ?? this.weightOf(key, book)), 0),
    }
  }

  /**
   * Whether words of what is said call an entry that says what each weighs: Σ weights · share^heed, where `share` is how much
   * of the rarities of all that is said its words have.
   */
  private callsByStems(entry: LoreEntry, book: Lorebook): Pick<Called, 'why' | 'score' | 'weight'> | null {
    const text = this.wordsFor(entry, book)
    let said = this.stemsSaid.get(text)
    if (!said) this.stemsSaid.set(text, (said = wordsByStem(text)))
    const rarity = rarityIn(book, entry.set)
    let [score, weight, heaviest, heard, whole] = [0, 0, 0, 0, 0]
    let first = ''
    for (const [stem, word] of said) {
      const own = entry.stems.get(stem) ?? 0
      whole += rarity(stem)
      if (own === 0) continue
      score++
      weight += own
      heard += rarity(stem)
      if (own > heaviest) [heaviest, first] = [own, word]
    }
    if (score === 0) return null
    const heed = book.sets.get(entry.set)?.heed ?? 0
    return { why: remark('fired.said', { key: first }), score, weight: weight * (heard / whole) ** heed }
  }

  /** ln(1 + N/n) of a key that n of a book's N entries have. */
  private weightOf(key: string, book: Lorebook): number {
    let spread = this.spreads.get(book)
    if (!spread) {
      const counts = new Map<string, number>()
      for (const { keys } of book.entries) {
        for (const one of new Set(keys)) counts.set(one, (counts.get(one) ?? 0) + 1)
      }
      this.spreads.set(book, (spread = counts))
    }
    return Math.log(1 + book.entries.length / (spread.get(key) ?? 1))
  }

  /** What of the chat and the card an entry is looked for in. */
  private textFor(entry: LoreEntry, book: Lorebook): string {
    const { names } = this.script
    // A mark before each name, by which patterns tell who speaks.
    const chat = this.recentFor(entry, book).map(
      ({ speaker, text }) => `\u0001${speaker === 'user' ? names.user : names.character}: ${text}`,
    )
    return this.withSources(entry, chat)
  }

  /** The same without who speaks: a name is no word of what is said. */
  private wordsFor(entry: LoreEntry, book: Lorebook): string {
    return this.withSources(
      entry,
      this.recentFor(entry, book).map(({ text }) => text),
    )
  }

  private recentFor(entry: LoreEntry, book: Lorebook): readonly Turn[] {
    const depth = entry.scanDepth ?? book.scanDepth ?? USUAL_SCAN_DEPTH
    return depth === 0 ? [] : this.turns.slice(-depth)
  }

  private withSources(entry: LoreEntry, chat: readonly string[]): string {
    const { texts, notes, creatorNotes } = this.script
    const depthPrompt = notes.find(({ kind }) => kind === 'depthPrompt')?.text ?? ''
    const others = entry.sources.map((source) => {
      if (source === 'depthPrompt') return depthPrompt
      return source === 'creatorNotes' ? creatorNotes : (texts[source] ?? '')
    })
    return [chat.join('\n').slice(-MOST_SCANNED), ...others.map((text) => text.slice(0, MOST_SCANNED))].join(
      '\n',
    )
  }

  private values(): MacroValues {
    const { names, seed } = this.script
    return { ...names, seed }
  }
}

/** How rare stems are among the entries of a set, by book and set; asked of every entry at every message. */
const rarities = new WeakMap<Lorebook, Map<string, (stem: string) => number>>()

/** ln(1 + N/n) of a stem that n of the N entries of a set have; of one that none has, as if one had. */
function rarityIn(book: Lorebook, set: string): (stem: string) => number {
  const known = rarities.get(book) ?? new Map<string, (stem: string) => number>()
  rarities.set(book, known)
  const present = known.get(set)
  if (present) return present
  const members = book.entries.filter((entry) => entry.set === set)
  const counts = new Map<string, number>()
  for (const { stems } of members) {
    for (const stem of stems.keys()) counts.set(stem, (counts.get(stem) ?? 0) + 1)
  }
  const rarity = (stem: string): number => Math.log(1 + members.length / (counts.get(stem) ?? 1))
  known.set(set, rarity)
  return rarity
}

/** Whether the secondary keys let an entry be called; where there are none, they do. */
function holds({ logic, secondaryKeys }: LoreEntry, found: number): boolean {
  if (secondaryKeys.length === 0) return true
  switch (logic) {
    case 'any':
      return found > 0
    case 'all':
      return found === secondaryKeys.length
    case 'notAny':
      return found === 0
    case 'notAll':
      return found < secondaryKeys.length
  }
}
