import type { PackFacts } from '../../../src/formats/packFacts.ts'
import { useMemo } from 'react'

import { faceOf } from '../../../src/cast/face.ts'
import { accentProps, Portrait } from '../../shared/Portrait.tsx'
import { Button } from '../../shared/Button.tsx'
import { ErrorNotice } from '../../shared/ErrorNotice.tsx'
import { bytes } from '../../shared/format.ts'
import {
  dismissFirstNightFailure,
  keepResult,
  shareResult,
  talkToResult,
  useFirstNight,
} from '../../stores/exchange/firstNight.ts'
import { isTraining, useTraining } from '../../stores/teach/training.ts'
import { bestHeldOut, lossesOf } from '../../stores/teach/progress.ts'
import styles from './FirstNight.module.css'
import { Library } from './Library.tsx'
import asides from '../../shared/Asides.module.css'

/** The third step: meet who came of it, keep them, hand them on. */
export function FirstNight() {
  const facts = useFirstNight((state) => state.facts)
  const failure = useFirstNight((state) => state.failure)
  const isBusy = useTraining(isTraining)
  return (
    <>
      {failure && (
        <ErrorNotice
          failure={failure}
          onRetry={() => void keepResult()}
          onDismiss={dismissFirstNightFailure}
        />
      )}
      {facts && !isBusy ? (
        <Newcomer facts={facts} />
      ) : (
        <p className={asides.quiet}>
          {isBusy
            ? 'Pause the rehearsal to talk to them as they are by then; it can go on afterwards.'
            : 'When a rehearsal pauses or ends, whoever came of it waits here.'}
        </p>
      )}
      <Library />
    </>
  )
}

function Newcomer({ facts }: { readonly facts: PackFacts }) {
  const role = useTraining((state) => state.run?.trial.role ?? '')
  const history = useTraining((state) => state.history)
  const result = useTraining((state) => state.result)
  const phase = useTraining((state) => state.phase)
  const isElsewhere = useTraining((state) => state.isElsewhere)
  const { kept, isBusy } = useFirstNight()
  const face = useMemo(() => {
    const vector = facts.roles.find(({ name }) => name === role)?.vector
    return vector ? faceOf(vector) : null
  }, [facts, role])
  const losses = lossesOf(history.points)
  const best = bestHeldOut(history)
  return (
    <div className={styles.newcomer} {...accentProps(face?.accent)}>
      <div className={styles.picture}>
        <Portrait member={{ displayName: role, portrait: face?.portrait ?? null }} size="large" />
      </div>
      <div className={styles.words}>
        <h3 className={styles.name}>{role}</h3>
        <p className={styles.facts}>
          {phase === 'paused' ? 'As they are at the pause.' : 'The rehearsal is over.'}{' '}
          {losses && `The loss went from ${losses.first.toFixed(2)} to ${losses.last.toFixed(2)}. `}
          {result?.best &&
            best &&
            `This is step ${best.step}, where the loss on the lines held out was lowest. `}
          {companyOf(facts, role)}, {bytes(facts.bytes)}.
        </p>
        <div className={styles.actions}>
          <Button
            label={`Talk to ${role}`}
            look="strong"
            disabled={isBusy || isElsewhere}
            onClick={() => void talkToResult()}
          />
          <Button
            label={kept ? 'Kept on this device' : 'Keep on this device'}
            icon={kept ? 'trained' : 'in'}
            disabled={isBusy || kept !== null}
            onClick={() => void keepResult()}
          />
          <Button label="Share" icon="share" disabled={isBusy} onClick={() => void shareResult()} />
        </div>
        <p className={styles.note}>
          Handed on as one file, they play wherever the same model is loaded. The face is drawn from the
          character’s own vector: other weights, another face.
        </p>
      </div>
    </div>
  )
}

/** Who else is in the pack. */
function companyOf({ roles }: PackFacts, role: string): string {
  const others = roles.filter(({ name }) => name !== role).length
  if (others === 0) return 'A company of one'
  return others === 1 ? 'In a company with one other' : `In a company with ${others} others`
}
