import { useState } from 'react'

import type { RunRecord } from '../../../src/storage/runs.ts'
import { Button } from '../../shared/Button.tsx'
import { count } from '../../shared/format.ts'
import { discardTraining, isTraining, useTraining } from '../../stores/teach/training.ts'
import { goToStep } from '../parts/goToStep.ts'
import styles from './RunLines.module.css'

/** How many dialogues the fold shows. */
const SHOWN = 30

/** The lines of the run that is under way or over, to look at. */
export function RunLines({ run }: { readonly run: RunRecord }) {
  const isHeld = useTraining((state) => isTraining(state) || state.isElsewhere)
  const heldOut = run.dialogues.filter(({ split }) => split !== 'train').length
  return (
    <div className={styles.lines}>
      <p>
        {count(run.dialogues.length)} dialogues of {run.roles.join(', ')}, {count(heldOut)} of them held out.
      </p>
      <details className={styles.fold}>
        <summary>Look at the lines</summary>
        <ol className={styles.list}>
          {run.dialogues.slice(0, SHOWN).map((dialogue, index) => (
            // The lines of a run never change: their places are their keys.
            <li key={index}>
              {dialogue.turns.map((turn, place) => (
                <p key={place} className={turn.speaker === 'user' ? styles.visitor : styles.role}>
                  {turn.text}
                </p>
              ))}
              {dialogue.split !== 'train' && <p className={styles.mark}>held out</p>}
            </li>
          ))}
        </ol>
        {run.dialogues.length > SHOWN && (
          <p className={styles.mark}>and {count(run.dialogues.length - SHOWN)} more.</p>
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
        <Button label="Begin with other lines" icon="plus" onClick={() => setIsAsking(true)} />
      </div>
    )
  }
  return (
    <div className={styles.question}>
      <p>This rehearsal and its checkpoints go. Who came of it stays only where it was kept or saved.</p>
      <div className={styles.buttons}>
        <Button
          label="Put the rehearsal away"
          look="danger"
          onClick={() => {
            void discardTraining()
            goToStep(1)
          }}
        />
        <Button label="Leave it" look="quiet" onClick={() => setIsAsking(false)} />
      </div>
    </div>
  )
}
