import type { Way } from '../../stores/teach/rehearsalPlan.ts'
import styles from './WayChoice.module.css'

const ways: readonly { readonly value: Way; readonly name: string; readonly about: string }[] = [
  {
    value: 'full',
    name: 'A newcomer, full',
    about: 'The newcomer joins a company, and everybody there may move a little to make room.',
  },
  {
    value: 'quick',
    name: 'A newcomer, quick',
    about: 'Only one vector is fitted to the newcomer; everybody else stays exactly as they are.',
  },
  {
    value: 'all',
    name: 'Everything',
    about: 'A new company out of these lines alone, learnt from nothing.',
  },
]

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
      <legend className={styles.legend}>Way to rehearse</legend>
      {ways.map((way) => (
        <label key={way.value} className={styles.way}>
          <input
            type="radio"
            name="way"
            checked={value === way.value}
            disabled={!canJoin && way.value !== 'all'}
            onChange={() => onChange(way.value)}
          />
          <span>
            <span className={styles.name}>{way.name}</span>
            <span className={styles.about}>{way.about}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
