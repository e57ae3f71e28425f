import { memo, useState } from 'react'

import { accentProps, Portrait } from '../shared/Portrait.tsx'
import hidden from '../shared/VisuallyHidden.module.css'
import styles from './Message.module.css'
import { LiveActions, MessageActions } from './MessageActions.tsx'
import type { MessageProps } from './messageProps.ts'
import { MessageEditor } from './MessageEditor.tsx'
import { Speech } from './Speech.tsx'
import asides from '../shared/Asides.module.css'
import { chatText } from '../words/chat.ts'
import { useLanguage } from '../stores/page/language.ts'

/** One message: who speaks, what is said, and what can be done with it. */
export const Message = memo(function Message(props: MessageProps) {
  useLanguage()
  const { message, member, text, startsRun, isEditing, live, isFound } = props
  // Where nothing hovers, a tap on the words shows what can be done with them.
  const [isOpen, setIsOpen] = useState(false)
  const isUser = message.speaker === 'user'
  const speaker = isUser ? chatText('you') : (member?.displayName ?? message.name)
  return (
    <article
      className={[styles.message, isUser ? styles.user : styles.role, startsRun ? styles.first : ''].join(
        ' ',
      )}
      aria-label={speaker}
      aria-busy={live !== 'no'}
      {...(isFound && { tabIndex: -1, 'data-found': '' })}
      data-open={isOpen || undefined}
      data-excluded={message.excluded || undefined}
      {...(!isUser && accentProps(member?.accent))}
    >
      <div className={styles.side}>
        {!isUser && startsRun && (
          <Portrait member={member} size="small" isThinking={live === 'waiting' || live === 'loading'} />
        )}
      </div>
      <div className={styles.body}>
        <h2 className={startsRun && !isUser ? styles.speaker : hidden.hidden}>{speaker}</h2>
        {isEditing ? (
          <MessageEditor message={message} />
        ) : (
          <div
            className={styles.words}
            dir="auto"
            onClick={(event) => isTouch(event.nativeEvent) && setIsOpen(!isOpen)}
          >
            <Speech text={text} isStreaming={live === 'speaking'} />
            {(live === 'waiting' || live === 'loading') && text === '' && (
              <Waiting speaker={speaker} live={live} />
            )}
          </div>
        )}
        {message.excluded && <p className={asides.note}>{chatText('notSent')}</p>}
        {!isEditing && live === 'no' && <MessageActions {...props} />}
        {live === 'speaking' && !isUser && <LiveActions message={message.id} />}
      </div>
    </article>
  )
})

/** Chromium's clicks say what made them. */
function isTouch(event: MouseEvent): boolean {
  return event instanceof PointerEvent && event.pointerType === 'touch'
}

function Waiting({ speaker, live }: { readonly speaker: string; readonly live: 'loading' | 'waiting' }) {
  return (
    <p className={styles.waiting}>
      {live === 'loading' ? chatText('answersSoon', { speaker }) : chatText('thinking', { speaker })}
    </p>
  )
}
