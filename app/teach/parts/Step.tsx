import { useId } from 'react'
import type { ReactNode } from 'react'

import styles from './Step.module.css'
import asides from '../../shared/Asides.module.css'

interface StepProps {
  readonly number: number
  readonly title: string
  readonly about: string | null
  readonly children: ReactNode
}

/** One of the three steps, its number and name in the margin. */
export function Step({ number, title, about, children }: StepProps) {
  const id = useId()
  return (
    <section className={styles.step} aria-labelledby={id}>
      <header className={styles.head}>
        <span className={styles.number} aria-hidden="true">
          {number}
        </span>
        <div>
          <h2 id={id} className={styles.title} tabIndex={-1} data-step={number}>
            {title}
          </h2>
          {about && <p className={asides.note}>{about}</p>}
        </div>
      </header>
      <div className={styles.body}>{children}</div>
    </section>
  )
}
