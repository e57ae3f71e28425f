import type { Chat } from '../../src/storage/chat.ts'
import type { GroupMember } from '../../src/storage/records.ts'
import { Button } from '../shared/Button.tsx'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import hidden from '../shared/VisuallyHidden.module.css'
import { answer, endGoingOn, giveWord, isAnswering, useGeneration } from '../stores/chat/generation.ts'
import { goOn } from '../stores/chat/goOn.ts'
import { canSpeak } from '../stores/chat/turns.ts'
import { findMember, useCast } from '../stores/company/cast.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { focusComposer } from './focusComposer.ts'
import styles from './Speakers.module.css'
import { chatText } from '../words/chat.ts'
import { Rich } from '../shared/Rich.tsx'

/** Those who play in a chat of several: a click gives one of them the word. */
export default function Speakers({ chat }: { readonly chat: Chat }) {
  const isBusy = useGeneration(isAnswering)
  const isBlocked = useEngine((state) => state.phase === 'blocked')
  const isRehearsing = useTraining(isTraining)
  const isGoingOn = useGeneration(({ goingOn }) => goingOn?.chat === chat.id)
  const isMute = isBusy || isBlocked || isRehearsing
  return (
    <div className={styles.speakers} role="group" aria-label={chatText('speakers')} data-speakers="">
      <ul className={styles.list}>
        {(chat.group?.members ?? []).map((member) => (
          <li key={member.key ?? member.name}>
            <Speaker chat={chat.id} member={member} isMute={isMute} />
          </li>
        ))}
      </ul>
      <Button
        label={chatText('speakers.goOn')}
        icon="onward"
        iconOnly
        look="quiet"
        disabled={isMute}
        onClick={() => {
          focusComposer()
          void answer(true)
        }}
      />
      <Button
        label={chatText('speakers.byThemselves')}
        icon="endless"
        iconOnly
        look="quiet"
        aria-pressed={isGoingOn}
        disabled={isMute && !isGoingOn}
        onClick={() => {
          focusComposer()
          if (isGoingOn) endGoingOn()
          else void goOn()
        }}
      />
    </div>
  )
}

interface SpeakerProps {
  readonly chat: string
  readonly member: GroupMember
  /** Whether nobody can be given the word now. */
  readonly isMute: boolean
}

function Speaker({ chat, member: { key, name, isMuted }, isMute }: SpeakerProps) {
  const member = useCast((state) => findMember(state.members, key))
  useEngine((state) => state.info)
  const isSpeaking = useGeneration(({ live }) => live?.chat === chat && key !== null && live.key === key)
  const place = useGeneration(({ next }) => (key === null ? -1 : next.indexOf(key)))
  const isHere = canSpeak(member)
  return (
    <button
      type="button"
      className={styles.speaker}
      disabled={isMute || !isHere}
      title={isHere ? chatText('speakers.give', { name }) : chatText('speakers.away', { name })}
      data-speaking={isSpeaking || undefined}
      data-muted={isMuted || undefined}
      onClick={() => {
        focusComposer()
        if (key !== null) void giveWord(chat, [key])
      }}
      {...accentProps(member?.accent)}
    >
      <Portrait
        member={member ?? { displayName: name, portrait: null }}
        size="small"
        isThinking={isSpeaking}
      />
      <Rich
        text={chatText('speakers.speaker', { name })}
        tags={{ hidden: <span className={hidden.hidden} />, name: <bdi className={styles.name} /> }}
      />
      {place >= 0 && <span className={styles.place}>{place + 1}</span>}
      {isMuted && <span className={hidden.hidden}>{chatText('speakers.muted')}</span>}
    </button>
  )
}
