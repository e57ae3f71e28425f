import type { Chat } from '../../src/storage/chat.ts'
import { canJoin, join } from '../stores/chat/group.ts'
import { useCast } from '../stores/company/cast.ts'
import { backstageText } from '../words/backstage.ts'

interface JoiningProps {
  readonly chat: Chat
  readonly isDisabled: boolean
}

/** Has somebody more of the cast join a chat. */
export function Joining({ chat, isDisabled }: JoiningProps) {
  const members = useCast((state) => state.members)
  const present = chat.group ? chat.group.members.map(({ key }) => key) : [chat.key]
  const others = members.filter(({ key }) => !present.includes(key))
  if (!canJoin(chat) || others.length === 0) return null
  return (
    <select
      aria-label={backstageText('join')}
      value=""
      disabled={isDisabled}
      onChange={({ target }) => void join(chat, target.value)}
    >
      <option value="" disabled>
        {backstageText('join.choose')}
      </option>
      {others.map(({ key, displayName }) => (
        <option key={key} value={key}>
          {displayName}
        </option>
      ))}
    </select>
  )
}
