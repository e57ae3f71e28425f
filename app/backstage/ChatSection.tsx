import type { Chat } from '../../src/storage/chat.ts'
import { summarize } from '../../src/storage/chat.ts'
import type { ChatSummary } from '../../src/storage/records.ts'
import { ImportButton } from '../cast/ImportButton.tsx'
import { Button } from '../shared/Button.tsx'
import { day } from '../shared/format.ts'
import { saveFile } from '../stores/page/saveFile.ts'
import { exportOpenChat, exportOpenGroup } from '../stores/chat/chatFiles.ts'
import { deleteChat, isWith, useChats } from '../stores/chat/chats.ts'
import { isSameCompany } from '../stores/chat/group.ts'
import { removeBook } from '../stores/chat/inMind.ts'
import { routeHash } from '../stores/page/route.ts'
import { showBackstage } from '../stores/page/session.ts'
import styles from './ChatSection.module.css'
import { Section } from './Section.tsx'
import { backstageText } from '../words/backstage.ts'
import { shownTitle } from '../stores/chat/titles.ts'
import { Rich } from '../shared/Rich.tsx'

/** The open chat as a thing to save and delete, and the others with the same member of the cast. */
export function ChatSection({ chat }: { readonly chat: Chat }) {
  const save = (): void => {
    const { name, text } = exportOpenChat(chat)
    saveFile(name, text)
  }
  const saveGroup = (): void => {
    const file = exportOpenGroup(chat)
    if (file) saveFile(file.name, file.text)
  }
  return (
    <Section title={backstageText('chat')}>
      <p className={styles.note}>
        <a href={routeHash({ screen: 'search' })} onClick={() => showBackstage(false)}>
          {backstageText('chat.search')}
        </a>
      </p>
      <div className={styles.buttons}>
        <Button label={backstageText('chat.save')} icon="out" onClick={save} />
        {chat.group && <Button label={backstageText('chat.saveGroup')} icon="out" onClick={saveGroup} />}
        <Button
          label={backstageText('chat.delete')}
          icon="bin"
          look="danger"
          onClick={() => void deleteChat(summarize(chat))}
        />
        <ImportButton />
      </div>
      {chat.books.length > 0 && <Books chat={chat} />}
      {chat.parent && (
        <p className={styles.note}>
          <Rich
            text={backstageText('chat.branch')}
            tags={{ a: <a href={routeHash({ screen: 'chat', chat: chat.parent.chat })} /> }}
          />
        </p>
      )}
      {chat.unreadable > 0 && (
        <p className={styles.note}>{backstageText('chat.unreadable', { unreadable: chat.unreadable })}</p>
      )}
      <Others chat={chat} />
    </Section>
  )
}

/** The other chats with whoever plays in this one. */
function Others({ chat }: { readonly chat: Chat }) {
  const summaries = useChats((state) => state.summaries)
  const others = summaries.filter((other) => isLike(other, chat) && other.started && !other.deleted)
  if (others.length < 2) return null
  return (
    <ul
      className={styles.list}
      aria-label={chat.group ? backstageText('chat.withThem') : backstageText('chat.withCharacter')}
    >
      {others.map((other) => (
        <li key={other.id}>
          <a
            href={routeHash({ screen: 'chat', chat: other.id })}
            aria-current={other.id === chat.id ? 'page' : undefined}
          >
            <span>{shownTitle(other.title)}</span>
            <span className={styles.note}>{day(other.updatedAt)}</span>
          </a>
        </li>
      ))}
    </ul>
  )
}

/** The lorebooks that go with a chat. */
function Books({ chat }: { readonly chat: Chat }) {
  return (
    <ul className={styles.list} aria-label={backstageText('chat.books')}>
      {chat.books.map((book, index) => (
        <li key={`${index} ${book.name}`} className={styles.book}>
          <bdi>{book.name}</bdi>
          <Button
            label={backstageText('chat.books.save', { name: book.name })}
            icon="out"
            iconOnly
            look="quiet"
            onClick={() => saveFile(`${book.name}.json`, book.text)}
          />
          <Button
            label={backstageText('chat.books.remove', { name: book.name })}
            icon="bin"
            iconOnly
            look="quiet"
            onClick={() => void removeBook(chat, book)}
          />
        </li>
      ))}
    </ul>
  )
}

/** Whether the same play in another chat. */
function isLike(other: ChatSummary, { key, group }: Chat): boolean {
  return group ? isSameCompany(other, group.members) : isWith(other, key)
}
