import { Button } from '../shared/Button.tsx'
import { Notice } from '../shared/Notice.tsx'
import { SideScreen } from '../shared/SideScreen.tsx'
import { choosePath, useEngine } from '../stores/engine/engine.ts'
import { useTraining } from '../stores/teach/training.ts'
import { FirstNight } from './night/FirstNight.tsx'
import { LinesStep } from './lines/LinesStep.tsx'
import { RehearsalStep } from './plan/RehearsalStep.tsx'
import { Step } from './parts/Step.tsx'

/** One page in three steps that stay visible: the lines, the rehearsal, the first night. */
export function TeachScreen() {
  const isElsewhere = useTraining((state) => state.isElsewhere)
  const phase = useTraining((state) => state.phase)
  return (
    <SideScreen
      title="Someone of your own"
      about="Give the model a page of dialogue, let it rehearse, and talk to who comes of it. It learns on your own graphics card; nothing leaves this page."
    >
      <NoRehearsalNotice />
      {isElsewhere && (
        <Notice title="A rehearsal runs in another tab" tone="warning">
          <p>
            One rehearsal at a time: the graphics card is busy with that one. Here it can be read, not run.
          </p>
        </Notice>
      )}
      <Step number={1} title="Lines" about={phase === 'none' ? 'What the character says.' : null}>
        <LinesStep />
      </Step>
      <Step number={2} title="Rehearsal" about={phase === 'none' ? 'How they are learnt.' : null}>
        <RehearsalStep />
      </Step>
      <Step number={3} title="First night" about="Who comes of it.">
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
      title="Nobody can rehearse here yet"
      tone="warning"
      actions={
        hasDevice && <Button label="Use WebGPU all the same" onClick={() => void choosePath('webgpu')} />
      }
    >
      <p>
        Learning needs WebGPU, and here the processor answers without it. Lines can be brought in and looked
        at, everybody who is in the cast can be talked to, and a rehearsal can be taken to another machine.
        {hasDevice &&
          ' The browser has a WebGPU that the processor plays: with it the tiny model learns, slowly.'}
      </p>
    </Notice>
  )
}
