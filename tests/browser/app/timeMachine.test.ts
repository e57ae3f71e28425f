import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { page } from 'vitest/browser'

import { startOnSmallSite } from '../../support/smallSite.ts'
import { chooseKeeping, keeping } from '../../../app/stores/company/keeping.ts'
import { useTimeMachine } from '../../../app/stores/exchange/timeMachine.ts'
import { clearLines, readLines, writeLines } from '../../../app/stores/teach/lines.ts'
import { stepsOption } from '../../../app/stores/teach/options.ts'
import {
  beginRehearsal,
  changePlan,
  resetOptions,
  setOption,
} from '../../../app/stores/teach/rehearsalPlan.ts'
import { useRunSteps } from '../../../app/stores/teach/runSteps.ts'
import {
  discardTraining,
  isTraining,
  pauseTraining,
  restoreRun,
  resumeTraining,
  useTraining,
} from '../../../app/stores/teach/training.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { defaultSettings, saveSettings } from '../../../src/storage/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine, Script } from '../../support/fakeEngine.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const lines = Array.from(
  { length: 6 },
  (_, index) => `Visitor: Question ${index}?\nBrine: Answer number ${index}, and mind the rope.\n---\n`,
).join('')

let root: HTMLElement
let close: () => void
let name = ''

const machine = page.getByRole('region', { name: 'Ask Brine as they were' })
const steps = () => useRunSteps.getState().steps
const training = () => useTraining.getState()

/** Pauses the run at a step. */
const pausedAt = (step: number): Pick<Script, 'pause'> => {
  let begun = 0
  return {
    pause: () => {
      if (isTraining(training()) && ++begun === step) pauseTraining()
      return new Promise((resolve) => requestAnimationFrame(() => resolve()))
    },
  }
}

const open = async (script: Script = {}): Promise<FakeEngine> => {
  root = document.body.appendChild(document.createElement('div'))
  const pack = new Blob([await writePack(tinyPack())])
  const answers = ['I like to play.', 'I like the water.', 'Mind the rope.']
  const engine = createFakeEngine({ roles: ['Holmes'], training: { pack }, answers, ...script })
  location.hash = '#/teach'
  await saveSettings({ ...defaultSettings, backbone: 'starter' })
  close = await startOnSmallSite(root, () => engine)
  writeLines(lines)
  await readLines()
  changePlan({ way: 'quick', role: null, everySteps: 10 })
  setOption(stepsOption, 20)
  return engine
}

beforeEach(({ task }) => {
  name = `time-${task.id}`
  chooseKeeping(name, name)
  clearLines()
  resetOptions()
  useTimeMachine.setState(useTimeMachine.getInitialState(), true)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await discardTraining()
  close()
  root.remove()
  location.hash = ''
  const directory = await navigator.storage.getDirectory()
  await directory.removeEntry(name, { recursive: true }).catch(() => undefined)
  indexedDB.deleteDatabase(name)
})

test('the same question is answered by the character of every kept step, and a slider goes through them', async () => {
  const engine = await open()
  await beginRehearsal()
  await expect.element(machine).toHaveTextContent(/as they were at the start and at the steps 10 and 20\./)
  await machine.getByRole('textbox', { name: 'The question' }).fill('What do you like?')
  await machine.getByRole('button', { name: 'Ask' }).click()
  await expect.poll(() => useTimeMachine.getState().answers.map(({ step }) => step)).toEqual([0, 10, 20])
  await expect.poll(() => useTimeMachine.getState().isAsking).toBe(false)
  const { asked } = engine
  expect(asked.map(({ scene }) => [scene.role, scene.turns, scene.pack?.name])).toEqual(
    [0, 10, 20].map((step) => [
      'Brine',
      [{ speaker: 'user', text: 'What do you like?' }],
      `Brine at step ${step}`,
    ]),
  )
  expect(asked.map(({ sampling }) => sampling)).toEqual([GREEDY, GREEDY, GREEDY])
  const said = machine.getByRole('region', { name: 'What they said then' })
  await expect.element(said).toHaveTextContent(/new: Mind the gone: water\. new: rope\./)
  const slider = said.getByRole('slider', { name: 'As of step' })
  await expect.element(slider).toHaveAttribute('aria-valuetext', '20')
  await slider.fill('0')
  await expect.element(slider).toHaveAttribute('aria-valuetext', 'before')
  await expect.element(said).toHaveTextContent(/What do you like\?I like to play\./)
})

test('the steps are there after a reload, and go where the run goes on from an earlier one', async () => {
  await open(pausedAt(14))
  await beginRehearsal()
  expect(steps()).toEqual([0, 10])
  useRunSteps.setState({ steps: [] })
  useTraining.setState(useTraining.getInitialState(), true)
  await restoreRun()
  expect(steps()).toEqual([0, 10])
  const { run } = training()
  const storage = await keeping()
  await storage?.steps.keep(run!.id, 17, new Blob(['of a step that is taken again']))
  await resumeTraining()
  expect(steps()).toEqual([0, 10, 20])
  await discardTraining()
  expect([steps(), await storage?.steps.list(run!.id)]).toEqual([[], []])
})

test('while the run goes on nobody is asked', async () => {
  const held = Promise.withResolvers<void>()
  let begun = 0
  // The first answers, ten steps and one more.
  await open({ pause: () => (isTraining(training()) && ++begun > 12 ? held.promise : Promise.resolve()) })
  const goes = beginRehearsal()
  await expect.poll(steps).toContain(10)
  await expect.element(machine).toHaveTextContent(/Pause the rehearsal, and the same question/)
  await expect.element(machine.getByRole('button', { name: 'Ask' })).toBeDisabled()
  held.resolve()
  await goes
  await expect.element(machine.getByRole('button', { name: 'Ask' })).toBeEnabled()
})

test('asking stops when it is told to, and says what is no longer here', async () => {
  const held = Promise.withResolvers<void>()
  let isHeld = false
  await open({ pause: () => (isHeld ? held.promise : Promise.resolve()) })
  await beginRehearsal()
  isHeld = true
  await machine.getByRole('button', { name: 'Ask' }).click()
  await machine.getByRole('button', { name: 'Stop' }).click()
  isHeld = false
  held.resolve()
  await expect.element(machine.getByRole('button', { name: 'Ask' })).toBeVisible()
  expect(useTimeMachine.getState()).toMatchObject({ isAsking: false, failure: null })
  const storage = await keeping()
  await storage?.steps.remove(training().run!.id)
  await machine.getByRole('button', { name: 'Ask' }).click()
  await expect.element(machine).toHaveTextContent(/what Brine was at step 0 is no longer here/i)
})
