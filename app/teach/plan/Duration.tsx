import { useEffect } from 'react'

import { downloadBytes } from '../../../src/storage/manifest.ts'
import { Button } from '../../shared/Button.tsx'
import { errorAdvice } from '../../shared/errorAdvice.ts'
import { bytes, duration } from '../../shared/format.ts'
import { Notice } from '../../shared/Notice.tsx'
import { chooseBackbone, useEngine } from '../../stores/engine/engine.ts'
import { followPlan, saveKit, useEstimate } from '../../stores/teach/estimate.ts'
import { useRehearsalPlan } from '../../stores/teach/rehearsalPlan.ts'
import { useSettings } from '../../stores/page/settings.ts'
import { stepsOf } from '../../stores/teach/config.ts'
import styles from './Duration.module.css'
import { detailText } from '../../words/details.ts'
import { teachText } from '../../words/teach.ts'

/** From here on a rehearsal is no matter of sitting by. */
const LONG_SECONDS = 3600

/** What the rehearsal would take on this machine, and where else it could be held. */
export function Duration() {
  const steps = useRehearsalPlan((state) => stepsOf(state.overrides))
  const info = useEngine((state) => state.info)
  const { estimate, isTrying, failure } = useEstimate()
  const duty = useSettings((state) => state.duty)
  useEffect(followPlan, [])

  if (!info) return null
  if (info.computing.path !== 'webgpu') return <Elsewhere />
  if (failure) {
    return (
      <Notice title={errorAdvice(failure.code).title} tone="warning" actions={<SaveKit />}>
        <p>{teachText('duration.failed', { message: detailText(failure.message) })}</p>
      </Notice>
    )
  }
  const total = estimate ? (steps * estimate.secondsPerStep) / duty : 0
  if (estimate && total >= LONG_SECONDS)
    return <LongTime total={total} perStep={estimate.secondsPerStep} steps={steps} />
  return (
    <div className={styles.line}>
      <p className={styles.time} role="status">
        {estimate &&
          teachText('duration', {
            total: duration(total),
            steps,
            step: duration(estimate.secondsPerStep),
            memory: bytes(estimate.gpuBytes),
          })}
        {isTrying && teachText('duration.trying')}
      </p>
      <SaveKit />
    </div>
  )
}

interface LongTimeProps {
  readonly total: number
  readonly perStep: number
  readonly steps: number
}

function LongTime({ total, perStep, steps }: LongTimeProps) {
  const current = useEngine((state) => state.backbone)
  const smaller = useEngine((state) => state.backbones)
    .filter((backbone) => current && downloadBytes(backbone) < downloadBytes(current))
    .toSorted((one, other) => downloadBytes(one) - downloadBytes(other))[0]
  const isSoftware = useEngine((state) => state.report?.status === 'software')
  return (
    <Notice
      title={teachText('duration.long', { total: duration(total) })}
      tone="warning"
      actions={
        <>
          {smaller && (
            <Button
              label={teachText('duration.smaller', { name: smaller.name })}
              onClick={() => void chooseBackbone(smaller.id)}
            />
          )}
          <SaveKit />
        </>
      }
    >
      <p>
        {teachText(isSoftware ? 'duration.software' : 'duration.each', { steps, step: duration(perStep) })}{' '}
        {teachText(smaller ? 'duration.adviceSmaller' : 'duration.advice')}
      </p>
    </Notice>
  )
}

/** On the processor nobody learns; why, the page says at its head. */
function Elsewhere() {
  return (
    <div className={styles.line}>
      <p className={styles.time}>{teachText('duration.elsewhere')}</p>
      <SaveKit />
    </div>
  )
}

function SaveKit() {
  return (
    <Button
      label={teachText('duration.kit')}
      icon="out"
      title={teachText('duration.kit.about')}
      onClick={() => void saveKit()}
    />
  )
}
