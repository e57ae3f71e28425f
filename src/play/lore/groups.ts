import type { Random } from '../../core/random.ts'
import type { LoreEntry } from '../../formats/lore/lorebook.ts'
import type { Called } from './callable.ts'

/**
 * Of entries of one group one is left: what stays, else of those with the most keys found where that is asked for, the one
 * of the highest order where any goes first, or one drawn by weight. An entry of several groups must be left in all of them.
 *
 * @param taken groups of which one is there already.
 * @param draw chance for a group, by its name.
 */
export function chooseOfGroups(
  called: readonly Called[],
  taken: ReadonlySet<string>,
  draw: (group: string) => Random,
): { readonly chosen: readonly Called[]; readonly others: readonly Called[] } {
  const lost = new Set<Called>()
  const groups = new Set(called.flatMap(({ candidate }) => candidate.entry.groups))
  for (const group of groups) {
    const members = called.filter((one) => entryOf(one).groups.includes(group) && !lost.has(one))
    const winner = taken.has(group) ? undefined : winnerOf(members, draw(group))
    for (const member of members) if (member !== winner) lost.add(member)
  }
  return { chosen: called.filter((one) => !lost.has(one)), others: [...lost] }
}

function entryOf({ candidate }: Called): LoreEntry {
  return candidate.entry
}

function winnerOf(members: readonly Called[], random: Random): Called | undefined {
  const sticky = members.find(({ isSticky }) => isSticky)
  if (sticky || members.length < 2) return sticky ?? members[0]
  const best = Math.max(...members.map(({ score }) => score))
  const left = members.filter((one) => !entryOf(one).scoresGroup || one.score === best)
  const [first] = left
    .filter((one) => entryOf(one).isGroupFirst)
    .toSorted((one, other) => entryOf(other).order - entryOf(one).order)
  return first ?? drawn(left, random)
}

/** One by weight; where none weighs anything, the first. */
function drawn(members: readonly Called[], random: Random): Called | undefined {
  const total = members.reduce((sum, one) => sum + entryOf(one).groupWeight, 0)
  let rest = random.nextUniform() * total
  return members.find((one) => (rest -= entryOf(one).groupWeight) < 0) ?? members[0]
}
