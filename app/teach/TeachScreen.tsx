import { Button } from '../shared/Button.tsx'
import { Notice } from '../shared/Notice.tsx'
import { SideScreen } from '../shared/SideScreen.tsx'
import { choosePath, useEngine } from '../stores/engine/engine.ts'
import { useTraining } from '../stores/teach/training.ts'
import { FirstNight } from './night/FirstNight.tsx'
import { LinesStep } from './lines/LinesStep.tsx'
import { RehearsalStep } from './plan/RehearsalStep.tsx'
import { Step } from './parts/Step.tsx'
import { teachText } from '../words/teach.ts'
import { sharedText } from '../words/shared.ts'

/** One page in three steps that stay visible: the lines, the rehearsal, the first night. */
export function TeachScreen() {
  const isElsewhere = useTraining((state) => state.isElsewhere)
  const phase = useTraining((state) => state.phase)
  return (
    <SideScreen title={sharedText('screen.teach')} about={teachText('about')}>
      <NoRehearsalNotice />
      {isElsewhere && (
        <Notice title={teachText('elsewhere')} tone="warning">
          <p>{teachText('elsewhere.about')}</p>
        </Notice>
      )}
      <Step
        number={1}
        title={teachText('step.lines')}
        about={phase === 'none' ? teachText('step.lines.about') : null}
      >
        <LinesStep />
      </Step>
      <Step
        number={2}
        title={teachText('step.rehearsal')}
        about={phase === 'none' ? teachText('step.rehearsal.about') : null}
      >
        <RehearsalStep />
      </Step>
      <Step number={3} title={teachText('step.night')} about={teachText('step.night.about')}>
        <FirstNight />
      </Step>
    </SideScreen>
  )
}

/** The processor's path answers but does not learn. */
function NoRehearsalNotice() {
  const path = useEngine((state) => state.info?.computing.path)
  const hasDevice = useEngine(
    (state) => state.report?.status === 'ready' || state.report?.status === 'software',
  )
  if (path !== 'wasm') return null
  return (
    <Notice
      title={teachText('cannot')}
      tone="warning"
      actions={
        hasDevice && <Button label={teachText('cannot.webgpu')} onClick={() => void choosePath('webgpu')} />
      }
    >
      <p>
        {teachText('cannot.about')}
        {hasDevice && ` ${teachText('cannot.software')}`}
      </p>
    </Notice>
  )
}
