import type { AnswersPoint } from '../../../src/core/training.ts'
import { useId, useState } from 'react'

import hidden from '../../shared/VisuallyHidden.module.css'
import styles from './Answers.module.css'
import { diffWords } from './diffWords.ts'
import { runText } from '../../words/run.ts'

interface AnswersProps {
  readonly title: string
  readonly answers: readonly AnswersPoint[]
  readonly prompts: readonly string[]
}

/** The same questions, asked again and again: what is said now, what changed since the time before, and every time between. */
export function Answers({ title, answers, prompts }: AnswersProps) {
  const [chosen, setChosen] = useState<number | null>(null)
  const id = useId()
  if (answers.length === 0 || prompts.length === 0) return null
  // Left at the end, it follows what comes.
  const at = Math.min(chosen ?? answers.length - 1, answers.length - 1)
  const now = answers[at]
  if (!now) return null
  return (
    <section className={styles.answers} aria-label={title}>
      <h3 className={styles.title}>{title}</h3>
      {answers.length > 1 && (
        <div className={styles.time}>
          <label htmlFor={id}>{runText('answers.asOf')}</label>
          <input
            id={id}
            type="range"
            min={0}
            max={answers.length - 1}
            step={1}
            value={at}
            aria-valuetext={stepName(now.step)}
            onChange={(event) => {
              const index = event.target.valueAsNumber
              setChosen(index === answers.length - 1 ? null : index)
            }}
          />
          <output htmlFor={id}>{stepName(now.step)}</output>
        </div>
      )}
      <ol className={styles.questions}>
        {prompts.map((prompt, index) => (
          <li key={prompt} className={styles.question}>
            <p className={styles.prompt}>{prompt}</p>
            <p className={styles.answer}>
              <Change before={wordingBefore(answers, at, index)} after={now.answers[index] ?? ''} />
            </p>
            <Earlier answers={answers.slice(0, at + 1)} index={index} />
          </li>
        ))}
      </ol>
    </section>
  )
}

/** What was last said otherwise; undefined where the answer has always been the same. */
function wordingBefore(answers: readonly AnswersPoint[], at: number, index: number): string | undefined {
  const now = answers[at]?.answers[index]
  return answers.slice(0, at).findLast((point) => point.answers[index] !== now)?.answers[index]
}

function stepName(step: number): string {
  return step === 0 ? runText('answers.before') : String(step)
}

/** An answer with what came and went since the one before. */
function Change({ before, after }: { readonly before: string | undefined; readonly after: string }) {
  if (after === '' && !before) return <span className={styles.silence}>{runText('answers.nothing')}</span>
  if (before === undefined || before === after) return after
  return diffWords(before, after).flatMap(({ kind, text }, index) => {
    // The parts of a difference have no names but their places.
    const key = `${index}`
    if (kind === 'same') return [<span key={key}>{text.trimEnd()}</span>, ' ']
    return [
      kind === 'new' ? (
        <ins key={key} className={styles.new}>
          <span className={hidden.hidden}> {runText('answers.new')} </span>
          {text.trimEnd()}
        </ins>
      ) : (
        <del key={key} className={styles.gone}>
          <span className={hidden.hidden}> {runText('answers.gone')} </span>
          {text.trimEnd()}
        </del>
      ),
      ' ',
    ]
  })
}

interface EarlierProps {
  readonly answers: readonly AnswersPoint[]
  readonly index: number
}

/** Every wording of an answer, with the step at which it was first said. */
function Earlier({ answers, index }: EarlierProps) {
  const wordings = answers
    .map((point) => ({ step: point.step, text: point.answers[index] ?? '' }))
    .filter(({ text }, place, all) => text !== all[place - 1]?.text)
  if (wordings.length < 2) return null
  return (
    <details className={styles.earlier}>
      <summary>{runText('answers.wordings', { wordings: wordings.length })}</summary>
      <ol>
        {wordings.map(({ step, text }, place) => (
          <li key={step}>
            <span className={styles.step}>
              {step === 0 ? runText('answers.before') : runText('step', { step })}
            </span>
            <span className={styles.wording}>
              <Change before={wordings[place - 1]?.text} after={text} />
            </span>
          </li>
        ))}
      </ol>
    </details>
  )
}
