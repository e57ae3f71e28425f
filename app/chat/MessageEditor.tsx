import { useEffect, useRef } from 'react'

import type { Message } from '../../src/storage/chat.ts'
import { selectedTake } from '../../src/storage/chat.ts'
import { Button } from '../shared/Button.tsx'
import { editMessage, useChats } from '../stores/chat/chats.ts'
import { edit } from '../stores/page/session.ts'
import { focusComposer } from './focusComposer.ts'
import styles from './MessageEditor.module.css'
import { chatText } from '../words/chat.ts'

/** Rewrites a message where it stands. Enter keeps it, Escape leaves it as it was. */
export function MessageEditor({ message }: { readonly message: Message }) {
  const box = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    const element = box.current
    element?.focus()
    element?.setSelectionRange(element.value.length, element.value.length)
  }, [])
  const keep = (): void => {
    const chat = useChats.getState().open
    const text = box.current?.value.trim() ?? ''
    leave()
    if (chat && text) void editMessage(chat, message.id, text)
  }
  return (
    <div className={styles.editor}>
      <textarea
        ref={box}
        className={styles.box}
        aria-label={chatText('editor')}
        defaultValue={selectedTake(message).text}
        onKeyDown={(event) => {
          if (event.key === 'Escape') leave()
          else if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault()
            keep()
          } else return
          event.stopPropagation()
        }}
      />
      <div className={styles.buttons}>
        <Button label={chatText('keep')} look="strong" onClick={keep} />
        <Button label={chatText('leave')} look="quiet" onClick={leave} />
      </div>
    </div>
  )
}

function leave(): void {
  edit(null)
  focusComposer()
}
