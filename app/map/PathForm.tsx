import { useState } from 'react'

import type { CastMember } from '../../src/cast/member.ts'
import { Button } from '../shared/Button.tsx'
import asides from '../shared/Asides.module.css'
import { beginPath, leavePath, useCastMap } from '../stores/chat/castMap.ts'
import type { CastPath } from '../stores/chat/castMap.ts'
import { mixText, useBlend } from '../stores/chat/blend.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './MapScreen.module.css'
import { mapText } from '../words/map.ts'

/** In how many answers one can turn into another. */
const COUNTS = [3, 5, 7, 9, 11]

/** A chat that turns from one character into another, an answer at a time. */
export function PathForm({ company }: { readonly company: readonly CastMember[] }) {
  const path = useCastMap((state) => state.path)
  const isAnswering = useBlend((state) => state.isAnswering)
  const [chosen, setChosen] = useState<{ readonly from?: string; readonly to?: string }>({})
  const [answers, setAnswers] = useState(5)
  const [first, second] = company
  const from = keyIn(company, chosen.from) ?? first?.key ?? ''
  const to = keyIn(company, chosen.to) ?? second?.key ?? ''
  if (path) return <Walked path={path} company={company} />
  return (
    <form
      className={styles.path}
      onSubmit={(event) => {
        event.preventDefault()
        beginPath(from, to, answers)
      }}
    >
      <Whom
        label={mapText('path.from')}
        company={company}
        value={from}
        onChange={(key) => setChosen({ ...chosen, from: key })}
      />
      <Whom
        label={mapText('path.to')}
        company={company}
        value={to}
        onChange={(key) => setChosen({ ...chosen, to: key })}
      />
      <Field label={mapText('path.answers')}>
        {(id) => (
          <select id={id} value={answers} onChange={({ target }) => setAnswers(Number(target.value))}>
            {COUNTS.map((count) => (
              <option key={count}>{count}</option>
            ))}
          </select>
        )}
      </Field>
      <Button type="submit" label={mapText('path.begin')} disabled={isAnswering || from === to} />
      <p className={asides.note}>{mapText('path.about')}</p>
    </form>
  )
}

interface WalkedProps {
  readonly path: CastPath
  readonly company: readonly CastMember[]
}

/** How far a path has gone, and the way out of it. */
function Walked({ path, company }: WalkedProps) {
  const parts = useBlend((state) => state.parts)
  const isOver = path.given >= path.answers
  return (
    <div className={styles.path}>
      <p role="status">
        {isOver
          ? mapText('path.over')
          : mapText('path.at', {
              given: path.given + 1,
              answers: path.answers,
              mix: mixText(parts, company),
            })}
      </p>
      <Button
        label={isOver ? mapText('path.another') : mapText('path.leave')}
        look="quiet"
        onClick={leavePath}
      />
    </div>
  )
}

function keyIn(company: readonly CastMember[], key: string | undefined): string | undefined {
  return company.find((member) => member.key === key)?.key
}

interface WhomProps {
  readonly label: string
  readonly company: readonly CastMember[]
  readonly value: string
  readonly onChange: (key: string) => void
}

function Whom({ label, company, value, onChange }: WhomProps) {
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} value={value} onChange={({ target }) => onChange(target.value)}>
          {company.map(({ key, displayName }) => (
            <option key={key} value={key}>
              {displayName}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
