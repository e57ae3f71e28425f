import { useEffect, useState } from 'react'

import { loadDraft, saveDraft } from '../../src/storage/drafts.ts'
import { Button } from '../shared/Button.tsx'
import { sendsWholeCard, useEngine } from '../stores/engine/engine.ts'
import { useRoute } from '../stores/page/route.ts'
import { useSettings } from '../stores/page/settings.ts'
import { isAnswering, say, stopAnswer, useGeneration, writeMine } from '../stores/chat/generation.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import styles from './Composer.module.css'
import { focusComposer } from './focusComposer.ts'
import { chatText } from '../words/chat.ts'

interface ComposerProps {
  readonly chat: string
  readonly name: string
  /** Things to say when nothing has been said yet. */
  readonly starters: readonly string[]
  /** Whether somebody has spoken to the visitor last. */
  readonly isAddressed: boolean
}

/** Where the visitor writes. It keeps what is not yet sent, across reloads. */
export function Composer({ chat, name, starters, isAddressed }: ComposerProps) {
  const { text, isOffered, write } = useDraft(chat)
  const isBusy = useGeneration(isAnswering)
  // Between two who go on by themselves the visitor may speak, or stop them.
  const isGoingOn = useGeneration(({ goingOn }) => goingOn?.chat === chat)
  // Where nobody can answer, nothing is asked; what is written stays.
  const isBlocked = useEngine((state) => state.phase === 'blocked')
  const isRehearsing = useTraining(isTraining)
  const isMute = isBlocked || isRehearsing
  useEffect(beginWriting, [])
  const send = (words: string): void => {
    if (isBusy || isMute || words.trim() === '') return
    write('')
    void say(words)
  }
  return (
    <div className={styles.composer}>
      {starters.length > 0 && !isRehearsing && (
        <Starters starters={starters} isDisabled={isBusy || isMute} onSay={send} />
      )}
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          send(text)
        }}
      >
        <textarea
          className={styles.box}
          rows={1}
          dir="auto"
          aria-label={chatText('say', { name })}
          placeholder={chatText('say', { name })}
          value={text}
          readOnly={isOffered}
          data-composer=""
          onChange={(event) => write(event.target.value)}
          onKeyDown={(event) => {
            const isPlain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey
            if (event.key !== 'Enter' || !isPlain || event.nativeEvent.isComposing) return
            event.preventDefault()
            send(text)
          }}
        />
        {isAddressed && !isBusy && <WriteMine written={text} isMute={isMute} />}
        {isBusy || (isGoingOn && text.trim() === '') ? (
          <Button key="button" label={chatText('stop')} icon="stop" onClick={stopAnswer} />
        ) : (
          <Button
            key="button"
            type="submit"
            label={chatText('send')}
            icon="send"
            look="strong"
            disabled={isMute || text.trim() === ''}
          />
        )}
      </form>
    </div>
  )
}

/** Where the address asks for a message, the reader is at that. */
function beginWriting(): void {
  const route = useRoute.getState()
  if (route.screen === 'chat' && route.message === undefined) focusComposer()
}

interface Draft {
  readonly text: string
  /** Whether the model writes it. */
  readonly isOffered: boolean
  readonly write: (words: string) => void
}

/** What the visitor is writing in a chat, or the model is for them. */
function useDraft(chat: string): Draft {
  const [text, setText] = useState(() => loadDraft(chat))
  const offered = useGeneration(({ live }) =>
    live?.kind === 'visitor' && live.chat === chat ? live.text : null,
  )
  useEffect(
    () =>
      useGeneration.subscribe(({ live }, { live: before }) => {
        if (!live && before?.kind === 'visitor' && before.chat === chat) setText(loadDraft(chat))
      }),
    [chat],
  )
  return {
    text: offered ?? text,
    isOffered: offered !== null,
    write: (words) => {
      setText(words)
      saveDraft(chat, words)
    },
  }
}

interface WriteMineProps {
  readonly written: string
  readonly isMute: boolean
}

/** Has the model write the visitor's line, where it is able to: small ones write nonsense. */
function WriteMine({ written, isMute }: WriteMineProps) {
  useSettings((state) => state.cardText)
  useEngine((state) => state.info)
  if (!sendsWholeCard()) return null
  return (
    <Button
      label={written.trim() === '' ? chatText('writeMine') : chatText('writeMine.on')}
      icon="edit"
      iconOnly
      look="quiet"
      disabled={isMute}
      onClick={() => void writeMine(written)}
    />
  )
}

interface StartersProps {
  readonly starters: readonly string[]
  readonly isDisabled: boolean
  readonly onSay: (words: string) => void
}

function Starters({ starters, isDisabled, onSay }: StartersProps) {
  return (
    <ul className={styles.starters} aria-label={chatText('starters')}>
      {starters.map((starter) => (
        <li key={starter}>
          <Button label={starter} disabled={isDisabled} onClick={() => onSay(starter)} />
        </li>
      ))}
    </ul>
  )
}
