import type { CSSProperties } from 'react'

import styles from './Progress.module.css'

interface ProgressProps {
  readonly label: string
  /** 0 to 1. */
  readonly fraction: number
}

/** One thin line that fills. */
export function Progress({ label, fraction }: ProgressProps) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, fraction)))
  return (
    <div
      className={styles.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      style={{ '--fraction': `${percent}%` } as CSSProperties}
    >
      <div className={styles.fill} />
    </div>
  )
}
