import { Button } from '../../shared/Button.tsx'
import { Notice } from '../../shared/Notice.tsx'
import { goTo } from '../../stores/page/route.ts'
import { isTraining, pauseTraining, useTraining } from '../../stores/teach/training.ts'
import { lastStep } from '../../stores/teach/progress.ts'
import { sharedText } from '../../words/shared.ts'

/** Says, wherever somebody would be talked to, that the graphics card rehearses. */
export function RehearsalNotice() {
  const isBusy = useTraining(isTraining)
  const isPausing = useTraining((state) => state.phase === 'pausing')
  const total = useTraining((state) => state.history.plan?.totalSteps)
  const step = useTraining((state) => lastStep(state.history))
  if (!isBusy) return null
  return (
    <Notice
      title={sharedText('rehearsal')}
      tone="calm"
      actions={
        <>
          <Button
            label={sharedText('rehearsal.pause')}
            icon="pause"
            disabled={isPausing}
            onClick={pauseTraining}
          />
          <Button
            label={sharedText('rehearsal.look')}
            look="quiet"
            onClick={() => goTo({ screen: 'teach' })}
          />
        </>
      }
    >
      {/* The number changes all the time and is not read out each time. */}
      <p aria-live="off">
        {total ? sharedText('rehearsal.busyAt', { step, total }) : sharedText('rehearsal.busy')}
      </p>
    </Notice>
  )
}
