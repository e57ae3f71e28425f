import { useId } from 'react'

import { Button } from '../shared/Button.tsx'
import { showBackstage } from '../stores/page/session.ts'
import { useSettings } from '../stores/page/settings.ts'
import { changePersona, usualName } from '../stores/page/visitor.ts'
import styles from './CallMe.module.css'
import { castText } from '../words/cast.ts'

/** What the characters call the visitor, to be changed where it stands. */
export function CallMe() {
  const name = useSettings(usualName)
  const persona = useSettings((state) => state.persona)
  const id = useId()
  return (
    <p className={styles.line}>
      <label htmlFor={id}>{castText('callMe')}</label>
      <input
        id={id}
        className={styles.name}
        defaultValue={name}
        key={name}
        maxLength={40}
        autoComplete="nickname"
        spellCheck={false}
        onBlur={(event) => changePersona(persona, { name: event.target.value })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur()
        }}
      />
      <Button label={castText('callMe.personas')} look="quiet" onClick={() => showBackstage(true)} />
    </p>
  )
}
