import type { Chat } from '../../src/storage/chat.ts'
import { Button } from '../shared/Button.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { findMember, useCast } from '../stores/company/cast.ts'
import {
  askChosen,
  askable,
  choose,
  closeTogether,
  dismissTogetherFailure,
  keepAnswer,
  MOST_ANSWERS,
  ownOf,
  setAgain,
  stopTogether,
  useTogether,
} from '../stores/chat/together.ts'
import type { OneAnswer } from '../stores/chat/together.ts'
import asides from '../shared/Asides.module.css'
import styles from './EverybodyAnswers.module.css'
import { Speech } from './Speech.tsx'
import { chatText } from '../words/chat.ts'

/** The last question, answered by several at once, side by side. */
export default function EverybodyAnswers({ chat }: { readonly chat: Chat }) {
  const { question, answers, isAnswering, failure } = useTogether()
  return (
    <Dialog title={chatText('together')} isWide onClose={closeTogether}>
      <p className={styles.question}>{question}</p>
      <Company chat={chat} />
      <div>
        {isAnswering ? (
          <Button label={chatText('stop')} icon="stop" onClick={stopTogether} />
        ) : (
          <Button label={chatText('together.again')} icon="again" onClick={() => void askChosen()} />
        )}
      </div>
      {failure && (
        <ErrorNotice failure={failure} onRetry={() => void askChosen()} onDismiss={dismissTogetherFailure} />
      )}
      <ol className={styles.answers} aria-live="polite" aria-busy={isAnswering}>
        {answers.map((answer) => (
          <li key={answer.id}>
            <Answer answer={answer} isAnswering={isAnswering} />
          </li>
        ))}
      </ol>
    </Dialog>
  )
}

/** Who is asked. */
function Company({ chat }: { readonly chat: Chat }) {
  const members = useCast((state) => state.members)
  const { chosen, isAgain, isAnswering } = useTogether()
  const all = askable(members, chat)
  const own = ownOf(members, chat)
  const isFull = chosen.length >= MOST_ANSWERS
  return (
    <fieldset className={styles.company} disabled={isAnswering} aria-label={chatText('together.who')}>
      {all.map((member) => {
        const isChosen = chosen.includes(member.key)
        return (
          <label key={member.key} className={styles.member} {...accentProps(member.accent)}>
            <input
              type="checkbox"
              checked={isChosen && !isAgain}
              disabled={isAgain || (isFull && !isChosen)}
              onChange={(event) => choose(member.key, event.target.checked)}
            />
            {member.displayName}
          </label>
        )
      })}
      {own && all.includes(own) && (
        <label className={styles.member}>
          <input type="checkbox" checked={isAgain} onChange={(event) => setAgain(event.target.checked)} />
          {chatText('together.alone', { name: own.displayName, times: MOST_ANSWERS })}
        </label>
      )}
      <p className={asides.note}>
        {chat.group
          ? chatText('together.group')
          : chatText('together.knows', { name: own?.displayName ?? chatText('together.whoever') })}
      </p>
    </fieldset>
  )
}

function Answer({ answer, isAnswering }: { readonly answer: OneAnswer; readonly isAnswering: boolean }) {
  const member = useCast((state) => findMember(state.members, answer.key))
  return (
    <article className={styles.answer} aria-label={answer.name} {...accentProps(member?.accent)}>
      <header className={styles.head}>
        <Portrait member={member} size="small" isThinking={isAnswering && answer.text === ''} />
        <h3 className={styles.name}>{answer.name}</h3>
        <Button
          label={chatText('keep')}
          look="quiet"
          disabled={isAnswering || answer.text === ''}
          onClick={() => void keepAnswer(answer)}
        />
      </header>
      <div className={styles.words} dir="auto">
        <Speech text={answer.text} isStreaming={isAnswering} />
      </div>
    </article>
  )
}
