import { useEffect } from 'react'

import hidden from '../shared/VisuallyHidden.module.css'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { day } from '../shared/format.ts'
import { SideScreen } from '../shared/SideScreen.tsx'
import { useChats } from '../stores/chat/chats.ts'
import { characterName } from '../stores/chat/scene.ts'
import { searchFor, useSearch } from '../stores/chat/search.ts'
import type { FoundChat, FoundMessage } from '../stores/chat/search.ts'
import { findMember, useCast } from '../stores/company/cast.ts'
import { routeHash } from '../stores/page/route.ts'
import styles from './SearchScreen.module.css'
import { searchText } from '../words/search.ts'
import { sharedText } from '../words/shared.ts'
import { shownTitle } from '../stores/chat/titles.ts'
import { Rich } from '../shared/Rich.tsx'

/** Searches everything that was said here. */
export function SearchScreen() {
  const query = useSearch((state) => state.query)
  useEffect(() => {
    const search = (): void => void searchFor(useSearch.getState().query)
    search()
    // What was said or deleted since is looked through, too.
    return useChats.subscribe((state, before) => {
      if (state.summaries !== before.summaries) search()
    })
  }, [])
  return (
    <SideScreen title={sharedText('screen.search')} about={searchText('about')}>
      <input
        type="search"
        className={styles.box}
        aria-label={searchText('box')}
        placeholder={searchText('box.hint')}
        autoFocus
        value={query}
        onChange={(event) => void searchFor(event.target.value)}
      />
      <Found />
    </SideScreen>
  )
}

function Found() {
  const { query, found, isSearching } = useSearch()
  const total = found.reduce((sum, chat) => sum + chat.count, 0)
  return (
    <>
      <p className={styles.sum} role="status">
        {query.trim() === '' && ''}
        {query.trim() !== '' && isSearching && searchText('searching')}
        {query.trim() !== '' &&
          !isSearching &&
          (found.length === 0
            ? searchText('nothing')
            : searchText('found', { messages: total, chats: found.length }))}
      </p>
      <ul className={styles.chats}>
        {found.map((chat) => (
          <ChatHits key={chat.summary.id} found={chat} />
        ))}
      </ul>
    </>
  )
}

function ChatHits({ found: { summary, messages, count: all } }: { readonly found: FoundChat }) {
  const member = useCast((state) => findMember(state.members, summary.key))
  const others = all - messages.length
  return (
    <li className={styles.chat} {...accentProps(member?.accent)}>
      <Portrait member={member} size="small" />
      <div className={styles.words}>
        <h2 className={styles.title}>
          <a href={routeHash({ screen: 'chat', chat: summary.id })}>{shownTitle(summary.title)}</a>
        </h2>
        <p className={styles.when}>
          {summary.character ?? characterName(member, summary.key)} · {day(summary.updatedAt)}
        </p>
        <ul>
          {messages.map((message) => (
            <MessageHit key={message.id} chat={summary.id} message={message} />
          ))}
        </ul>
        {others > 0 && <p className={styles.when}>{searchText('earlier', { others })}</p>}
      </div>
    </li>
  )
}

function MessageHit({ chat, message }: { readonly chat: string; readonly message: FoundMessage }) {
  return (
    <li>
      <a className={styles.hit} href={routeHash({ screen: 'chat', chat, message: message.id })}>
        <Rich
          text={searchText('hit', { name: message.name })}
          tags={{
            hidden: <span className={hidden.hidden} />,
            name: <bdi className={styles.name} />,
          }}
        />
        <span dir="auto">
          {message.excerpt.map(({ text, isFound }, index) =>
            isFound ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>,
          )}
        </span>
      </a>
    </li>
  )
}
