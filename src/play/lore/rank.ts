import type { Lorebook, LoreSet } from '../../formats/lore/lorebook.ts'
import type { Called } from './callable.ts'

/** Entries that are called, told apart by what their book asks of the set that they belong to. */
export interface ToldApart {
  readonly clear: readonly Called[]
  /** Called by little, by itself or beside what is called by most. */
  readonly faint: readonly Called[]
  /** More than are sent of one set: those that are called by least. */
  readonly surplus: readonly Called[]
}

const ANYTHING: LoreSet = { leastShare: 0, leastWeight: 0, most: Infinity, heed: 0 }

/** Of books that ask for it, what is called by little or is one too many; what needs no key stays. */
export function tellApart(called: readonly Called[]): ToldApart {
  const needy = called.filter((one) => rankOf(one) === 0)
  const [faint, surplus] = [new Set<Called>(), new Set<Called>()]
  for (const { of, members } of bySet(needy)) {
    const ranked = members.toSorted((one, other) => other.weight - one.weight)
    const least = Math.max(of.leastWeight, of.leastShare * (ranked[0]?.weight ?? 0))
    const loud = ranked.filter(({ weight }) => weight >= least)
    for (const one of ranked.slice(loud.length)) faint.add(one)
    for (const one of loud.slice(of.most)) surplus.add(one)
  }
  const clear = called.filter((one) => !faint.has(one) && !surplus.has(one))
  return { clear, faint: [...faint], surplus: [...surplus] }
}

interface Members {
  readonly of: LoreSet
  readonly members: Called[]
}

/** What is called, by book and set. */
function bySet(called: readonly Called[]): readonly Members[] {
  const books = new Map<Lorebook, Map<string, Members>>()
  for (const one of called) {
    const { book, entry } = one.candidate
    const sets = books.get(book) ?? new Map<string, Members>()
    books.set(book, sets)
    const known = sets.get(entry.set)
    if (known) known.members.push(one)
    else sets.set(entry.set, { of: book.sets.get(entry.set) ?? ANYTHING, members: [one] })
  }
  return [...books.values()].flatMap((sets) => [...sets.values()])
}

/** What stays and what is always there first, then the highest priority, or order where none is given, then by what was found. */
export function byImportance(one: Called, other: Called): number {
  return rankOf(other) - rankOf(one) || priorityOf(other) - priorityOf(one) || other.weight - one.weight
}

function rankOf({ isSticky, candidate: { entry } }: Called): number {
  return Number(isSticky) * 2 + Number(entry.isForced || entry.isConstant)
}

function priorityOf({ candidate: { entry } }: Called): number {
  return entry.priority ?? entry.order
}
