import { Fragment, useEffect, useRef, useState } from 'react'

import type { Chat, Message as ChatMessage } from '../../src/storage/chat.ts'
import { isAnswer, selectedTake } from '../../src/storage/chat.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { Button } from '../shared/Button.tsx'
import { findMember, useCast } from '../stores/company/cast.ts'
import { isAnswering, useGeneration, withLive } from '../stores/chat/generation.ts'
import type { Live } from '../stores/chat/generation.ts'
import { usePreview } from '../stores/chat/preview.ts'
import { chatNames, wordsOf } from '../stores/chat/scene.ts'
import { useSession } from '../stores/page/session.ts'
import { useSettings } from '../stores/page/settings.ts'
import { visitorOf } from '../stores/page/visitor.ts'
import { Message } from './Message.tsx'
import styles from './MessageList.module.css'
import { Opening } from './Opening.tsx'
import { useFollow } from './useFollow.ts'
import { useWanted } from './useWanted.ts'
import { chatText } from '../words/chat.ts'

interface MessageListProps {
  readonly chat: Chat
  readonly member: CastMember | undefined
}

/** How many messages are drawn at first, and more each time earlier ones are asked for: a chat of thousands stays quick. */
const PAGE = 120

/** What was said, in one column that follows the last words unless the reader has scrolled away. */
export function MessageList({ chat, member }: MessageListProps) {
  const live = useGeneration((state) => state.live)
  const isBusy = useGeneration(isAnswering)
  const cutMessage = useCutMessage(chat)
  const members = useCast((state) => state.members)
  const user = useSettings((state) => visitorOf(chat, state).name)
  const description = useSettings((state) => visitorOf(chat, state).description)
  const editing = useSession((state) => state.editing)
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const [limit, setLimit] = useState(PAGE)

  const names = chatNames(chat, member, { name: user, description })
  const messages = withLive(chat, live)
  const hasBegun = messages.some((message) => message.speaker === 'user')
  const { wanted, hidden } = useWanted(content, messages, limit)
  const { isAway, jump } = useFollow(scroller, content, { startsAtTop: !hasBegun || wanted !== null })
  useJumpOnAnswer(chat, live, jump)
  return (
    <div className={styles.frame}>
      {/* A region that scrolls must be reachable without a mouse. */}
      <div
        className={styles.scroller}
        ref={scroller}
        role="region"
        aria-label={chatText('said')}
        tabIndex={0}
        data-away={isAway || undefined}
      >
        <div className={styles.column} ref={content} data-opening={(!hasBegun && !chat.group) || undefined}>
          {!hasBegun && <Opening chat={chat} member={member} />}
          {hidden > 0 && <Earlier hidden={hidden} onShow={() => setLimit(limit + PAGE)} />}
          {messages.slice(hidden).map((message, place) => {
            const index = hidden + place
            const speaking = findMember(members, message.key)
            return (
              <Fragment key={message.id}>
                {message.id === cutMessage && <CutLine />}
                <Message
                  message={message}
                  member={speaking}
                  text={wordsOf(selectedTake(message), message, chat, names)}
                  startsRun={startsRun(messages, index)}
                  isLast={index === messages.length - 1}
                  isAsked={hasBegun}
                  canRepeat={hasBegun || (chat.group !== null && isAnswer(message))}
                  isEditing={editing === message.id}
                  live={liveState(live, message)}
                  isBusy={isBusy}
                  isFound={message.id === wanted}
                />
              </Fragment>
            )
          })}
        </div>
      </div>
      {isAway && <Jump onJump={jump} />}
    </div>
  )
}

/** Whoever says something wants to see what comes of it. */
function useJumpOnAnswer(chat: Chat, live: Live | null, jump: () => void): void {
  const answering = live?.chat === chat.id && live.kind === 'reply' ? live.take : null
  useEffect(() => {
    if (answering) jump()
  }, [answering, jump])
}

function Earlier({ hidden, onShow }: { readonly hidden: number; readonly onShow: () => void }) {
  return (
    <div className={styles.earlier}>
      <Button label={chatText('earlier', { hidden })} onClick={onShow} />
    </div>
  )
}

function Jump({ onJump }: { readonly onJump: () => void }) {
  return (
    <div className={styles.jump}>
      <Button label={chatText('toLast')} icon="down" onClick={onJump} />
    </div>
  )
}

function CutLine() {
  return (
    <p className={styles.cut}>
      <span>{chatText('cut')}</span>
    </p>
  )
}

/** The first message that the model reads, when earlier ones are cut: as counted now, else as the last answer was. */
function useCutMessage(chat: Chat): string | null {
  const counted = usePreview((state) => (state.chat === chat.id ? state : null))
  const answered = useGeneration((state) => (state.cut?.chat === chat.id ? state.cut.message : null))
  return counted ? counted.cutMessage : answered
}

function startsRun(messages: readonly ChatMessage[], index: number): boolean {
  const [before, here] = [messages[index - 1], messages[index]]
  // Nobody in the cast has a key, and a crowd of such has names.
  const isSameName = here?.speaker === 'user' || here?.key !== null || before?.name === here.name
  return before?.speaker !== here?.speaker || before?.key !== here?.key || !isSameName
}

function liveState(live: Live | null, message: ChatMessage): 'no' | 'loading' | 'waiting' | 'speaking' {
  if (live?.message !== message.id) return 'no'
  if (live.isWaiting) return 'loading'
  return live.tokens === 0 ? 'waiting' : 'speaking'
}
