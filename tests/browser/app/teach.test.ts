import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { startOnSmallSite } from '../../support/smallSite.ts'
import { clearLines } from '../../../app/stores/teach/lines.ts'
import { changePlan, resetOptions, setOption } from '../../../app/stores/teach/rehearsalPlan.ts'
import { discardTraining } from '../../../app/stores/teach/training.ts'
import { stepsOption } from '../../../app/stores/teach/options.ts'
import { chooseKeeping } from '../../../app/stores/company/keeping.ts'
import { writeCardJson } from '../../../src/formats/cardFile.ts'
import { writeCardPng } from '../../../src/formats/cardPng.ts'
import { writeCharx } from '../../../src/formats/charx.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { defaultSettings, saveSettings } from '../../../src/storage/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { Script } from '../../support/fakeEngine.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const lines = Array.from(
  { length: 6 },
  (_, index) => `Visitor: Question ${index}?\nBrine: Answer number ${index}, and mind the rope.\n---\n`,
).join('')

/** A small picture as PNG. */
const picture = async (): Promise<Uint8Array<ArrayBuffer>> => {
  const canvas = new OffscreenCanvas(2, 2)
  canvas.getContext('2d')
  return new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())
}

let close: () => void
let root: HTMLElement
let name = ''

const open = async (script: Script = {}): Promise<void> => {
  root = document.body.appendChild(document.createElement('div'))
  const pack = new Blob([await writePack(tinyPack())])
  const engine = createFakeEngine({ roles: ['Holmes'], training: { pack }, ...script })
  location.hash = '#/teach'
  await saveSettings({ ...defaultSettings, backbone: 'starter' })
  close = await startOnSmallSite(root, () => engine)
}

beforeEach(({ task }) => {
  name = `teach-${task.id}`
  chooseKeeping(name, name)
  clearLines()
  resetOptions()
  changePlan({ way: null, role: null })
  setOption(stepsOption, 30)
})
afterEach(async () => {
  await discardTraining()
  close()
  root.remove()
  location.hash = ''
  indexedDB.deleteDatabase(name)
})

test('leads from lines over a rehearsal to the first night', async () => {
  await open()
  await expect.element(page.getByText('Once there are lines')).toBeVisible()
  await page.getByRole('textbox', { name: 'The lines', exact: true }).fill(lines)
  await expect.element(page.getByText('6 dialogues of 1 character, read as lines with names.')).toBeVisible()
  await expect.element(page.getByRole('row', { name: 'Brine 5 1' })).toBeVisible()
  await expect.element(page.getByRole('radio', { name: /A newcomer, full/ })).toBeChecked()

  await page.getByRole('textbox', { name: 'Steps', exact: true }).fill('20')
  await page.getByRole('button', { name: 'Start the rehearsal' }).click()
  await expect.element(page.getByText('The rehearsal ended at step 20.')).toBeVisible()
  await expect.element(page.getByRole('img', { name: /^Loss\. Step 20 of 20\./ })).toBeVisible()
  await expect.element(page.getByRole('button', { name: 'Talk to Brine' })).toBeEnabled()
  await page.getByRole('button', { name: 'Keep on this device' }).click()
  await expect.element(page.getByRole('button', { name: 'Kept on this device' })).toBeDisabled()
})

test('has the numbers of a chart as a table', async () => {
  await open()
  await page.getByRole('textbox', { name: 'The lines', exact: true }).fill(lines)
  await page.getByRole('button', { name: 'Start the rehearsal' }).click()
  await page.getByText('The numbers', { exact: true }).first().click()
  const table = page.getByRole('region', { name: 'Loss, a table' })
  await expect.element(table.getByRole('columnheader', { name: 'held out' })).toBeVisible()
  await expect.element(table.getByRole('rowheader', { name: '30', exact: true })).toBeInTheDocument()
})

const drop = (...files: readonly File[]): void => {
  const dataTransfer = new DataTransfer()
  for (const file of files) dataTransfer.items.add(file)
  const place = page.getByRole('textbox', { name: 'The lines', exact: true }).element()
  place.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }))
}
const brine = {
  name: 'Brine',
  description: 'A captain.',
  mes_example:
    '<START>\n{{user}}: Who are you?\n{{char}}: The captain.\n<START>\n{{user}}: Hi.\n{{char}}: Mind the rope.',
}

test.each([
  ['a picture', async () => new File([writeCardPng(brine, await picture())], 'brine.png')],
  [
    'a CHARX',
    async () => {
      const portrait = { bytes: await picture(), mime: 'image/png' }
      return new File([writeCharx({ card: brine, portrait })], 'brine.charx')
    },
  ],
  ['JSON', async () => new File([writeCardJson(brine)], 'brine.json')],
])('learns from the examples of a card in %s', async (_, make) => {
  await open()
  await expect.element(page.getByRole('textbox', { name: 'The lines', exact: true })).toBeVisible()
  drop(await make())
  await expect
    .element(page.getByText('2 dialogues of 1 character, read as a character card’s examples.'))
    .toBeVisible()
  await expect.element(page.getByRole('rowheader', { name: 'Brine' })).toBeVisible()
})

test('says what is wrong with a picture that holds no card', async () => {
  await open()
  await expect.element(page.getByRole('textbox', { name: 'The lines', exact: true })).toBeVisible()
  drop(new File([await picture()], 'sea.png'))
  await expect.element(page.getByText('The file is of a kind that is not read here')).toBeVisible()
})

test('takes several files as one, held out as their names say', async () => {
  await open()
  await expect.element(page.getByRole('textbox', { name: 'The lines', exact: true })).toBeVisible()
  drop(new File([lines], 'brine-train.txt'), new File([`${lines}Nobody`], 'brine-test.txt'))
  await expect.element(page.getByText('12 dialogues of 1 character, read as lines with names.')).toBeVisible()
  await expect.element(page.getByRole('row', { name: 'Brine 6 6' })).toBeVisible()
  await expect
    .element(page.getByText('By the files’ names brine-train.txt is learnt, brine-test.txt is held out.'))
    .toBeVisible()
  await expect.element(page.getByText('brine-test.txt, line 19')).toBeVisible()
  await expect.element(page.getByText(/^brine-train\.txt, line 1\b/)).toBeVisible()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.element(page.getByText('brine-train.txt and brine-test.txt, 1 kB')).toBeVisible()
})

test('asks before a file takes the place of what was written, and gives it back', async () => {
  await open()
  const box = page.getByRole('textbox', { name: 'The lines', exact: true })
  await box.fill(lines)
  for (const [content, fileName] of [
    ['{"entries":{"0":{"key":["lamp"],"content":"Old."}}}', 'world.json'],
    ['just a thought', 'thought.txt'],
  ] as const) {
    drop(new File([content], fileName))
    await expect.element(page.getByText(new RegExp(`${fileName} `))).toBeVisible()
    await expect.element(box).toHaveValue(lines)
  }
  const other = new File(['Visitor: Hm?\nTom: Hm.\n'], 'tom.txt')
  drop(other)
  await page.getByRole('button', { name: 'Keep what I wrote' }).click()
  await expect.element(box).toHaveValue(lines)
  drop(other)
  await page.getByRole('button', { name: 'Put it there' }).click()
  await expect.element(page.getByRole('rowheader', { name: 'Tom' })).toBeVisible()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.element(box).toHaveValue(lines)
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.element(box).toHaveValue(lines)
})

/** What a choice stands on. */
const shown = (label: string): string | undefined => {
  const select = page.getByRole('combobox', { name: label }).element()
  return select instanceof HTMLSelectElement ? select.selectedOptions[0]?.text : undefined
}

test('names every row that cannot be used, and what the columns of a table are', async () => {
  await open()
  const box = page.getByRole('textbox', { name: 'The lines', exact: true })
  await box.fill('character,question,answer\nBrine,Hello,Aye.\n')
  await expect.element(page.getByText('1 dialogue of 1 character, read as a table.')).toBeVisible()
  for (const label of ['The visitor says', 'Who the character is'])
    expect(shown(label)).toBe('As the header suggests')
  const table = 'who,ask,says\nBrine,Hello,Aye.\nBrine,broken\n,What?,Hm.\n'
  await box.fill('wer,fragt,sagt\nBrine,Hello,Aye.\n')
  await expect.element(page.getByText(/columns .+ unknown/)).toBeVisible()
  expect(shown('The visitor says')).toBe('Choose a column')
  expect(shown('Who the character is')).toBe('No column')
  await box.fill(table)
  await page.getByRole('combobox', { name: 'The visitor says' }).selectOptions('ask')
  await page.getByRole('combobox', { name: 'The character answers' }).selectOptions('says')
  await page.getByRole('combobox', { name: 'Who the character is' }).selectOptions('who')
  await expect.element(page.getByText('it has 2 cells, the header has 3')).toBeVisible()
  await expect.element(page.getByText('it names no character')).toBeVisible()
  await expect.element(page.getByText('1 dialogue of 1 character, read as a table.')).toBeVisible()
})

test('marks what was changed in the fold, and takes it back', async () => {
  await open()
  await page.getByRole('textbox', { name: 'The lines', exact: true }).fill(lines)
  await page.getByText('Advanced settings').click()
  await page.getByRole('textbox', { name: 'Dropout' }).fill('0.2')
  await userEvent.keyboard('{Enter}')
  await expect.element(page.getByText('1 changed from default')).toBeVisible()
  await page.getByRole('button', { name: 'Reset dropout' }).click()
  await expect.element(page.getByRole('textbox', { name: 'Dropout' })).toHaveValue('0')
})

test('says what the rehearsal takes here, and where it is hours offers the zip for elsewhere', async () => {
  await open({ training: { secondsPerStep: 300 } })
  await page.getByRole('textbox', { name: 'The lines', exact: true }).fill(lines)
  await expect.element(page.getByText('This would take about 3 hours here')).toBeVisible()
  const saved: Blob[] = []
  const create = vi.spyOn(URL, 'createObjectURL').mockImplementation((file) => {
    saved.push(file as Blob)
    return '#/teach'
  })
  await page.getByRole('button', { name: 'Rehearse elsewhere' }).click()
  await vi.waitUntil(() => saved.length > 0, { timeout: 15_000 })
  create.mockRestore()
  expect(saved[0]?.type).toBe('application/zip')
  expect(await saved[0]?.slice(0, 2).text()).toBe('PK')

  await page.getByRole('textbox', { name: 'Steps', exact: true }).fill('5')
  await userEvent.keyboard('{Enter}')
  await expect.element(page.getByText(/^About 25 min on this machine: 5 steps of 5 min/)).toBeVisible()
})
