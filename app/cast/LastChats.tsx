import { useState } from 'react'

import type { ChatSummary } from '../../src/storage/records.ts'
import { Button } from '../shared/Button.tsx'
import { Company } from '../shared/Company.tsx'
import { Icon } from '../shared/Icon.tsx'
import { day } from '../shared/format.ts'
import { deleteChat, useChats } from '../stores/chat/chats.ts'
import { findMember, useCast } from '../stores/company/cast.ts'
import { routeHash } from '../stores/page/route.ts'
import { characterName } from '../stores/chat/scene.ts'
import styles from './LastChats.module.css'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { castText } from '../words/cast.ts'
import { shownTitle } from '../stores/chat/titles.ts'
import { listNames } from '../words/names.ts'

/** How many chats stand in the strip before the rest is asked for. */
const STRIP = 4

/** The chats begun earlier, the last first. */
export function LastChats() {
  const summaries = useChats((state) => state.summaries)
  const [isWhole, setIsWhole] = useState(false)
  const chats = summaries.filter((chat) => chat.started && !chat.deleted)
  const shown = isWhole ? chats : chats.slice(0, STRIP)
  return (
    <section aria-labelledby="last-chats" className={styles.section}>
      <header className={styles.header}>
        <h2 id="last-chats" className={styles.title}>
          {castText('last')}
        </h2>
        <span className={styles.ways}>
          <a href={routeHash({ screen: 'search' })} className={styles.search}>
            <Icon name="search" size={18} />
            {castText('last.search')}
          </a>
          {chats.length > STRIP && (
            <Button
              label={isWhole ? castText('last.fewer') : castText('last.all', { chats: chats.length })}
              look="quiet"
              aria-expanded={isWhole}
              onClick={() => setIsWhole(!isWhole)}
            />
          )}
        </span>
      </header>
      <ul className={styles.strip}>
        {shown.map((chat) => (
          <ChatRow key={chat.id} chat={chat} />
        ))}
      </ul>
    </section>
  )
}

function ChatRow({ chat }: { readonly chat: ChatSummary }) {
  const members = useCast((state) => state.members)
  const member = findMember(members, chat.key)
  return (
    <li className={styles.row} {...accentProps(member?.accent)}>
      <a className={styles.link} href={routeHash({ screen: 'chat', chat: chat.id })}>
        {chat.company ? <Company members={chat.company} /> : <Portrait member={member} size="medium" />}
        <span className={styles.words}>
          <span className={styles.name}>{shownTitle(chat.title)}</span>
          <span className={styles.last}>{chat.lastText}</span>
          <span className={styles.when}>
            {chat.company
              ? listNames(chat.company.map(({ name }) => name))
              : (chat.character ?? characterName(member, chat.key))}{' '}
            · {day(chat.updatedAt)}
          </span>
        </span>
      </a>
      <span className={styles.delete}>
        <Button
          label={castText('last.delete', { title: shownTitle(chat.title) })}
          icon="bin"
          iconOnly
          look="quiet"
          onClick={() => void deleteChat(chat)}
        />
      </span>
    </li>
  )
}
