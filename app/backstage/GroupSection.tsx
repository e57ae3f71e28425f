import type { Chat } from '../../src/storage/chat.ts'
import type { GroupMember } from '../../src/storage/records.ts'
import { Button } from '../shared/Button.tsx'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { isAnswering, useGeneration } from '../stores/chat/generation.ts'
import { changeGroup, changeMember, leave, moveUp } from '../stores/chat/group.ts'
import { canSpeak, talkativenessIn } from '../stores/chat/turns.ts'
import { findMember, useCast } from '../stores/company/cast.ts'
import { sendsWholeCard, useEngine } from '../stores/engine/engine.ts'
import { useSettings } from '../stores/page/settings.ts'
import styles from './GroupSection.module.css'
import { Joining } from './Joining.tsx'
import { Section } from './Section.tsx'
import { StrengthSlider } from './StrengthSlider.tsx'
import { TurnFields } from './TurnFields.tsx'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'

/** Who plays in a chat of several, how they take turns, and where they are. */
export default function GroupSection({ chat }: { readonly chat: Chat }) {
  const isBusy = useGeneration(isAnswering)
  useSettings((state) => state.cardText)
  useEngine((state) => state.info)
  const { group } = chat
  if (!group) return null
  return (
    <Section title={backstageText('who')}>
      <ol className={styles.members} aria-label={backstageText('who')}>
        {group.members.map((member, place) => (
          <li key={member.key ?? member.name}>
            <MemberRow chat={chat} member={member} isFirst={place === 0} isBusy={isBusy} />
          </li>
        ))}
      </ol>
      <Joining chat={chat} isDisabled={isBusy} />
      <TurnFields {...group} isDisabled={isBusy} onChange={(changes) => void changeGroup(chat, changes)} />
      {(group.scene.trim() !== '' || group.joined) && !sendsWholeCard() && (
        <p className={asides.note}>{backstageText('group.notSent')}</p>
      )}
      <StrengthSlider chat={chat} isDisabled={isBusy} />
    </Section>
  )
}

interface MemberRowProps {
  readonly chat: Chat
  readonly member: GroupMember
  readonly isFirst: boolean
  readonly isBusy: boolean
}

function MemberRow({ chat, member, isFirst, isBusy }: MemberRowProps) {
  const { key, name, isMuted } = member
  const played = useCast((state) => findMember(state.members, key))
  const percent = Math.round(100 * talkativenessIn(member, played))
  const isNatural = chat.group?.order === 'natural'
  return (
    <div className={styles.member} data-muted={isMuted || undefined} {...accentProps(played?.accent)}>
      <Portrait member={played ?? { displayName: name, portrait: null }} size="small" />
      <span className={styles.name}>
        <bdi>{name}</bdi>
        {!canSpeak(played) && <span className={asides.note}> {backstageText('group.away')}</span>}
      </span>
      <span className={styles.tools}>
        <Button
          label={backstageText('group.earlier', { name })}
          icon="up"
          iconOnly
          look="quiet"
          disabled={isBusy || isFirst}
          onClick={() => void moveUp(chat, member)}
        />
        <Button
          label={backstageText('group.mute', { name })}
          icon={isMuted ? 'muted' : 'heard'}
          iconOnly
          look="quiet"
          aria-pressed={isMuted}
          disabled={isBusy}
          onClick={() => void changeMember(chat, member, { isMuted: !isMuted })}
        />
        <Button
          label={backstageText('group.leave', { name })}
          icon="close"
          iconOnly
          look="quiet"
          disabled={isBusy}
          onClick={() => void leave(chat, member)}
        />
      </span>
      {isNatural && !isMuted && (
        <Talkativeness chat={chat} member={member} percent={percent} isDisabled={isBusy} />
      )}
    </div>
  )
}

interface TalkativenessProps {
  readonly chat: Chat
  readonly member: GroupMember
  readonly percent: number
  readonly isDisabled: boolean
}

/** How often one of them speaks up without being named. */
function Talkativeness({ chat, member, percent, isDisabled }: TalkativenessProps) {
  const letGo = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void => {
    const { valueAsNumber: chosen } = currentTarget
    if (chosen !== percent) void changeMember(chat, member, { talkativeness: chosen / 100 })
  }
  return (
    <label className={styles.talk}>
      <span>{backstageText('group.speaksUp')}</span>
      <input
        // Until it is let go, the value is the slider's own.
        key={percent}
        type="range"
        min={0}
        max={100}
        step={5}
        aria-label={backstageText('group.howOften', { name: member.name })}
        aria-valuetext={`${percent} %`}
        defaultValue={percent}
        disabled={isDisabled}
        onPointerUp={letGo}
        onKeyUp={letGo}
      />
      <output>{percent} %</output>
    </label>
  )
}
