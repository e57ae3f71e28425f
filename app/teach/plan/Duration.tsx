import { useEffect } from 'react'

import { downloadBytes } from '../../../src/storage/manifest.ts'
import { Button } from '../../shared/Button.tsx'
import { errorText } from '../../shared/errorText.ts'
import { bytes, count, duration } from '../../shared/format.ts'
import { Notice } from '../../shared/Notice.tsx'
import { chooseBackbone, useEngine } from '../../stores/engine/engine.ts'
import { followPlan, saveKit, useEstimate } from '../../stores/teach/estimate.ts'
import { useRehearsalPlan } from '../../stores/teach/rehearsalPlan.ts'
import { useSettings } from '../../stores/page/settings.ts'
import { stepsOf } from '../../stores/teach/config.ts'
import styles from './Duration.module.css'

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
      <Notice title={errorText[failure.code].title} tone="warning" actions={<SaveKit />}>
        <p>A step was tried and failed, so the rehearsal would, too: {failure.message}.</p>
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
          `About ${duration(total)} on this machine: ${count(steps)} steps of ${duration(estimate.secondsPerStep)}, in ${bytes(estimate.gpuBytes)} of graphics memory.`}
        {isTrying && 'A short step is tried, to know how long it will take …'}
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
      title={`This would take about ${duration(total)} here`}
      tone="warning"
      actions={
        <>
          {smaller && (
            <Button
              label={`Rehearse on ${smaller.name} instead`}
              onClick={() => void chooseBackbone(smaller.id)}
            />
          )}
          <SaveKit />
        </>
      }
    >
      <p>
        {count(steps)} steps of {duration(perStep)} each
        {isSoftware && ', because the browser found no graphics card and the processor plays one'}. Fewer
        steps take less
        {smaller && ', a smaller model much less'}; or take the rehearsal to a machine that is faster.
      </p>
    </Notice>
  )
}

/** On the processor nobody learns; why, the page says at its head. */
function Elsewhere() {
  return (
    <div className={styles.line}>
      <p className={styles.time}>
        Another machine can hold this rehearsal: the zip has the lines, the settings and the one command that
        it needs. What comes of it plays here.
      </p>
      <SaveKit />
    </div>
  )
}

function SaveKit() {
  return (
    <Button
      label="Rehearse elsewhere"
      icon="out"
      title="Saves a zip for another machine"
      onClick={() => void saveKit()}
    />
  )
}
