import { useEffect } from 'react'

import { Button } from '../../shared/Button.tsx'
import { Detail } from '../../shared/Detail.tsx'
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
import { overlearning } from '../../stores/teach/lossWords.ts'
import { lastStep, paceOf, secondsLeft } from '../../stores/teach/progress.ts'
import { Answers } from './Answers.tsx'
import { DutySlider } from '../parts/DutySlider.tsx'
import { goToStep } from '../parts/goToStep.ts'
import { RoleMap } from './RoleMap.tsx'
import { LossChart, SmallCharts } from './RunCharts.tsx'
import { RunNotices } from './RunNotices.tsx'
import { TimeMachine } from './TimeMachine.tsx'
import styles from './RunPanel.module.css'
import { runText } from '../../words/run.ts'
import { list } from '../../shared/format.ts'

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
        <Progress label={runText('progress')} fraction={total > 0 ? step / total : 0} />
        <Controls />
      </div>
      <RunNotices />
      <Facts />
      {phase !== 'finished' && !isElsewhere && <DutySlider />}
      {advice && <p className={styles.advice}>{advice}</p>}
      <LossChart history={history} />
      <Answers
        title={runText('says', { role: run?.trial.role ?? '' })}
        answers={history.answers}
        prompts={run?.trial.prompts ?? []}
      />
      <TimeMachine />
      <SmallCharts points={history.points} />
      <RoleMap map={history.map} taught={run?.trial.role ?? ''} />
      {history.notes.length > 0 && (
        <ul className={styles.notes} aria-label={runText('notes')}>
          {history.notes.map((note) => (
            <li key={note}>
              <Detail detail={note} isSentence />
            </li>
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
  const name = useTraining((state) => list(state.run?.roles ?? []))
  const keptStep = useTraining((state) => state.keptStep)
  const step = useTraining((state) => state.result?.step ?? lastStep(state.history))
  const isElsewhere = useTraining((state) => state.isElsewhere)
  if (isElsewhere) return runText('status.elsewhere', { name })
  switch (phase) {
    case 'none':
      return null
    case 'waiting':
      return runText('status.waiting', { name })
    case 'running':
      return runText('status.running', { name })
    case 'pausing':
      return runText('status.pausing')
    case 'paused':
      return keptStep === null ? runText('status.paused', { step }) : runText('status.kept', { keptStep })
    case 'finished':
      return runText('status.finished', { step })
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
      label={runText('meet', { role })}
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
          label={runText('pause')}
          icon="pause"
          look="strong"
          disabled={phase === 'pausing'}
          onClick={pauseTraining}
        />
      ) : (
        <Button
          key="steer"
          label={runText('goOn')}
          icon="onward"
          look="strong"
          onClick={() => void resumeTraining()}
        />
      )}
      <Button
        label={runText('finish')}
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
    [runText('fact.step'), plan ? runText('fact.stepOf', { step, total: plan.totalSteps }) : count(step)],
    [runText('fact.left'), isBusy && left ? duration(left) : null],
    [runText('fact.each'), pace && duration(pace.secondsPerStep)],
    [runText('fact.speed'), pace && runText('fact.rate', { rate: Math.round(pace.tokensPerSecond) })],
    [runText('fact.memory'), plan && bytes(plan.gpuBytes)],
    [runText('fact.skipped'), skipped > 0 ? count(skipped) : null],
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
