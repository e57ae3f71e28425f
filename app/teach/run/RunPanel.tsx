import { useEffect } from 'react'

import { Button } from '../../shared/Button.tsx'
import { bytes, count, duration } from '../../shared/format.ts'
import { Progress } from '../../shared/Progress.tsx'
import { useFirstNight } from '../../stores/exchange/firstNight.ts'
import { useSettings } from '../../stores/page/settings.ts'
import {
  finishTraining,
  isTraining,
  pauseTraining,
  resumeTraining,
  useTraining,
} from '../../stores/teach/training.ts'
import { lastStep, overlearning, paceOf, secondsLeft } from '../../stores/teach/progress.ts'
import { Answers } from './Answers.tsx'
import { DutySlider } from '../parts/DutySlider.tsx'
import { goToStep } from '../parts/goToStep.ts'
import { RoleMap } from './RoleMap.tsx'
import { LossChart, SmallCharts } from './RunCharts.tsx'
import { RunNotices } from './RunNotices.tsx'
import { TimeMachine } from './TimeMachine.tsx'
import styles from './RunPanel.module.css'

/** A run under way, paused or over: where it is, how fast, what it says, and the buttons that steer it. */
export function RunPanel() {
  const history = useTraining((state) => state.history)
  const phase = useTraining((state) => state.phase)
  const run = useTraining((state) => state.run)
  const isElsewhere = useTraining((state) => state.isElsewhere)
  const step = lastStep(history)
  const total = history.plan?.totalSteps ?? plannedSteps(run?.config)
  // The buttons of a run go with its end; whoever was on them is not left nowhere.
  useEffect(() => {
    if (phase === 'finished' && document.activeElement === document.body)
      document.querySelector<HTMLElement>('[data-step="2"]')?.focus({ preventScroll: true })
  }, [phase])
  const advice = phase === 'finished' ? null : overlearning(history)
  return (
    <div className={styles.panel}>
      <div className={styles.head}>
        <p className={styles.where} role="status">
          <StatusLine />
        </p>
        <Progress label="How far the rehearsal is" fraction={total > 0 ? step / total : 0} />
        <Controls />
      </div>
      <RunNotices />
      <Facts />
      {phase !== 'finished' && !isElsewhere && <DutySlider />}
      {advice && <p className={styles.advice}>{advice}</p>}
      <LossChart history={history} />
      <Answers
        title={`What ${run?.trial.role ?? ''} says`}
        answers={history.answers}
        prompts={run?.trial.prompts ?? []}
      />
      <TimeMachine />
      <SmallCharts points={history.points} />
      <RoleMap map={history.map} taught={run?.trial.role ?? ''} />
      {history.notes.length > 0 && (
        <ul className={styles.notes} aria-label="What the rehearsal noted">
          {history.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  )
}

function plannedSteps(config: Readonly<Record<string, unknown>> | undefined): number {
  const steps = config?.['steps']
  return typeof steps === 'number' ? steps : 0
}

/** Where the run is, without the number that changes with every step: it would be read out each time. */
function StatusLine() {
  const phase = useTraining((state) => state.phase)
  const name = useTraining((state) => state.run?.roles.join(', ') ?? '')
  const keptStep = useTraining((state) => state.keptStep)
  const step = useTraining((state) => state.result?.step ?? lastStep(state.history))
  const isElsewhere = useTraining((state) => state.isElsewhere)
  if (isElsewhere) return `${name} is rehearsing in another tab; this is the step that was kept last.`
  switch (phase) {
    case 'none':
      return null
    case 'waiting':
      return `${name} is getting ready: one step is tried first, to know how long it takes.`
    case 'running':
      return `${name} is rehearsing.`
    case 'pausing':
      return 'Pausing after this step.'
    case 'paused':
      return keptStep === null ? `Paused at step ${count(step)}.` : `Paused. Step ${count(keptStep)} is kept.`
    case 'finished':
      return `The rehearsal ended at step ${count(step)}.`
    default:
      return phase satisfies never
  }
}

function Controls() {
  const phase = useTraining((state) => state.phase)
  const isBusy = useTraining(isTraining)
  const isElsewhere = useTraining((state) => state.isElsewhere)
  const role = useTraining((state) => state.run?.trial.role ?? '')
  const hasNewcomer = useFirstNight((state) => state.facts !== null)
  const meet = hasNewcomer && !isBusy && (
    <Button
      label={`Meet ${role}`}
      icon="down"
      look={phase === 'finished' ? 'strong' : 'plain'}
      onClick={() => goToStep(3)}
    />
  )
  if (isElsewhere) return null
  if (phase === 'finished') return <div className={styles.controls}>{meet}</div>
  return (
    <div className={styles.controls}>
      {isBusy ? (
        <Button
          key="steer"
          label="Pause"
          icon="pause"
          look="strong"
          disabled={phase === 'pausing'}
          onClick={pauseTraining}
        />
      ) : (
        <Button key="steer" label="Go on" icon="onward" look="strong" onClick={() => void resumeTraining()} />
      )}
      <Button
        label="Stop and keep the best"
        icon="stop"
        disabled={phase === 'pausing'}
        onClick={() => void finishTraining()}
      />
      {meet}
    </div>
  )
}

function Facts() {
  const history = useTraining((state) => state.history)
  const isBusy = useTraining(isTraining)
  const duty = useSettings((state) => state.duty)
  const { plan, skipped } = history
  const pace = paceOf(history)
  const step = lastStep(history)
  const left = secondsLeft(history, duty)
  const facts: readonly (readonly [string, string | null])[] = [
    ['Step', plan ? `${count(step)} of ${count(plan.totalSteps)}` : count(step)],
    ['Time left', isBusy && left ? duration(left) : null],
    ['A step takes', pace && duration(pace.secondsPerStep)],
    ['Speed', pace && `${count(pace.tokensPerSecond)} tokens/s`],
    ['Graphics memory', plan && bytes(plan.gpuBytes)],
    ['Steps left out', skipped > 0 ? count(skipped) : null],
  ]
  return (
    <dl className={styles.facts}>
      {facts.map(
        ([name, fact]) =>
          fact !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{fact}</dd>
            </div>
          ),
      )}
    </dl>
  )
}
