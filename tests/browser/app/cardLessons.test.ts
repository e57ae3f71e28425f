import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { startOnSmallSite } from '../../support/smallSite.ts'
import { chooseKeeping } from '../../../app/stores/company/keeping.ts'
import { keepCard } from '../../../app/stores/company/guests.ts'
import { clearLessons } from '../../../app/stores/teach/cardLessons.ts'
import { clearLines, useLines } from '../../../app/stores/teach/lines.ts'
import { resetOptions } from '../../../app/stores/teach/rehearsalPlan.ts'
import { defaultSettings, saveSettings } from '../../../src/storage/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine } from '../../support/fakeEngine.ts'

const card = {
  name: 'Orla',
  description: 'A keeper of lighthouses.',
  first_mes: 'Mind the step.',
  mes_example: '',
}

let root: HTMLElement
let engine: FakeEngine
let name = ''

beforeEach(async ({ task }) => {
  name = `card-${task.id}`
  chooseKeeping(name, name)
  clearLines()
  clearLessons()
  resetOptions()
  root = document.body.appendChild(document.createElement('div'))
  engine = createFakeEngine({ roles: ['Holmes'], answers: ['Wet, mostly.', 'Orla: I keep the light.', ' '] })
  location.hash = '#/teach'
  await saveSettings({ ...defaultSettings, backbone: 'starter' })
  await startOnSmallSite(root, () => engine)
  await keepCard({
    name: 'Orla',
    card,
    original: card,
    assets: new Map(),
    fileName: 'orla.json',
    portrait: null,
  })
})
afterEach(() => {
  root.remove()
  location.hash = ''
  indexedDB.deleteDatabase(name)
})

test('a card without lines is answered by the model, struck and mended, and becomes lines without the card', async () => {
  await page.getByText('From a card alone').click()
  await expect.element(page.getByText(/It can be no better than the model with the card/)).toBeVisible()
  await page.getByRole('combobox', { name: 'Whose card' }).selectOptions('Orla')
  await page.getByRole('combobox', { name: 'Questions' }).selectOptions('40')
  await page.getByRole('button', { name: 'Have Orla answer' }).click()
  // Every third question found no answer.
  await expect.element(page.getByRole('button', { name: 'Learn these 27 answers' })).toBeVisible()
  expect(engine.asked).toHaveLength(40)
  const { scene, maxTokens, stops } = engine.asked[0]!
  expect(scene).toMatchObject({ role: null, turns: [{ speaker: 'user', text: 'Hello.' }] })
  expect(scene.script?.texts).toMatchObject({ description: 'A keeper of lighthouses.' })
  expect([maxTokens, stops]).toEqual([80, ['\nstranger:', '\nOrla:', '<START>']])

  await page.getByRole('textbox', { name: 'The answer to “Hello.”' }).fill('Good evening.')
  await page.getByRole('button', { name: 'Strike' }).nth(1).click()
  await page.getByRole('button', { name: 'Learn these 26 answers' }).click()
  await expect
    .element(page.getByText(/dialogues of 1 character, read as questions in several wordings/))
    .toBeVisible()
  const rows = useLines
    .getState()
    .files[0].text.trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  expect(rows).toHaveLength(27)
  expect(rows.slice(0, 3)).toMatchObject([
    { role: 'Orla', item: 'greeting', answer: 'Mind the step.' },
    { item: 'hello', answer: 'Good evening.' },
    { role: 'Orla', answer: 'Wet, mostly.' },
  ])
  expect(JSON.stringify(rows)).not.toContain('lighthouses')
  await expect.element(page.getByRole('textbox', { name: 'Steps', exact: true })).toHaveValue('30')
})
