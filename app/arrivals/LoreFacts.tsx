import type { LoreArrival } from '../../src/exchange/arrival.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { count } from '../shared/format.ts'
import { Notice } from '../shared/Notice.tsx'
import { chooseGoal, loreGoals } from '../stores/exchange/arrivals.ts'
import type { ArrivalEntry } from '../stores/exchange/arrivals.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'

/** Sentences of what is not done that the sheet shows. */
const MOST_UNMET = 8

/** What a lorebook holds, and whom it goes with. */
export function LoreFacts({
  entry,
  arrival,
}: {
  readonly entry: ArrivalEntry
  readonly arrival: LoreArrival
}) {
  const { name, entries, program, unmet, warnings } = arrival
  const goals = loreGoals()
  const chosen = goals.findIndex(({ goal }) => goal.kind === entry.goal?.kind && goal.id === entry.goal.id)
  return (
    <>
      <header className={styles.head}>
        <h3 className={styles.name}>
          <bdi>{plainName(name)}</bdi>
        </h3>
        <p className={asides.quiet}>
          A lorebook of {entries === 1 ? 'one entry' : `${count(entries)} entries`}
          {program === 'a card' ? '' : `, from ${program}`}
        </p>
      </header>
      {goals.length > 0 ? (
        <label className={styles.goal}>
          <span>Goes with</span>
          <select
            value={chosen}
            onChange={(event) => {
              const found = goals[Number(event.target.value)]
              if (found) chooseGoal(entry.id, found.goal)
            }}
          >
            {goals.map(({ goal, name: title }, index) => (
              <option key={`${goal.kind} ${goal.id}`} value={index}>
                {title}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <p>It goes with a chat or with a card: begin one first, then bring it again.</p>
      )}
      {unmet.length + warnings.length > 0 && (
        <Notice title="Not everything in it does something here" tone="calm">
          {[...warnings, ...unmet].slice(0, MOST_UNMET).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {unmet.length > MOST_UNMET && (
            <p>And {count(unmet.length - MOST_UNMET)} more. All of it is kept.</p>
          )}
        </Notice>
      )}
    </>
  )
}
