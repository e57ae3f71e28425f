import type { LoreArrival } from '../../src/exchange/arrival.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { DetailParagraph } from '../shared/Detail.tsx'
import { Notice } from '../shared/Notice.tsx'
import { chooseGoal, loreGoals } from '../stores/exchange/arrivals.ts'
import type { ArrivalEntry } from '../stores/exchange/arrivals.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'
import { arrivalsText } from '../words/arrivals.ts'
import { remarkText } from '../words/remark.ts'

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
          {program === 'a card'
            ? arrivalsText('lore', { entries })
            : arrivalsText('lore.from', { entries, program })}
        </p>
      </header>
      {goals.length > 0 ? (
        <label className={styles.goal}>
          <span>{arrivalsText('lore.goal')}</span>
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
        <p>{arrivalsText('lore.noGoal')}</p>
      )}
      <Unmet unmet={unmet} warnings={warnings} />
    </>
  )
}

/** What of a lorebook is not done here. */
function Unmet({ unmet, warnings }: Pick<LoreArrival, 'unmet' | 'warnings'>) {
  if (unmet.length + warnings.length === 0) return null
  return (
    <Notice title={arrivalsText('lore.unmet')} tone="calm">
      {warnings.map((sentence) => (
        <DetailParagraph key={sentence} detail={sentence} />
      ))}
      {unmet
        .slice(0, MOST_UNMET)
        .map(remarkText)
        .map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      {unmet.length > MOST_UNMET && <p>{arrivalsText('lore.more', { more: unmet.length - MOST_UNMET })}</p>}
    </Notice>
  )
}
