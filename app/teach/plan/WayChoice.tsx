import type { Way } from '../../stores/teach/rehearsalPlan.ts'
import styles from './WayChoice.module.css'
import { teachText } from '../../words/teach.ts'

const ways = ['full', 'quick', 'all'] as const satisfies readonly Way[]

interface WayChoiceProps {
  readonly value: Way
  /** Whether a company is there to join. */
  readonly canJoin: boolean
  readonly onChange: (way: Way) => void
}

/** The three ways to rehearse, a sentence each. */
export function WayChoice({ value, canJoin, onChange }: WayChoiceProps) {
  return (
    <fieldset className={styles.ways}>
      <legend className={styles.legend}>{teachText('way')}</legend>
      {ways.map((way) => (
        <label key={way} className={styles.way}>
          <input
            type="radio"
            name="way"
            checked={value === way}
            disabled={!canJoin && way !== 'all'}
            onChange={() => onChange(way)}
          />
          <span>
            <span className={styles.name}>{teachText(`way.${way}`)}</span>
            <span className={styles.about}>{teachText(`way.${way}.about`)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
