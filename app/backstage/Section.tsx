import { useId } from 'react'
import type { ReactNode } from 'react'

import styles from './Section.module.css'

interface SectionProps {
  readonly title: string
  readonly children: ReactNode
}

/** A part of the drawer under its heading. */
export function Section({ title, children }: SectionProps) {
  const id = useId()
  return (
    <section className={styles.section} aria-labelledby={id}>
      <h3 id={id} className={styles.title}>
        {title}
      </h3>
      {children}
    </section>
  )
}
