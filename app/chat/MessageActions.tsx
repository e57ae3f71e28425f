import type { Chat, Message } from '../../src/storage/chat.ts'
import { Button } from '../shared/Button.tsx'
import { CopyButton } from '../shared/CopyButton.tsx'
import hidden from '../shared/VisuallyHidden.module.css'
import { deleteMessage, selectTake, useChats } from '../stores/chat/chats.ts'
import { keepInMind } from '../stores/chat/inMind.ts'
import { again, carryOn } from '../stores/chat/generation.ts'
import { laterPart } from '../stores/page/laterPart.ts'
import { edit } from '../stores/page/session.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { focusComposer } from './focusComposer.ts'
import type { MessageProps } from './messageProps.ts'
import { ReadAloudButton } from './ReadAloudButton.tsx'
import styles from './MessageActions.module.css'
import { chatText } from '../words/chat.ts'

/** What can be done with a message; shown on hover, on focus and under the last one. */
export function MessageActions({ message, text, isLast, isAsked, canRepeat, isBusy }: MessageProps) {
  const isRole = message.speaker === 'role'
  const isLastAnswer = isLast && isRole
  // The model answers or rehearses.
  const isRehearsing = useTraining(isTraining)
  return (
    <div
      className={[styles.actions, isLast ? styles.last : styles.corner].join(' ')}
      role="group"
      aria-label={chatText('actions')}
    >
      {isLast && <AnswerAgain isAnswer={isRole} canRepeat={canRepeat} isBusy={isBusy} />}
      {isLast && isAsked && (
        <Button
          label={chatText('together')}
          icon="beside"
          iconOnly
          look="quiet"
          disabled={isBusy || isRehearsing}
          onClick={() => withChat(everybody)}
        />
      )}
      {message.takes.length > 1 && (
        <Versions
          selected={message.selected}
          total={message.takes.length}
          onSelect={(index) => withChat((chat) => selectTake(chat, message.id, index))}
        />
      )}
      {isLastAnswer && (
        <Button
          label={chatText('continue')}
          icon="onward"
          look="quiet"
          disabled={isBusy}
          title="Alt + Enter"
          onClick={() => act(carryOn())}
        />
      )}
      {isRole && text.trim() !== '' && <ReadAloudButton message={message.id} />}
      <Tools message={message} text={text} isBusy={isBusy} />
    </div>
  )
}

interface AnswerAgainProps extends Pick<MessageProps, 'canRepeat' | 'isBusy'> {
  readonly isAnswer: boolean
}

/** Has the last question answered, or answered in other words. */
function AnswerAgain({ isAnswer, canRepeat, isBusy }: AnswerAgainProps) {
  if (isAnswer && !canRepeat) return null
  return (
    <Button
      label={isAnswer ? chatText('again') : chatText('askAnswer')}
      icon="again"
      look="quiet"
      disabled={isBusy}
      {...(isAnswer && { title: 'Ctrl + Enter' })}
      onClick={() => act(again())}
    />
  )
}

/** What can be done with a message that is still being said; it stands where the others will. */
export function LiveActions({ message }: { readonly message: string }) {
  return (
    <div className={[styles.actions, styles.last].join(' ')} role="group" aria-label={chatText('actions')}>
      <ReadAloudButton message={message} />
    </div>
  )
}

interface ToolsProps {
  readonly message: Message
  readonly text: string
  readonly isBusy: boolean
}

/** What can be done with any message. */
function Tools({ message, text, isBusy }: ToolsProps) {
  const { id } = message
  const isRehearsing = useTraining(isTraining)
  return (
    <>
      <Button
        label={chatText('edit')}
        icon="edit"
        iconOnly
        look="quiet"
        disabled={isBusy}
        onClick={() => edit(id)}
      />
      <Button
        label={chatText('branch')}
        icon="branch"
        iconOnly
        look="quiet"
        disabled={isBusy}
        onClick={() => withChat((chat) => branch(chat, id))}
      />
      <Button
        label={chatText('whose')}
        icon="ask"
        iconOnly
        look="quiet"
        disabled={isBusy || isRehearsing || text.trim() === ''}
        onClick={() => withChat((chat) => whose(chat, message))}
      />
      <Button
        label={chatText('inMind')}
        icon="pin"
        iconOnly
        look="quiet"
        disabled={isBusy || text.trim() === ''}
        onClick={() => withChat((chat) => keepInMind(chat, text))}
      />
      <CopyButton label={chatText('copy')} iconOnly text={() => text} />
      <Button
        label={chatText('delete')}
        icon="bin"
        iconOnly
        look="quiet"
        disabled={isBusy}
        onClick={() =>
          withChat((chat) => {
            focusComposer()
            return deleteMessage(chat, id)
          })
        }
      />
    </>
  )
}

/** Opens a copy of the chat that ends here. */
async function branch(chat: Chat, message: string): Promise<void> {
  const { branchChat } = await laterPart(() => import('../stores/chat/branch.ts'))
  await branchChat(chat, message)
}

/** Puts the last question to several at once. */
async function everybody(chat: Chat): Promise<void> {
  const { askTogether } = await laterPart(() => import('../stores/chat/together.ts'))
  await askTogether(chat)
}

/** Opens the window on whose words a message is. */
async function whose(chat: Chat, message: Message): Promise<void> {
  const { askWhose } = await laterPart(() => import('../stores/chat/whose.ts'))
  await askWhose(chat, message)
}

/** Does something to the open chat, as it is then. */
function withChat(deed: (chat: Chat) => Promise<void>): void {
  const chat = useChats.getState().open
  if (chat) void deed(chat)
}

/** Moves the focus away from a button that goes with what it did. */
function act(deed: Promise<void>): void {
  focusComposer()
  void deed
}

interface VersionsProps {
  readonly selected: number
  readonly total: number
  readonly onSelect: (index: number) => void
}

/** ‹ 2/3 ›: the wordings of a message. */
function Versions({ selected, total, onSelect }: VersionsProps) {
  return (
    <span className={styles.versions} role="group" aria-label={chatText('versions')}>
      <Button
        label={chatText('versions.previous')}
        icon="back"
        iconOnly
        look="quiet"
        disabled={selected === 0}
        onClick={() => onSelect(selected - 1)}
      />
      <span role="status">
        <span aria-hidden="true">
          {selected + 1}/{total}
        </span>
        <span className={hidden.hidden}>{chatText('versions.which', { number: selected + 1, total })}</span>
      </span>
      <Button
        label={chatText('versions.next')}
        icon="forward"
        iconOnly
        look="quiet"
        disabled={selected === total - 1}
        onClick={() => onSelect(selected + 1)}
      />
    </span>
  )
}
