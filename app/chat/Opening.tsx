import type { Chat } from '../../src/storage/chat.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import styles from './Opening.module.css'
import { chatText } from '../words/chat.ts'

interface OpeningProps {
  readonly chat: Chat
  readonly member: CastMember | undefined
}

/** The character comes on stage: shown until the visitor has said something. Several come one by one, as they greet. */
export function Opening({ chat, member }: OpeningProps) {
  if (chat.group) return null
  if (!member) {
    return (
      <div className={styles.opening}>
        <p className={styles.line}>{chatText('bare')}</p>
      </div>
    )
  }
  return (
    <div className={styles.opening} {...accentProps(member.accent)}>
      <div className={styles.portrait}>
        <Portrait member={member} size="large" />
      </div>
    </div>
  )
}
