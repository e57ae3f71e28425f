import type { Message } from '../../src/storage/chat.ts'
import type { CastMember } from '../../src/cast/member.ts'

/** What a message is shown with. */
export interface MessageProps {
  readonly message: Message
  readonly member: CastMember | undefined
  /** The shown words, macros filled. */
  readonly text: string
  /** Whether another speaker spoke before. */
  readonly startsRun: boolean
  readonly isLast: boolean
  /** Whether the visitor has said anything. */
  readonly isAsked: boolean
  /** Whether there is a question that it answers, so that it can be answered again. */
  readonly canRepeat: boolean
  readonly isEditing: boolean
  /** `waiting`: no word yet; `speaking`: text is coming. */
  readonly live: 'no' | 'loading' | 'waiting' | 'speaking'
  /** Whether an answer is on its way anywhere, so that nothing may be changed. */
  readonly isBusy: boolean
  /** Whether the address asks for it. */
  readonly isFound: boolean
}
