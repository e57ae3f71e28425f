import { isPause, PAUSE } from '../../src/core/pause.ts'
import type { ChatGroup, JoinedCards, TurnOrder } from '../../src/storage/records.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './PersonaSection.module.css'
import { backstageText } from '../words/backstage.ts'

const ORDERS = ['natural', 'list', 'pooled', 'manual'] as const satisfies readonly TurnOrder[]

export type TurnSettings = Omit<ChatGroup, 'members' | 'foreign'>

interface TurnFieldsProps extends TurnSettings {
  readonly isDisabled?: boolean
  readonly onChange: (changes: Partial<TurnSettings>) => void
}

/** How several take turns, and where they are. */
export function TurnFields(props: TurnFieldsProps) {
  const { order, repliesToSelf, scene, isDisabled = false, onChange } = props
  return (
    <>
      <Field label={backstageText('turns')} about={backstageText(`turns.${order}.about`)}>
        {(id, aboutId) => (
          <select
            id={id}
            aria-describedby={aboutId}
            value={order}
            disabled={isDisabled}
            onChange={({ target }) => {
              const chosen = ORDERS.find((one) => one === target.value)
              if (chosen) onChange({ order: chosen })
            }}
          >
            {ORDERS.map((value) => (
              <option key={value} value={value}>
                {backstageText(`turns.${value}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {order !== 'list' && (
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={repliesToSelf}
            disabled={isDisabled}
            onChange={({ target }) => onChange({ repliesToSelf: target.checked })}
          />
          {backstageText('turns.repliesToSelf')}
        </label>
      )}
      <Field label={backstageText('scene')} about={backstageText('scene.about')}>
        {(id, aboutId) => (
          <textarea
            id={id}
            key={scene}
            aria-describedby={aboutId}
            rows={3}
            dir="auto"
            defaultValue={scene}
            placeholder={backstageText('scene.hint')}
            onBlur={({ target }) => onChange({ scene: target.value })}
          />
        )}
      </Field>
      <CardsField {...props} />
      <PauseField {...props} />
    </>
  )
}

/** How long it is silent between two who go on by themselves. */
function PauseField({ pause = PAUSE.usual, onChange }: TurnFieldsProps) {
  return (
    <Field label={backstageText('turns.pause')} about={backstageText('turns.pause.about')}>
      {(id, aboutId) => (
        <input
          id={id}
          key={pause}
          type="number"
          min={PAUSE.least}
          max={PAUSE.most}
          aria-describedby={aboutId}
          defaultValue={pause}
          onBlur={({ target }) => {
            if (isPause(target.valueAsNumber)) onChange({ pause: target.valueAsNumber })
            else target.value = String(pause)
          }}
        />
      )}
    </Field>
  )
}

const CARDS = ['own', 'unmuted', 'all'] as const

/** Whose cards whoever speaks is told, and what stands around each of several. */
function CardsField({ joined, isDisabled = false, onChange }: TurnFieldsProps) {
  const told = !joined ? 'own' : joined.isWithMuted ? 'all' : 'unmuted'
  return (
    <>
      <Field label={backstageText('cards')} about={backstageText(`cards.${told}.about`)}>
        {(id, aboutId) => (
          <select
            id={id}
            aria-describedby={aboutId}
            value={told}
            disabled={isDisabled}
            onChange={({ target: { value } }) => {
              const { prefix = '', suffix = '' } = joined ?? {}
              onChange({ joined: value === 'own' ? null : { isWithMuted: value === 'all', prefix, suffix } })
            }}
          >
            {CARDS.map((value) => (
              <option key={value} value={value}>
                {backstageText(`cards.${value}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {joined && <AroundFields joined={joined} onChange={onChange} />}
    </>
  )
}

interface AroundFieldsProps extends Pick<TurnFieldsProps, 'onChange'> {
  readonly joined: JoinedCards
}

/** What stands around each text of each card. */
function AroundFields({ joined, onChange }: AroundFieldsProps) {
  return (['prefix', 'suffix'] as const).map((side) => (
    <Field key={side} label={backstageText(`cards.${side}`)} about={backstageText(`cards.${side}.about`)}>
      {(id, aboutId) => (
        <textarea
          id={id}
          key={joined[side]}
          aria-describedby={aboutId}
          rows={2}
          dir="auto"
          defaultValue={joined[side]}
          onBlur={({ target }) => onChange({ joined: { ...joined, [side]: target.value } })}
        />
      )}
    </Field>
  ))
}
