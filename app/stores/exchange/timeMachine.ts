// Scope: session. One question to the character of a run as it was at each of the kept steps.
import { create } from 'zustand'

import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import type { AnswersPoint } from '../../../src/core/training.ts'
import { askedAlone } from '../chat/scene.ts'
import { neededKeeping } from '../company/keeping.ts'
import { whenReady } from '../engine/engine.ts'
import { newId } from '../page/newId.ts'
import { useSettings } from '../page/settings.ts'
import { useRunSteps } from '../teach/runSteps.ts'
import { isTraining, useTraining } from '../teach/training.ts'
import { storeText } from '../../words/store.ts'

interface TimeMachineState {
  /** The run that the answers are of. */
  readonly run: string | null
  readonly question: string
  /** What was said so far, a step each. */
  readonly answers: readonly AnswersPoint[]
  readonly isAsking: boolean
  readonly failure: Failure | null
}

const initial: TimeMachineState = { run: null, question: '', answers: [], isAsking: false, failure: null }

export const useTimeMachine = create<TimeMachineState>()(() => initial)

let controller: AbortController | undefined

/** Puts a question to the character as it was at every kept step, the first first; the likeliest words each time. */
export async function askThen(question: string): Promise<void> {
  const { run } = useTraining.getState()
  const words = question.trim()
  if (!run || words === '' || useTimeMachine.getState().isAsking || isTraining(useTraining.getState())) return
  controller = new AbortController()
  useTimeMachine.setState({ ...initial, run: run.id, question: words, isAsking: true })
  try {
    for (const step of useRunSteps.getState().steps) {
      await askAt(run.id, step, { role: run.trial.role, question: words, signal: controller.signal })
    }
  } catch (thrown) {
    const failure = failureOf(thrown, 'device-lost')
    if (failure.code !== 'cancelled') useTimeMachine.setState({ failure })
  } finally {
    useTimeMachine.setState({ isAsking: false })
  }
}

/** Stops asking; what was said stays. */
export function stopAsking(): void {
  controller?.abort()
}

/** Puts away the message about what went wrong. */
export function dismissTimeFailure(): void {
  useTimeMachine.setState({ failure: null })
}

interface Asked {
  readonly role: string
  readonly question: string
  readonly signal: AbortSignal
}

async function askAt(run: string, step: number, { role, question, signal }: Asked): Promise<void> {
  const storage = await neededKeeping()
  const file = await storage.steps.read(run, step)
  if (!file) throw new HycoraError('storage-corrupt', storeText('past.gone', { role, step }))
  const engine = await whenReady(signal)
  const show = (answer: string): void =>
    useTimeMachine.setState(({ answers }) => ({
      answers: [...answers.filter((one) => one.step !== step), { step, answers: [answer] }],
    }))
  let said = ''
  show(said)
  const { text } = await engine.request(
    'generate',
    {
      // A name of its own each time: after a step back, another pack stands at the same step.
      scene: askedAlone(role, { id: newId(), name: storeText('past.at', { role, step }), file }, question),
      sampling: GREEDY,
      maxTokens: useSettings.getState().maxTokens,
    },
    { onYield: (piece) => show((said += piece.text)), signal },
  )
  show(text.trim())
}
