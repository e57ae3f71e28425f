import { useId } from 'react'

import { changeSettings, useSettings } from '../stores/page/settings.ts'
import styles from './CallMe.module.css'

/** What the characters call the visitor, to be changed where it stands. */
export function CallMe() {
  const userName = useSettings((state) => state.userName)
  const id = useId()
  return (
    <p className={styles.line}>
      <label htmlFor={id}>They will call you</label>
      <input
        id={id}
        className={styles.name}
        defaultValue={userName}
        key={userName}
        maxLength={40}
        autoComplete="nickname"
        spellCheck={false}
        onBlur={(event) => changeSettings({ userName: event.target.value.trim() || 'stranger' })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur()
        }}
      />
    </p>
  )
}
