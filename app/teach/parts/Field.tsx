import { useId } from 'react'
import type { ReactNode } from 'react'

import styles from './Field.module.css'
import asides from '../../shared/Asides.module.css'

interface FieldProps {
  readonly label: string
  /** One sentence below. */
  readonly about?: string
  /** What stands beside the label: a marker, a button. */
  readonly beside?: ReactNode
  readonly children: (id: string, aboutId: string | undefined) => ReactNode
}

/** A control under its name, with a sentence on what it does. */
export function Field({ label, about, beside, children }: FieldProps) {
  const id = useId()
  const aboutId = about ? `${id}-about` : undefined
  return (
    <div className={styles.field}>
      <div className={styles.head}>
        <label htmlFor={id} className={styles.label}>
          {label}
        </label>
        {beside}
      </div>
      {children(id, aboutId)}
      {about && (
        <p id={aboutId} className={asides.note}>
          {about}
        </p>
      )}
    </div>
  )
}
