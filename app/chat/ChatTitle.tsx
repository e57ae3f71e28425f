import { useState } from 'react'

import type { Chat } from '../../src/storage/chat.ts'
import { chatTitle } from '../../src/storage/chat.ts'
import { renameChat } from '../stores/chat/chats.ts'
import { shownTitle } from '../stores/chat/titles.ts'
import styles from './ChatTitle.module.css'
import { chatText } from '../words/chat.ts'

/** The chat's title; a click makes it a box. */
export function ChatTitle({ chat }: { readonly chat: Chat }) {
  const [isEditing, setIsEditing] = useState(false)
  const title = shownTitle(chatTitle(chat))
  if (!isEditing) {
    return (
      <button
        type="button"
        className={styles.title}
        title={chatText('rename')}
        onClick={() => setIsEditing(true)}
      >
        {title}
      </button>
    )
  }
  const keep = (written: string): void => {
    setIsEditing(false)
    if (written.trim() !== title) void renameChat(chat.id, written)
  }
  return (
    <input
      // The visitor asked for this box by a click.
      autoFocus
      className={styles.box}
      aria-label={chatText('title')}
      defaultValue={title}
      maxLength={120}
      onFocus={(event) => event.target.select()}
      onBlur={(event) => keep(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Enter') keep(event.currentTarget.value)
        if (event.key === 'Escape') setIsEditing(false)
      }}
    />
  )
}
