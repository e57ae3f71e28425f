import type { Chat } from '../../src/storage/chat.ts'
import { exampleJson } from '../../src/cast/cardTexts.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { findMember, useCast } from '../stores/company/cast.ts'
import { setScene } from '../stores/chat/chats.ts'
import { isAnswering, useGeneration } from '../stores/chat/generation.ts'
import { characterName } from '../stores/chat/scene.ts'
import { Button } from '../shared/Button.tsx'
import { teachExamples } from '../stores/exchange/arrivals.ts'
import { routeHash } from '../stores/page/route.ts'
import { showBackstage } from '../stores/page/session.ts'
import { EditGuest } from './EditGuest.tsx'
import { Section } from './Section.tsx'
import { StrengthSlider } from './StrengthSlider.tsx'
import { Joining } from './Joining.tsx'
import styles from './RoleSection.module.css'
import { backstageText } from '../words/backstage.ts'

/** Who plays, and how strongly. */
export function RoleSection({ chat }: { readonly chat: Chat }) {
  const members = useCast((state) => state.members)
  const isBusy = useGeneration(isAnswering)
  const { key, strength } = chat
  const shown = findMember(members, key)
  const examples = shown?.card ? exampleJson(shown.card) : null
  return (
    <Section title={backstageText('who')}>
      <fieldset className={styles.cast} disabled={isBusy} aria-label={backstageText('who')}>
        {[...members, undefined].map((member) => (
          <Choice
            key={member?.key ?? 'nobody'}
            member={member}
            isChosen={key === (member?.key ?? null)}
            onChoose={() => void setScene({ key: member?.key ?? null, strength })}
          />
        ))}
      </fieldset>
      <p className={styles.who}>{key === null ? backstageText('who.nobody') : characterName(shown, key)}</p>
      <p className={styles.ways}>
        <a href={routeHash({ screen: 'blend' })} onClick={() => showBackstage(false)}>
          {backstageText('who.blend')}
        </a>
        {shown?.isTrained === false && examples !== null && (
          <Button
            label={backstageText('who.teach', { displayName: shown.displayName })}
            icon="trained"
            onClick={() => {
              showBackstage(false)
              void teachExamples(shown.displayName, examples)
            }}
          />
        )}
      </p>
      <Joining chat={chat} isDisabled={isBusy} />
      {shown && <EditGuest key={shown.key} member={shown} />}
      <StrengthSlider chat={chat} isDisabled={isBusy || key === null} />
    </Section>
  )
}

interface ChoiceProps {
  /** Nobody where left out: the bare model. */
  readonly member: CastMember | undefined
  readonly isChosen: boolean
  readonly onChoose: () => void
}

function Choice({ member, isChosen, onChoose }: ChoiceProps) {
  const name = member?.displayName ?? backstageText('who.bare')
  return (
    <label className={styles.role} title={name} {...accentProps(member?.accent)}>
      <input type="radio" name="role" aria-label={name} checked={isChosen} onChange={onChoose} />
      <Portrait member={member} size="medium" />
    </label>
  )
}
