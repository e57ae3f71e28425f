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
import { teachText } from '../../words/teach.ts'
import { decimal } from '../../shared/format.ts'

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
        <p className={asides.quiet}>{isBusy ? teachText('night.pause') : teachText('night.waits')}</p>
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
          {phase === 'paused' ? teachText('night.paused') : teachText('night.over')}{' '}
          {losses &&
            `${teachText('night.loss', { first: decimal(losses.first, 2), last: decimal(losses.last, 2) })} `}
          {result?.best && best && `${teachText('night.best', { step: best.step })} `}
          {companyOf(facts, role)}
        </p>
        <div className={styles.actions}>
          <Button
            label={teachText('night.talk', { role })}
            look="strong"
            disabled={isBusy || isElsewhere}
            onClick={() => void talkToResult()}
          />
          <Button
            label={kept ? teachText('night.kept') : teachText('night.keep')}
            icon={kept ? 'trained' : 'in'}
            disabled={isBusy || kept !== null}
            onClick={() => void keepResult()}
          />
          <Button
            label={teachText('night.share')}
            icon="share"
            disabled={isBusy}
            onClick={() => void shareResult()}
          />
        </div>
        <p className={styles.note}>{teachText('night.about')}</p>
      </div>
    </div>
  )
}

/** Who else is in the pack, and its size. */
function companyOf({ roles, bytes: size }: PackFacts, role: string): string {
  const others = roles.filter(({ name }) => name !== role).length
  return teachText('night.company', { others, size: bytes(size) })
}
