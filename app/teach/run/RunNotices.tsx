import { Button } from '../../shared/Button.tsx'
import { ErrorNotice } from '../../shared/ErrorNotice.tsx'
import { bytes } from '../../shared/format.ts'
import { Notice } from '../../shared/Notice.tsx'
import { saveResult, useFirstNight } from '../../stores/exchange/firstNight.ts'
import {
  dismissTrainingFailure,
  isTraining,
  resumeTraining,
  useTraining,
} from '../../stores/teach/training.ts'
import { runText } from '../../words/run.ts'
import { sharedText } from '../../words/shared.ts'

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
      title={runText('room')}
      tone="danger"
      actions={
        !isBusy && (
          <>
            <Button
              label={sharedText('tryAgain')}
              icon="again"
              look="strong"
              onClick={() => void resumeTraining()}
            />
            {hasPack && <Button label={runText('room.save')} icon="out" onClick={saveResult} />}
          </>
        )
      }
    >
      <p>
        {runText(room.freeBytes > room.neededBytes ? 'room.refuses' : 'room.needs', {
          step: room.step,
          needed: bytes(room.neededBytes),
          free: bytes(room.freeBytes),
        })}{' '}
        {keptStep === null ? runText('room.none') : runText('room.kept', { step: keptStep })}
      </p>
      <p>{runText('room.about')}</p>
    </Notice>
  )
}

function FailureNotice() {
  const failure = useTraining((state) => state.failure)
  const keptStep = useTraining((state) => state.keptStep)
  if (!failure) return null
  return (
    <ErrorNotice failure={failure} onDismiss={dismissTrainingFailure}>
      {keptStep === null ? runText('stopped.none') : runText('stopped.kept', { step: keptStep })}
    </ErrorNotice>
  )
}

function CutOffNotice() {
  const cutOffAt = useTraining((state) => state.cutOffAt)
  const keptStep = useTraining((state) => state.keptStep)
  const isElsewhere = useTraining((state) => state.isElsewhere)
  if (cutOffAt === null || isElsewhere) return null
  return (
    <Notice title={runText('cutOff')} tone="calm">
      <p>
        {keptStep === null
          ? runText('cutOff.none')
          : runText('cutOff.kept', { at: Math.max(cutOffAt, keptStep), kept: keptStep })}
      </p>
    </Notice>
  )
}

function UnkeptNotice() {
  const isUnkept = useTraining((state) => state.isUnkept)
  if (!isUnkept) return null
  return (
    <Notice title={runText('unkept')} tone="warning">
      <p>{runText('unkept.about')}</p>
    </Notice>
  )
}
