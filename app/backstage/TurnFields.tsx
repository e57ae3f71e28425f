import type { ChatGroup, TurnOrder } from '../../src/storage/records.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './PersonaSection.module.css'
import { backstageText } from '../words/backstage.ts'

const ORDERS = ['natural', 'list', 'pooled', 'manual'] as const satisfies readonly TurnOrder[]

export type TurnSettings = Pick<ChatGroup, 'order' | 'repliesToSelf' | 'scene'>

interface TurnFieldsProps extends TurnSettings {
  readonly isDisabled?: boolean
  readonly onChange: (changes: Partial<TurnSettings>) => void
}

/** How several take turns, and where they are. */
export function TurnFields({ order, repliesToSelf, scene, isDisabled = false, onChange }: TurnFieldsProps) {
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
    </>
  )
}
