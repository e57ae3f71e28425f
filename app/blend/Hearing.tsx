import { useState } from 'react'

import { Speech } from '../chat/Speech.tsx'
import { Button } from '../shared/Button.tsx'
import { askBlend, stopBlend, useBlend } from '../stores/chat/blend.ts'
import styles from './BlendScreen.module.css'
import asides from '../shared/Asides.module.css'
import { blendText } from '../words/blend.ts'

interface HearingProps {
  readonly name: string
  readonly canPlay: boolean
  /** Called when they have answered. */
  readonly onHeard?: () => void
}

/** The blend as it is now, to be talked to while it is mixed. */
export function Hearing({ name, canPlay, onHeard }: HearingProps) {
  const { exchanges, isAnswering } = useBlend()
  const [question, setQuestion] = useState('Who are you?')
  const ask = async (): Promise<void> => {
    const before = exchanges.length
    await askBlend(question, name)
    if (useBlend.getState().exchanges.length > before) onHeard?.()
  }
  return (
    <section className={styles.hearing} aria-label={blendText('hear')}>
      <ol className={styles.exchanges} aria-live="polite" aria-busy={isAnswering}>
        {exchanges.map(({ id, question: asked, answer, mix }) => (
          <li key={id} className={styles.exchange}>
            <p className={styles.asked}>{asked}</p>
            <div className={styles.answer}>
              {answer === '' ? (
                <p className={asides.note}>…</p>
              ) : (
                <Speech text={answer} isStreaming={isAnswering} />
              )}
            </div>
            <p className={asides.note}>{mix}</p>
          </li>
        ))}
      </ol>
      <form
        className={styles.ask}
        onSubmit={(event) => {
          event.preventDefault()
          void ask()
        }}
      >
        <input
          className={styles.question}
          aria-label={blendText('ask')}
          value={question}
          maxLength={400}
          onChange={(event) => setQuestion(event.target.value)}
        />
        {isAnswering ? (
          <Button label={blendText('stop')} icon="stop" onClick={stopBlend} />
        ) : (
          <Button
            type="submit"
            label={blendText('hear')}
            icon="send"
            disabled={!canPlay || question.trim() === ''}
          />
        )}
      </form>
    </section>
  )
}
