import { useEffect, useState } from 'react'

import { loadDraft, saveDraft } from '../../src/storage/drafts.ts'
import { Button } from '../shared/Button.tsx'
import { useEngine } from '../stores/engine/engine.ts'
import { say, stopAnswer, useGeneration } from '../stores/chat/generation.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import styles from './Composer.module.css'
import { focusComposer } from './focusComposer.ts'

interface ComposerProps {
  readonly chat: string
  readonly name: string
  /** Things to say when nothing has been said yet. */
  readonly starters: readonly string[]
}

/** Where the visitor writes. It keeps what is not yet sent, across reloads. */
export function Composer({ chat, name, starters }: ComposerProps) {
  const [text, setText] = useState(() => loadDraft(chat))
  const isBusy = useGeneration((state) => state.live !== null)
  // Where nobody can answer, nothing is asked; what is written stays.
  const isBlocked = useEngine((state) => state.phase === 'blocked')
  const isRehearsing = useTraining(isTraining)
  const isMute = isBlocked || isRehearsing
  useEffect(focusComposer, [])
  const write = (words: string): void => {
    setText(words)
    saveDraft(chat, words)
  }
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
          aria-label={`Say something to ${name}`}
          placeholder={`Say something to ${name}`}
          value={text}
          data-composer=""
          onChange={(event) => write(event.target.value)}
          onKeyDown={(event) => {
            const isPlain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey
            if (event.key !== 'Enter' || !isPlain || event.nativeEvent.isComposing) return
            event.preventDefault()
            send(text)
          }}
        />
        {isBusy ? (
          <Button key="button" label="Stop" icon="stop" onClick={stopAnswer} />
        ) : (
          <Button
            key="button"
            type="submit"
            label="Send"
            icon="send"
            look="strong"
            disabled={isMute || text.trim() === ''}
          />
        )}
      </form>
    </div>
  )
}

interface StartersProps {
  readonly starters: readonly string[]
  readonly isDisabled: boolean
  readonly onSay: (words: string) => void
}

function Starters({ starters, isDisabled, onSay }: StartersProps) {
  return (
    <ul className={styles.starters} aria-label="Things to say">
      {starters.map((starter) => (
        <li key={starter}>
          <Button label={starter} disabled={isDisabled} onClick={() => onSay(starter)} />
        </li>
      ))}
    </ul>
  )
}
