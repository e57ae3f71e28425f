import { useState } from 'react'

import { mapColumns, useLines } from '../../stores/teach/lines.ts'
import styles from './ColumnMapping.module.css'
import { Field } from '../parts/Field.tsx'
import { teachText } from '../../words/teach.ts'

const NONE = ''

interface ColumnMappingProps {
  readonly columns: readonly string[]
  /** Whether the header's names say whose they are. */
  readonly isKnown: boolean
}

/** Which column of a table is whose; left alone, the header's names decide. */
export function ColumnMapping({ columns, isKnown }: ColumnMappingProps) {
  const mapped = useLines((state) => state.columns)
  const [choice, setChoice] = useState({
    role: mapped?.role ?? NONE,
    user: mapped?.user ?? NONE,
    reply: mapped?.reply ?? NONE,
  })
  const change = (part: Partial<typeof choice>): void => {
    const next = { ...choice, ...part }
    setChoice(next)
    const isWhole = next.user !== NONE && next.reply !== NONE
    mapColumns(isWhole ? { role: next.role || null, user: next.user, reply: next.reply } : null)
  }
  const isMapped = choice.user !== NONE && choice.reply !== NONE
  const suggested = isKnown && !isMapped ? teachText('columns.suggested') : teachText('columns.choose')
  return (
    <fieldset className={styles.mapping}>
      <legend className={styles.legend}>{teachText('columns')}</legend>
      <div className={styles.selects}>
        <ColumnSelect
          label={teachText('columns.user')}
          none={suggested}
          columns={columns}
          value={choice.user}
          onChange={(user) => change({ user })}
        />
        <ColumnSelect
          label={teachText('columns.reply')}
          none={suggested}
          columns={columns}
          value={choice.reply}
          onChange={(reply) => change({ reply })}
        />
        <ColumnSelect
          label={teachText('columns.role')}
          none={isKnown && !isMapped ? suggested : teachText('columns.none')}
          columns={columns}
          value={choice.role}
          onChange={(role) => change({ role })}
        />
      </div>
    </fieldset>
  )
}

interface ColumnSelectProps {
  readonly label: string
  readonly none: string
  readonly columns: readonly string[]
  readonly value: string
  readonly onChange: (value: string) => void
}

function ColumnSelect({ label, none, columns, value, onChange }: ColumnSelectProps) {
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value={NONE}>{none}</option>
          {columns
            .filter((column) => column !== '')
            .map((column) => (
              <option key={column} value={column}>
                {column}
              </option>
            ))}
        </select>
      )}
    </Field>
  )
}
