import { Button } from '../../shared/Button.tsx'
import { count } from '../../shared/format.ts'
import { Notice } from '../../shared/Notice.tsx'
import { goTo } from '../../stores/page/route.ts'
import { isTraining, pauseTraining, useTraining } from '../../stores/teach/training.ts'
import { lastStep } from '../../stores/teach/progress.ts'

/** Says, wherever somebody would be talked to, that the graphics card rehearses. */
export function RehearsalNotice() {
  const isBusy = useTraining(isTraining)
  const isPausing = useTraining((state) => state.phase === 'pausing')
  const total = useTraining((state) => state.history.plan?.totalSteps)
  const step = useTraining((state) => lastStep(state.history))
  if (!isBusy) return null
  return (
    <Notice
      title="A rehearsal is going on"
      tone="calm"
      actions={
        <>
          <Button label="Pause the rehearsal" icon="pause" disabled={isPausing} onClick={pauseTraining} />
          <Button label="Look at it" look="quiet" onClick={() => goTo({ screen: 'teach' })} />
        </>
      }
    >
      {/* The number changes all the time and is not read out each time. */}
      <p aria-live="off">
        {total ? `Step ${count(step)} of ${count(total)}. ` : ''}The graphics card is busy with it, and nobody
        answers until it is paused.
      </p>
    </Notice>
  )
}
