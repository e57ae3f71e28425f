import { countsAsReply } from '../../core/dialogue.ts'
import type { SplitDialogue } from '../../core/dialogue.ts'
import { Random } from '../../core/random.ts'
import type { DatasetDialogue } from '../../formats/dataset/reading.ts'

/** The share of a role's dialogues that is held out. */
const HELD_OUT = 1 / 5
/** Roles with fewer dialogues are trained on all of them. */
const LEAST_DIALOGUES = 3

/** A text for comparison: letters and digits alone, in one case. */
function normalise(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/** What makes two dialogues the same: all that the visitor says, or all that the character is to learn. */
function keysOf({ turns }: DatasetDialogue): string[] {
  return (['user', 'role'] as const).flatMap((side) => {
    const said = turns.filter((turn) => (side === 'user' ? turn.speaker === 'user' : countsAsReply(turn)))
    const key = normalise(said.map(({ text }) => text).join('\n'))
    return key === '' ? [] : [`${side} ${key}`]
  })
}

/** The indices of dialogues that belong together, since each shares a key with another; in order of first appearance. */
function groupDuplicates(dialogues: readonly DatasetDialogue[]): number[][] {
  const parent = dialogues.map((_, index) => index)
  const rootOf = (start: number): number => {
    let index = start
    for (;;) {
      const above = parent[index] ?? index
      if (above === index) return index
      parent[index] = parent[above] ?? above
      index = above
    }
  }
  const holders = new Map<string, number>()
  dialogues.forEach((dialogue, index) => {
    for (const key of keysOf(dialogue)) {
      const holder = holders.get(key)
      if (holder === undefined) holders.set(key, index)
      else parent[Math.max(rootOf(holder), rootOf(index))] = Math.min(rootOf(holder), rootOf(index))
    }
  })
  const groups = new Map<number, number[]>()
  dialogues.forEach((_, index) => {
    const root = rootOf(index)
    const group = groups.get(root)
    if (group) group.push(index)
    else groups.set(root, [index])
  })
  return [...groups.values()]
}

function countByRole(dialogues: readonly DatasetDialogue[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { role } of dialogues) counts.set(role, (counts.get(role) ?? 0) + 1)
  return counts
}

/**
 * Holds out a fifth of every role's dialogues. Rows that carry a split keep it; of the others, all that share the
 * visitor's side or the character's side with one another, cases and punctuation aside, stand on the same side, so that
 * nothing held out has been seen in training; the held-out wordings of a question that is drawn go with it. An opening that several roles answer is held out for all or none.
 *
 * @param seed decides with the dialogues alone.
 * @returns the dialogues in their order.
 */
export function splitDialogues(
  dialogues: readonly DatasetDialogue[],
  seed: number,
): (DatasetDialogue & SplitDialogue)[] {
  const random = new Random(seed, 1)
  const room = new Map(
    [...countByRole(dialogues)].map(([role, count]) => {
      return [role, count < LEAST_DIALOGUES ? 0 : Math.max(1, Math.round(count * HELD_OUT))] as const
    }),
  )
  const take = (role: string, count: number): void => void room.set(role, (room.get(role) ?? 0) - count)
  for (const { role, split } of dialogues) if (split === 'test') take(role, 1)

  const heldOut = new Set<number>()
  const groups = groupDuplicates(dialogues).map((group) => ({ group, order: random.nextU32() }))
  for (const { group } of groups.toSorted((a, b) => a.order - b.order)) {
    const members = group.flatMap((index) => dialogues[index] ?? [])
    const open = group.filter((index) => dialogues[index]?.split === undefined)
    const counts = countByRole(open.flatMap((index) => dialogues[index] ?? []))
    const isTest = members.some(({ split }) => split === 'test')
    const isTrain = members.some(({ split }) => split === 'train')
    const fits = [...counts].every(([role, count]) => count <= (room.get(role) ?? 0))
    // A copy of a row that was marked follows it.
    if (open.length > 0 && (isTest || (!isTrain && fits))) {
      for (const index of group)
        if (dialogues[index]?.split === undefined || dialogues[index].split === 'wording') heldOut.add(index)
      for (const [role, count] of counts) take(role, count)
    }
  }
  return dialogues.map((dialogue, index) => ({
    ...dialogue,
    split: heldOut.has(index) ? 'test' : (dialogue.split ?? 'train'),
  }))
}
