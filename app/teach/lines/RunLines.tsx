import { useState } from 'react'

import type { RunRecord } from '../../../src/storage/runs.ts'
import { Button } from '../../shared/Button.tsx'
import { discardTraining, isTraining, useTraining } from '../../stores/teach/training.ts'
import { goToStep } from '../parts/goToStep.ts'
import styles from './RunLines.module.css'
import { teachText } from '../../words/teach.ts'
import { list } from '../../shared/format.ts'

/** How many dialogues the fold shows. */
const SHOWN = 30

/** The lines of the run that is under way or over, to look at. */
export function RunLines({ run }: { readonly run: RunRecord }) {
  const isHeld = useTraining((state) => isTraining(state) || state.isElsewhere)
  const heldOut = run.dialogues.filter(({ split }) => split !== 'train').length
  return (
    <div className={styles.lines}>
      <p>{teachText('run.lines', { dialogues: run.dialogues.length, roles: list(run.roles), heldOut })}</p>
      <details className={styles.fold}>
        <summary>{teachText('run.look')}</summary>
        <ol className={styles.list}>
          {run.dialogues.slice(0, SHOWN).map((dialogue, index) => (
            // The lines of a run never change: their places are their keys.
            <li key={index}>
              {dialogue.turns.map((turn, place) => (
                <p key={place} className={turn.speaker === 'user' ? styles.visitor : styles.role}>
                  {turn.text}
                </p>
              ))}
              {dialogue.split !== 'train' && <p className={styles.mark}>{teachText('heldOut')}</p>}
            </li>
          ))}
        </ol>
        {run.dialogues.length > SHOWN && (
          <p className={styles.mark}>{teachText('run.more', { more: run.dialogues.length - SHOWN })}</p>
        )}
      </details>
      {!isHeld && <PutAway />}
    </div>
  )
}

/** Makes room for other lines, asking once where something would be lost. */
function PutAway() {
  const [isAsking, setIsAsking] = useState(false)
  if (!isAsking) {
    return (
      <div>
        <Button label={teachText('run.others')} icon="plus" onClick={() => setIsAsking(true)} />
      </div>
    )
  }
  return (
    <div className={styles.question}>
      <p>{teachText('run.discard.about')}</p>
      <div className={styles.buttons}>
        <Button
          label={teachText('run.discard')}
          look="danger"
          onClick={() => {
            void discardTraining()
            goToStep(1)
          }}
        />
        <Button label={teachText('leave')} look="quiet" onClick={() => setIsAsking(false)} />
      </div>
    </div>
  )
}
