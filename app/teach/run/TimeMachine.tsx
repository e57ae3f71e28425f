import { useId, useState } from 'react'

import { Button } from '../../shared/Button.tsx'
import { ErrorNotice } from '../../shared/ErrorNotice.tsx'
import { count, list } from '../../shared/format.ts'
import asides from '../../shared/Asides.module.css'
import { askThen, dismissTimeFailure, stopAsking, useTimeMachine } from '../../stores/exchange/timeMachine.ts'
import { useRunSteps } from '../../stores/teach/runSteps.ts'
import { isTraining, useTraining } from '../../stores/teach/training.ts'
import { Answers } from './Answers.tsx'
import styles from './TimeMachine.module.css'
import { runText } from '../../words/run.ts'

/** A question to the character as it was at the steps that are kept. */
export function TimeMachine() {
  const steps = useRunSteps((state) => state.steps)
  const run = useTraining((state) => state.run)
  const isBusy = useTraining(isTraining)
  const isElsewhere = useTraining((state) => state.isElsewhere)
  const past = useTimeMachine()
  const [written, setWritten] = useState<string | null>(null)
  const id = useId()
  if (!run || steps.length < 2) return null
  const { role, prompts } = run.trial
  const question = written ?? (past.run === run.id ? past.question : (prompts[0] ?? ''))
  const canAsk = !isBusy && !isElsewhere && question.trim() !== ''
  return (
    <section className={styles.machine} aria-labelledby={id}>
      <h3 id={id} className={styles.title}>
        {runText('past', { role })}
      </h3>
      <p className={asides.note}>
        {runText(isBusy ? 'past.pause' : 'past.about', { when: stepList(steps) })}
      </p>
      <form
        className={styles.ask}
        onSubmit={(event) => {
          event.preventDefault()
          void askThen(question)
        }}
      >
        <input
          aria-label={runText('past.question')}
          value={question}
          maxLength={400}
          dir="auto"
          onChange={(event) => setWritten(event.target.value)}
        />
        {past.isAsking ? (
          <Button label={runText('past.stop')} icon="stop" onClick={stopAsking} />
        ) : (
          <Button type="submit" label={runText('past.ask')} icon="send" disabled={!canAsk} />
        )}
      </form>
      {past.failure && (
        <ErrorNotice
          failure={past.failure}
          onRetry={() => void askThen(question)}
          onDismiss={dismissTimeFailure}
        />
      )}
      {past.run === run.id && (
        <Answers title={runText('past.answers')} answers={past.answers} prompts={[past.question]} />
      )}
    </section>
  )
}

/** The kept steps in words. */
function stepList(steps: readonly number[]): string {
  const names = steps.filter((step) => step > 0).map(count)
  const last = names.at(-1) ?? ''
  const others = names.slice(0, -1)
  const numbered =
    others.length === 0
      ? runText('past.step', { last })
      : runText('past.steps', { between: list(others), last })
  return steps[0] === 0 ? runText('past.start', { numbered }) : numbered
}
