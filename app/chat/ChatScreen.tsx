import { lazy, Suspense, useEffect } from 'react'

import type { Chat } from '../../src/storage/chat.ts'
import { visibleMessages } from '../../src/storage/chat.ts'
import { isForAnotherModel } from '../../src/cast/member.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { BackstageButton } from '../shared/BackstageButton.tsx'
import { Button } from '../shared/Button.tsx'
import { Company } from '../shared/Company.tsx'
import { EngineNotices } from '../shared/EngineNotices.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { Icon } from '../shared/Icon.tsx'
import { OtherModel } from '../shared/OtherModel.tsx'
import { findMember, useCast } from '../stores/company/cast.ts'
import { beginChat, closeChat, openChat, useChats } from '../stores/chat/chats.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { dismissFailure, tryAgain, useGeneration } from '../stores/chat/generation.ts'
import { laterPart } from '../stores/page/laterPart.ts'
import { routeHash } from '../stores/page/route.ts'
import { characterIn } from '../stores/chat/scene.ts'
import { openShare } from '../stores/exchange/share.ts'
import { edit, useSession } from '../stores/page/session.ts'
import { useNarrow } from '../shared/useNarrow.ts'
import { RehearsalNotice } from '../teach/run/RehearsalNotice.tsx'
import { Announcer } from './Announcer.tsx'
import { ChatTitle } from './ChatTitle.tsx'
import styles from './ChatScreen.module.css'
import { Composer } from './Composer.tsx'
import { Footnote } from './Footnote.tsx'
import { KeysDialog } from './KeysDialog.tsx'
import { MessageList } from './MessageList.tsx'
import { useChatKeys } from './useChatKeys.ts'
import { chatText } from '../words/chat.ts'

/** Looked at by those who want to know; it has texts of its own. */
const SentDialog = lazy(() => laterPart(() => import('./SentDialog.tsx')))
const EverybodyAnswers = lazy(() => import('./EverybodyAnswers.tsx'))
const WhoseWords = lazy(() => import('./WhoseWords.tsx'))
/** Comes with a chat of several. */
const Speakers = lazy(() => import('./Speakers.tsx'))

/** A chat with one character, or with several. */
export function ChatScreen({ id }: { readonly id: string }) {
  const chat = useChats((state) => (state.open?.id === id ? state.open : null))
  const isMissing = useChats((state) => state.missing === id)
  const saveFailure = useChats((state) => state.saveFailure)
  useEffect(() => {
    void openChat(id)
    return () => {
      edit(null)
      closeChat()
    }
  }, [id])
  if (chat && !chat.deleted) return <OpenChat key={id} chat={chat} />
  return (
    <main className={styles.nothing}>
      {(isMissing || chat?.deleted) && (
        <>
          <h1 className={styles.name}>{chatText('missing')}</h1>
          {saveFailure ? (
            <ErrorNotice failure={saveFailure} onRetry={() => void openChat(id)} />
          ) : (
            <p>{chatText('missing.about')}</p>
          )}
          <a href={routeHash({ screen: 'cast' })}>{chatText('back')}</a>
        </>
      )}
    </main>
  )
}

function OpenChat({ chat }: { readonly chat: Chat }) {
  const members = useCast((state) => state.members)
  const dialog = useSession((state) => state.dialog)
  const failure = useGeneration((state) => (state.failure?.chat === chat.id ? state.failure : null))
  const saveFailure = useChats((state) => state.saveFailure)
  const member = findMember(members, chat.key)
  const name = characterIn(chat, member)
  const info = useEngine((state) => state.info)
  useChatKeys()

  const hasBegun = visibleMessages(chat).some((message) => message.speaker === 'user')
  return (
    <div className={styles.screen} {...accentProps(member?.accent)}>
      <ChatHeader chat={chat} member={member} name={name} hasBegun={hasBegun} />
      <main className={styles.main}>
        <MessageList chat={chat} member={member} />
        <div className={styles.foot}>
          <EngineNotices />
          {member?.guest?.backbone && isForAnotherModel(member.guest.backbone, info) && (
            <OtherModel backbone={member.guest.backbone} then={chatText('switchThen', { name })} />
          )}
          <RehearsalNotice />
          {failure && (
            <ErrorNotice failure={failure} onRetry={() => void tryAgain()} onDismiss={dismissFailure} />
          )}
          {saveFailure && <ErrorNotice failure={saveFailure} onRetry={() => void openChat(chat.id)} />}
          {chat.group && (
            <Suspense>
              <Speakers chat={chat} />
            </Suspense>
          )}
          <Composer
            chat={chat.id}
            name={chat.group ? chatText('them') : name}
            starters={hasBegun ? [] : (member?.starters ?? [])}
            isAddressed={visibleMessages(chat).at(-1)?.speaker === 'role'}
          />
          <Footnote chat={chat} />
        </div>
      </main>
      <Announcer />
      {dialog === 'keys' && <KeysDialog />}
      <Suspense>
        {dialog === 'sent' && <SentDialog chat={chat} />}
        {dialog === 'whose' && <WhoseWords />}
        {dialog === 'together' && <EverybodyAnswers chat={chat} />}
      </Suspense>
    </div>
  )
}

/** Opens another chat with whoever plays in this one. */
async function beginAnew({ key, group }: Chat): Promise<void> {
  if (!group) return beginChat(key)
  const { beginGroup } = await laterPart(() => import('../stores/chat/group.ts'))
  await beginGroup(group.members, group)
}

interface ChatHeaderProps {
  readonly chat: Chat
  readonly member: CastMember | undefined
  readonly name: string
  readonly hasBegun: boolean
}

function ChatHeader({ chat, member, name, hasBegun }: ChatHeaderProps) {
  const isNarrow = useNarrow()
  return (
    <header className={styles.header}>
      <a className={styles.back} href={routeHash({ screen: 'cast' })} aria-label={chatText('back')}>
        <Icon name="back" />
      </a>
      {chat.group ? <Company members={chat.group.members} /> : <Portrait member={member} size="medium" />}
      <div className={styles.titles}>
        <h1 className={styles.name}>
          <bdi>{name}</bdi>
        </h1>
        <ChatTitle chat={chat} />
      </div>
      {member && (
        <Button
          label={chatText('share', { name })}
          icon="share"
          iconOnly
          look="quiet"
          onClick={() => void openShare({ kind: 'member', member })}
        />
      )}
      <Button
        label={chatText('new')}
        icon="plus"
        iconOnly={isNarrow}
        look="quiet"
        disabled={!hasBegun}
        onClick={() => void beginAnew(chat)}
      />
      <BackstageButton iconOnly={isNarrow} />
    </header>
  )
}
