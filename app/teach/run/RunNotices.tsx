import { Button } from '../../shared/Button.tsx'
import { ErrorNotice } from '../../shared/ErrorNotice.tsx'
import { bytes, count } from '../../shared/format.ts'
import { Notice } from '../../shared/Notice.tsx'
import { saveResult, useFirstNight } from '../../stores/exchange/firstNight.ts'
import {
  dismissTrainingFailure,
  isTraining,
  resumeTraining,
  useTraining,
} from '../../stores/teach/training.ts'

/** What went wrong with a run, what of it is safe, and what to do. */
export function RunNotices() {
  return (
    <>
      <RoomNotice />
      <FailureNotice />
      <CutOffNotice />
      <UnkeptNotice />
    </>
  )
}

function RoomNotice() {
  const room = useTraining((state) => state.room)
  const keptStep = useTraining((state) => state.keptStep)
  const isBusy = useTraining(isTraining)
  const hasPack = useFirstNight((state) => state.facts !== null)
  if (!room) return null
  return (
    <Notice
      title="There is no room for the next checkpoint"
      tone="danger"
      actions={
        !isBusy && (
          <>
            <Button label="Try again" icon="again" look="strong" onClick={() => void resumeTraining()} />
            {hasPack && <Button label="Save what it learnt to a file" icon="out" onClick={saveResult} />}
          </>
        )
      }
    >
      <p>
        The one of step {count(room.step)} needs {bytes(room.neededBytes)}; the browser says that about{' '}
        {bytes(room.freeBytes)} are free{room.freeBytes > room.neededBytes && ', and still refuses'}.{' '}
        {keptStep === null
          ? 'None is kept yet.'
          : `The one of step ${count(keptStep)} is kept and will be here tomorrow.`}
      </p>
      <p>
        The rehearsal is paused. What it learnt since is held while this page stays open. Free some room:
        Backstage, free a model that you do not need or erase deleted chats; at the foot of this page, remove
        a company.
      </p>
    </Notice>
  )
}

function FailureNotice() {
  const failure = useTraining((state) => state.failure)
  const keptStep = useTraining((state) => state.keptStep)
  if (!failure) return null
  return (
    <ErrorNotice failure={failure} onDismiss={dismissTrainingFailure}>
      The rehearsal stopped.{' '}
      {keptStep === null
        ? 'It had no checkpoint yet, so going on means beginning again.'
        : `Everything up to step ${count(keptStep)} is kept; going on begins there.`}
    </ErrorNotice>
  )
}

function CutOffNotice() {
  const cutOffAt = useTraining((state) => state.cutOffAt)
  const keptStep = useTraining((state) => state.keptStep)
  const isElsewhere = useTraining((state) => state.isElsewhere)
  if (cutOffAt === null || isElsewhere) return null
  return (
    <Notice title="The page was closed during the rehearsal" tone="calm">
      <p>
        {keptStep === null
          ? 'It had no checkpoint yet, so it begins again.'
          : `It had come to step ${count(Math.max(cutOffAt, keptStep))} and goes on from step ${count(keptStep)}, which is kept.`}
      </p>
    </Notice>
  )
}

function UnkeptNotice() {
  const isUnkept = useTraining((state) => state.isUnkept)
  if (!isUnkept) return null
  return (
    <Notice title="The browser keeps nothing of this rehearsal" tone="warning">
      <p>It lasts as long as this page. Save who comes of it to a file before you close it.</p>
    </Notice>
  )
}
