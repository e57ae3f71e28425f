import type { CastMember } from '../../src/cast/member.ts'
import type { ChatSummary, Settings } from '../../src/storage/records.ts'

/** The cast in the order that the visitor has chosen, favourites first. */
export function orderCast(
  members: readonly CastMember[],
  { favourites, castOrder }: Pick<Settings, 'favourites' | 'castOrder'>,
  summaries: readonly ChatSummary[],
): readonly CastMember[] {
  const lastTalk = (key: string): number =>
    summaries.reduce(
      (last, chat) =>
        isIn(chat, key) && chat.started && !chat.deleted ? Math.max(last, chat.updatedAt) : last,
      0,
    )
  const isFavourite = ({ key }: CastMember): number => Number(favourites.includes(key))
  const inOrder = {
    cast: () => 0,
    name: (a: CastMember, b: CastMember) => a.displayName.localeCompare(b.displayName),
    recent: (a: CastMember, b: CastMember) => lastTalk(b.key) - lastTalk(a.key),
  }[castOrder]
  return members.toSorted((a, b) => isFavourite(b) - isFavourite(a) || inOrder(a, b))
}

function isIn({ key: own, company }: ChatSummary, key: string): boolean {
  return own === key || (company ?? []).some((member) => member.key === key)
}
