import type { CastMember } from '../../src/cast/member.ts'

/** A tag as cards have it, in whatever case they write it. */
export interface CastTag {
  /** In small letters. */
  readonly key: string
  /** As the first card writes it. */
  readonly name: string
  readonly count: number
}

function tagsOf({ card }: CastMember): readonly string[] {
  return (card?.tags ?? []).map((tag) => tag.trim()).filter((tag) => tag !== '')
}

/** Whether somebody has all of some tags, by their keys. */
export function hasTags(member: CastMember, wanted: readonly string[]): boolean {
  const keys = tagsOf(member).map((tag) => tag.toLowerCase())
  return wanted.every((key) => keys.includes(key))
}

/**
 * The tags by which some of the cast can be told from the others, the commonest first: those of at least two, but not of all,
 * and those that are chosen.
 */
export function tagsAmong(members: readonly CastMember[], chosen: readonly string[]): readonly CastTag[] {
  const tags = new Map<string, CastTag>()
  for (const member of members) {
    for (const [key, name] of new Map(tagsOf(member).map((tag) => [tag.toLowerCase(), tag]))) {
      const before = tags.get(key)
      tags.set(key, { key, name: before?.name ?? name, count: (before?.count ?? 0) + 1 })
    }
  }
  return [...tags.values()]
    .filter(({ key, count }) => chosen.includes(key) || (count > 1 && count < members.length))
    .toSorted((a, b) => b.count - a.count || a.name.localeCompare(b.name))
}
