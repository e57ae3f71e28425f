import type { Turn } from '../../core/dialogue.ts'
import { remark } from '../../core/remarks.ts'
import type { Remark } from '../../core/remarks.ts'
import { fillMacros } from '../../core/macros.ts'
import { lettersOf } from '../../core/names.ts'
import { Random, seedOf } from '../../core/random.ts'
import type { PassedEntry, Script } from '../../core/script.ts'
import type { LoreEntry, Lorebook } from '../../formats/lore/lorebook.ts'
import type { Called, Callable } from './callable.ts'
import { chooseOfGroups } from './groups.ts'
import type { KeySearch } from './keys.ts'
import { byImportance, tellApart } from './rank.ts'
import { Recall } from './recall.ts'
import { noTimes, phaseOf } from './times.ts'
import type { Times } from './times.ts'

/** What entries are called by. */
export interface LoreScene {
  readonly script: Script
  readonly books: readonly Lorebook[]
  /** The chat, as it is sent. */
  readonly turns: readonly Turn[]
  /** Tokens for all of them. */
  readonly budget: number
  /** Whether the chat has outgrown the context. */
  readonly isFull: () => boolean
  readonly tokensOf: (text: string) => number
}

/** An entry that is to be sent. */
export interface Activated {
  readonly candidate: Callable
  /** Macros filled. */
  readonly text: string
  readonly tokens: number
  readonly why: Remark
  readonly weight: number
}

/** Which entries are sent, those further down last, and which were called and are not. */
export interface ActivatedLore {
  readonly activated: readonly Activated[]
  readonly passed: readonly PassedEntry[]
}

/** Rounds of entries calling entries; each but the last adds one, so that more would need a chain as long. */
const MOST_ROUNDS = 32

/** All entries that may be called at all, those of the highest order first. */
export function candidatesOf(books: readonly Lorebook[]): readonly Callable[] {
  return books
    .flatMap((book, at) => book.entries.map((entry, index) => ({ id: `${at}:${index}`, entry, book })))
    .map((candidate, index): Callable => ({ ...candidate, index }))
    .filter(({ entry }) => entry.isEnabled)
    .toSorted((one, other) => other.entry.order - one.entry.order)
}

/**
 * Which entries are called by a chat as it stands: by their keys, by what others say, round by round, or always; then, the
 * most important first, as many as find room.
 *
 * @param times when entries were called before.
 */
export function activate(
  scene: LoreScene,
  candidates: readonly Callable[],
  search: KeySearch,
  times: Times = noTimes,
): ActivatedLore {
  return new Rounds(scene, candidates, search, times).run()
}

class Rounds {
  private readonly activated: Activated[] = []
  private readonly passed = new Map<string, PassedEntry>()
  private readonly decided = new Set<string>()
  private readonly spent = new Map<Lorebook | null, number>()
  private readonly recall: Recall
  private readonly scene: LoreScene
  private readonly candidates: readonly Callable[]
  private readonly times: Times

  constructor(scene: LoreScene, candidates: readonly Callable[], search: KeySearch, times: Times) {
    this.scene = scene
    this.candidates = candidates.filter((candidate) => isFor(candidate.entry, scene))
    this.times = times
    this.recall = new Recall(scene.script, scene.turns, search)
  }

  run(): ActivatedLore {
    let level = 0
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const called = this.candidates.flatMap((candidate) => this.call(candidate, round > 0, level) ?? [])
      const isHeard = this.take(this.choose(called))
      if (isHeard && level === 0) level = 1
      else if (!isHeard) {
        const next = this.nextLevel(level)
        if (next === null) break
        level = next
      }
    }
    const activated = this.activated.toSorted(byOrder)
    return { activated, passed: [...this.passed.values()] }
  }

  /** The next level of those that wait for what others say; null where there is none. */
  private nextLevel(level: number): number | null {
    const levels = this.candidates
      .filter(({ id }) => !this.decided.has(id))
      .map(({ entry }) => entry.recursionLevel)
      .filter((one) => one > level)
    return this.activated.length === 0 || levels.length === 0 ? null : Math.min(...levels)
  }

  private call(candidate: Callable, isRecursion: boolean, level: number): Called | null {
    const { id, entry } = candidate
    if (this.decided.has(id)) return null
    const time = phaseOf(candidate, this.times, this.scene.turns.length)
    if (time === 'rests') return null
    const isSticky = time === 'stays'
    if (!isSticky && entry.recursionLevel > 0 && !(isRecursion && entry.recursionLevel <= level)) return null
    const always = entry.isForced || entry.isConstant
    if (isSticky) return { candidate, why: remark('fired.stays'), score: 0, weight: 0, isSticky }
    if (entry.isForbidden) return null
    if (always) return { candidate, why: remark('fired.always'), score: 0, weight: 0, isSticky }
    const found = this.recall.calls(candidate, isRecursion)
    return found && { candidate, ...found, isSticky }
  }

  /** Of each group one, and of what hangs on chance as much as comes up. */
  private choose(called: readonly Called[]): readonly Called[] {
    const { script, turns } = this.scene
    const taken = new Set(this.activated.flatMap(({ candidate }) => candidate.entry.groups))
    const draw = (name: string): Random => new Random(script.seed ^ seedOf(name), turns.length)
    const { clear, faint, surplus } = tellApart(called)
    for (const { candidate } of faint) this.pass(candidate, remark('passed.faint'))
    for (const { candidate } of surplus) this.pass(candidate, remark('passed.surplus'))
    const { chosen, others } = chooseOfGroups(clear, taken, draw)
    for (const { candidate } of others) this.pass(candidate, remark('passed.group'))
    return chosen.filter(({ candidate, isSticky }) => {
      const { probability } = candidate.entry
      const isDrawn = isSticky || draw(candidate.id).nextUniform() * 100 < probability
      if (!isDrawn) this.pass(candidate, remark('passed.chance', { probability }))
      return isDrawn
    })
  }

  /** Takes as many as find room; whether any of them may call others. */
  private take(chosen: readonly Called[]): boolean {
    let isHeard = false
    for (const { candidate, why, weight } of chosen.toSorted(byImportance)) {
      const { entry, book } = candidate
      const text = this.textOf(entry.content)
      this.decided.add(candidate.id)
      if (text === '') continue
      const tokens = this.scene.tokensOf(text)
      const reason = this.reasonAgainst(candidate, tokens)
      if (reason !== null) {
        this.pass(candidate, reason)
        continue
      }
      for (const purse of [book, null]) this.spent.set(purse, (this.spent.get(purse) ?? 0) + tokens)
      this.activated.push({ candidate, text, tokens, why, weight })
      if (entry.isSilent) continue
      this.recall.hear(entry.title, this.textOf(withHiddenKeys(entry.content)))
      isHeard = true
    }
    return isHeard
  }

  private reasonAgainst({ entry, book }: Callable, tokens: number): Remark | null {
    const { budget, isFull } = this.scene
    if (entry.yields && isFull()) return remark('passed.yields')
    const isOver = (purse: Lorebook | null, most: number): boolean =>
      (this.spent.get(purse) ?? 0) + tokens > most
    if (entry.ignoresBudget) return null
    if (book.tokenBudget !== null && isOver(book, book.tokenBudget)) {
      return remark('passed.book', { tokens, most: book.tokenBudget })
    }
    return isOver(null, budget) ? remark('passed.budget', { tokens }) : null
  }

  private pass({ id, entry, book }: Callable, why: Remark): void {
    this.decided.add(id)
    this.passed.set(id, { book: book.name, title: entry.title, why })
  }

  private textOf(content: string): string {
    const { names, seed } = this.scene.script
    return fillMacros(content, { ...names, seed }).trim()
  }
}

/** In their order; of a set that its book names, what is called by most stands nearest to what called it. */
function byOrder(first: Activated, second: Activated): number {
  const [one, other] = [first.candidate, second.candidate]
  const [set, otherSet] = [one.entry.set, other.entry.set]
  const bySet = one.book === other.book ? Number(set > otherSet) - Number(set < otherSet) : 0
  const byWeight = one.book === other.book && set !== '' ? first.weight - second.weight : 0
  return one.entry.order - other.entry.order || bySet || byWeight || one.index - other.index
}

/** Whether an entry may be called in such a scene, whatever its keys. */
function isFor(entry: LoreEntry, { script, turns }: LoreScene): boolean {
  const answers = turns.filter(({ speaker }) => speaker === 'role').length
  return (
    entry.occasions.includes(script.occasion) &&
    (entry.greeting === null || script.greeting === null || entry.greeting === script.greeting) &&
    turns.length >= entry.delay &&
    answers >= entry.onlyAfter &&
    answers % entry.onlyEvery === 0 &&
    isForCharacter(entry, script)
  )
}

function isForCharacter({ characters }: LoreEntry, { names, tags }: Script): boolean {
  if (characters === null) return true
  const isNamed = characters.names.some((name) => lettersOf(name) === lettersOf(names.character))
  const isTagged = characters.tags.some((tag) => tags.some((one) => lettersOf(one) === lettersOf(tag)))
  return (isNamed || isTagged) !== characters.isExcluding
}

/** What other entries are called by and nobody reads. */
function withHiddenKeys(content: string): string {
  return content.replaceAll(/\{\{\s*hidden_key\s*:+([^{}]*)\}\}/gi, '$1')
}
