import type { ReactNode } from 'react'

import { Icon } from './Icon.tsx'
import styles from './Notice.module.css'

interface NoticeProps {
  readonly title: string
  readonly tone: 'calm' | 'warning' | 'danger'
  readonly children: ReactNode
  /** Buttons. */
  readonly actions?: ReactNode
}

/** A message in the page: what happened, what is safe, what to do. */
export function Notice({ title, tone, children, actions }: NoticeProps) {
  return (
    <section
      className={[styles.notice, styles[tone]].join(' ')}
      role={tone === 'danger' ? 'alert' : 'status'}
      aria-label={title}
    >
      {tone !== 'calm' && (
        <span className={styles.icon}>
          <Icon name="warning" />
        </span>
      )}
      <div className={styles.body}>
        <h2 className={styles.title}>{title}</h2>
        {children}
        {actions && <div className={styles.actions}>{actions}</div>}
      </div>
    </section>
  )
}
