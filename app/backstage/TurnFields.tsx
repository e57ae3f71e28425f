import type { ChatGroup, TurnOrder } from '../../src/storage/records.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './PersonaSection.module.css'

const ORDERS: readonly { readonly value: TurnOrder; readonly name: string; readonly about: string }[] = [
  {
    value: 'natural',
    name: 'Whoever is named, or speaks up',
    about: 'A name calls its bearer; the talkative join in unasked.',
  },
  { value: 'list', name: 'Everybody, in turn', about: 'Each of them answers, in the order above.' },
  {
    value: 'pooled',
    name: 'One who has not spoken yet',
    about: 'One answers, drawn from those who have not since you did.',
  },
  {
    value: 'manual',
    name: 'Whom you give the word',
    about: 'Nobody answers by themselves: a face above the box gives its owner the word.',
  },
]

export type TurnSettings = Pick<ChatGroup, 'order' | 'repliesToSelf' | 'scene'>

interface TurnFieldsProps extends TurnSettings {
  readonly isDisabled?: boolean
  readonly onChange: (changes: Partial<TurnSettings>) => void
}

/** How several take turns, and where they are. */
export function TurnFields({ order, repliesToSelf, scene, isDisabled = false, onChange }: TurnFieldsProps) {
  const about = ORDERS.find(({ value }) => value === order)?.about ?? ''
  return (
    <>
      <Field label="Who answers" about={about}>
        {(id, aboutId) => (
          <select
            id={id}
            aria-describedby={aboutId}
            value={order}
            disabled={isDisabled}
            onChange={({ target }) => {
              const chosen = ORDERS.find(({ value }) => value === target.value)
              if (chosen) onChange({ order: chosen.value })
            }}
          >
            {ORDERS.map(({ value, name }) => (
              <option key={value} value={value}>
                {name}
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
          Whoever spoke last may go on
        </label>
      )}
      <Field label="The scene" about="In place of the scenarios on their cards.">
        {(id, aboutId) => (
          <textarea
            id={id}
            key={scene}
            aria-describedby={aboutId}
            rows={3}
            dir="auto"
            defaultValue={scene}
            placeholder="The ferry, at night. Nobody has slept."
            onBlur={({ target }) => onChange({ scene: target.value })}
          />
        )}
      </Field>
    </>
  )
}
