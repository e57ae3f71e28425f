import type { BackupArrival } from '../../../src/exchange/arrival.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { startOnSmallSite } from '../../support/smallSite.ts'
import { putAway, receiveFiles, useArrivals } from '../../../app/stores/exchange/arrivals.ts'
import { useChats } from '../../../app/stores/chat/chats.ts'
import { useCast } from '../../../app/stores/company/cast.ts'
import { useGuests } from '../../../app/stores/company/guests.ts'
import { planOf, restore } from '../../../app/stores/exchange/housekeeping.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { closeShare, useShare } from '../../../app/stores/exchange/share.ts'
import { chooseKeeping, keeping } from '../../../app/stores/company/keeping.ts'
import { writeBackupFile } from '../../../src/storage/backup.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { card, packFile } from '../../support/arriving.ts'
import { archive, scenario } from '../../support/backyard.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { Script } from '../../support/fakeEngine.ts'

let root: HTMLElement
let close: () => void
let name = ''

const open = async (script: Script = {}): Promise<void> => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  close = await startOnSmallSite(root, () => createFakeEngine({ roles: ['Holmes'], ...script }))
}

const guests = () => useCast.getState().members.filter(({ guest }) => guest)
const sheet = () => page.getByRole('dialog')

beforeEach(({ task }) => {
  name = `arrivals-${task.id}`
  chooseKeeping(name, name)
  changeSettings({ backbone: 'starter' })
})
afterEach(() => {
  putAway()
  closeShare()
  close()
  root.remove()
  indexedDB.deleteDatabase(name)
})

const row = (text: string): string => JSON.stringify({ role: 'Brine', instruction: `${text}?`, output: text })

test('lines in several files are brought in together', async () => {
  await open()
  await receiveFiles([
    { path: 'train.jsonl', file: new Blob([`${row('a')}\n${row('b')}`]) },
    { path: 'test.jsonl', file: new Blob([row('c')]) },
  ])
  await sheet().getByRole('button', { name: 'Bring them to the rehearsal' }).click()
  await expect.element(page.getByRole('row', { name: 'Brine 2 1' })).toBeVisible()
})

describe('a pack', () => {
  test('is shown whole, proved, and its chosen roles stand in the cast', async () => {
    await open()
    await receiveFiles([{ path: 'evening.hycora.safetensors', file: await packFile() }])
    await expect.element(sheet().getByText('evening.hycora.safetensors')).toBeVisible()
    await expect.element(sheet().getByText('none stated')).toBeVisible()
    expect(guests()).toEqual([])
    await sheet().getByRole('checkbox', { name: 'Role 0' }).click()
    await sheet().getByRole('button', { name: 'Bring in 2 of 3' }).click()
    await expect.element(page.getByRole('button', { name: 'Talk to Role 1' })).toBeVisible()
    expect(guests().map(({ displayName }) => displayName)).toEqual(['Role 1', 'Role 2'])
    expect(useGuests.getState().packs[0]?.roles).toHaveLength(3)
    await expect.element(page.getByText('From evening.hycora.safetensors').first()).toBeVisible()
    await page.getByRole('button', { name: 'Send Role 1 away' }).click({ force: true })
    await expect.poll(() => guests().map(({ displayName }) => displayName)).toEqual(['Role 2'])
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect.element(page.getByRole('button', { name: 'Talk to Role 1' })).toBeVisible()
  })

  test('for another model is refused by name, with the way out where it is one of ours', async () => {
    await open()
    await receiveFiles([{ path: 'a.hycora.safetensors', file: await packFile('a'.repeat(64)) }])
    await expect.element(sheet().getByText('Made for Another model')).toBeVisible()
    await expect.element(sheet().getByRole('button', { name: 'Bring in all 3' })).toBeDisabled()
    putAway()
    const smol = '81251daa2d70ce45573d6bd0d8ff0698f13f0ce01319538626e1bb55cbe351d3'
    await receiveFiles([{ path: 'b.hycora.safetensors', file: await packFile(smol) }])
    await expect.element(sheet().getByRole('button', { name: /^Switch to SmolLM2/ })).toBeVisible()
  })

  test('that fails its proof leaves nothing', async () => {
    await open({ proofFails: 'model-incompatible' })
    await receiveFiles([{ path: 'evening.hycora.safetensors', file: await packFile() }])
    await sheet().getByRole('button', { name: 'Bring in all 3' }).click()
    await expect.element(sheet().getByText('Nothing was changed.')).toBeVisible()
    expect(guests()).toEqual([])
    expect(await (await keeping())?.library.list()).toEqual([])
  })

  test('that is damaged is told with what is wrong', async () => {
    await open()
    const file = (await packFile()).slice(0, -40)
    await receiveFiles([{ path: 'cut.hycora.safetensors', file }])
    await expect
      .element(sheet().getByText(/cut\.hycora\.safetensors: the file is not what it says/))
      .toBeVisible()
    await expect.element(sheet().getByText('Nothing of it was used.')).toBeVisible()
  })

  test('goes out in every form, with a link that comes in again', async () => {
    await open()
    await receiveFiles([{ path: 'evening.hycora.safetensors', file: await packFile() }])
    await sheet().getByRole('button', { name: 'Bring in all 3' }).click()
    await page.getByRole('button', { name: 'Share Role 1' }).click({ force: true })
    await expect.element(sheet().getByRole('button', { name: 'Show it as a code' })).toBeVisible()
    await sheet().getByRole('button', { name: 'Show it as a code' }).click()
    await expect.element(sheet().getByRole('img', { name: 'The link as a QR code' })).toBeVisible()
    await expect.poll(() => useShare.getState().isBusy).toBe(false)
    const forms = useShare.getState().forms.filter((form) => 'file' in form)
    expect(forms.map(({ form }) => form)).toEqual(['role', 'pack', 'charx', 'json', 'link', 'peft'])
    const address = sheet().getByRole('textbox', { name: 'The link' })
    const { hash } = new URL(address.element().getAttribute('value') ?? '')
    closeShare()
    location.hash = hash
    await expect.element(sheet().getByText('a link to Role 1')).toBeVisible()
    expect(location.hash).toBe('#/')
  })
})

/** What a stranger may write where a name or a text is asked for. */
const hostile = {
  name: '\u202E<img src=x onerror="window.harmed=1">\u2066Brine',
  nickname: '',
  description:
    '<script>window.harmed=1</script> ![spy](https://spy.example/a.png) {{char}} [run](javascript:window.harmed=1)',
  personality: '\u202Eesrever\u202C \u0000\u0007 <iframe src="https://spy.example"></iframe>',
  scenario: '<svg onload="window.harmed=1"><style>*{display:none}</style>',
  first_mes:
    '<b onmouseover="window.harmed=1">Mind</b> ![x](https://spy.example/b.png) the \u202Eepor\u202C.',
  mes_example: '<START>\n{{user}}: <script>window.harmed=1</script>\n{{char}}: Aye.',
  creator: '<a href="https://spy.example">me</a>',
  creator_notes: `<img src="https://spy.example/c.png">${'x'.repeat(10_000_000)}`,
  system_prompt: 'y'.repeat(100_000),
  alternate_greetings: ['<object data="https://spy.example"></object>', 7, null],
  tags: ['<script>', '__proto__'],
  character_version: '"><script>window.harmed=1</script>',
  assets: [
    { type: 'icon', uri: 'https://spy.example/icon.png', name: 'main', ext: 'png' },
    { type: 'icon', uri: 'data:text/html,<script>window.harmed=1</script>', name: 'main', ext: 'html' },
    {
      type: 'icon',
      uri: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"><script>parent.harmed=1</script><image href="https://spy.example/d.png"/></svg>',
      name: 'main',
      ext: 'svg',
    },
  ],
  character_book: {
    entries: [
      { keys: ['__proto__'], content: '<script>', extensions: { a: 1 }, enabled: true, insertion_order: 0 },
    ],
  },
  extensions: { constructor: { prototype: { harmed: 1 } } },
}

describe('a card', () => {
  test('plays by its text, and says that it does', async () => {
    await open()
    await receiveFiles([{ path: 'brine.json', file: card() }])
    await expect.element(sheet().getByText(/They play by their text alone/)).toBeVisible()
    await sheet().getByRole('button', { name: 'Bring them in' }).click()
    await page.getByRole('button', { name: 'Talk to Brine' }).click()
    await expect.element(page.getByText('Mind the rope.')).toBeVisible()
    expect(guests()[0]).toMatchObject({ isTrained: false, line: 'A captain.' })
  })

  test('can be taught from its examples', async () => {
    await open()
    const mes_example =
      '<START>\n{{user}}: Where to?\n{{char}}: Across.\n<START>\n{{user}}: Why?\n{{char}}: It is there.'
    await receiveFiles([{ path: 'brine.json', file: card({ mes_example }) }])
    await sheet().getByRole('button', { name: 'Teach them' }).click()
    await expect.element(page.getByText(/2 dialogues of 1 character/)).toBeVisible()
    expect(guests()).toHaveLength(1)
  })

  test('of a stranger with bad intentions harms nothing, asks nobody, and can be read', async () => {
    await open()
    const text = JSON.stringify({ spec: 'chara_card_v3', data: hostile }).replace(
      '"extensions":{',
      '"extensions":{"__proto__":{"harmed":1},',
    )
    await receiveFiles([{ path: '\u202Egnp.<script>.json', file: new Blob([text]) }])
    await sheet().getByText('Their text', { exact: true }).click()
    await sheet().getByText('What its maker says').click()
    await expect.element(sheet().getByText(/<script>window\.harmed=1<\/script> !\[spy\]/)).toBeVisible()
    await expect
      .element(
        sheet()
          .getByText(/characters in all/)
          .first(),
      )
      .toBeVisible()
    await sheet().getByRole('button', { name: 'Bring them in' }).click()
    const talk = page.getByRole('button', { name: /^Talk to <img src=x onerror=.*Brine$/ })
    await expect.element(talk).toBeVisible()
    await talk.click()
    await expect.element(page.getByText(/Mind/).first()).toBeVisible()
    await userEvent.fill(page.getByRole('textbox', { name: /^Say something to/ }), 'Hello')
    await userEvent.keyboard('{Enter}')
    await expect.element(page.getByText('Indeed.', { exact: true })).toBeVisible()

    expect(Reflect.get(window, 'harmed')).toBeUndefined()
    expect(Reflect.get({}, 'harmed')).toBeUndefined()
    expect(
      document.querySelectorAll('iframe[src*="spy"], object, [onerror], [onload], [onmouseover]'),
    ).toHaveLength(0)
    const addresses = performance.getEntriesByType('resource').map((entry) => entry.name)
    expect(addresses.filter((address) => address.includes('spy.example'))).toEqual([])
    const links = [...document.querySelectorAll('a')].filter(({ href }) => /spy|javascript/.test(href))
    expect(links).toEqual([])
  })
})

/** The lorebook of the card that is kept. */
const saved = async (): Promise<unknown> => (await (await keeping())!.cards.list())[0]?.card['character_book']

describe('a lorebook', () => {
  const lore = new Blob(['{"entries":{"0":{"key":["rope"],"content":"The rope is wet."}}}'])

  test('goes with the chat on the screen, is sent for it, and can be saved as it came', async () => {
    await open()
    await receiveFiles([{ path: 'brine.json', file: card() }])
    await sheet().getByRole('button', { name: 'Bring them in' }).click()
    await page.getByRole('button', { name: 'Talk to Brine' }).click()
    await expect.element(page.getByText('Mind the rope.')).toBeVisible()
    await receiveFiles([{ path: 'Ropes.json', file: lore }])
    await expect.element(sheet().getByText('A lorebook of one entry, from SillyTavern')).toBeVisible()
    await sheet().getByRole('button', { name: 'Let it go with them' }).click()
    await expect
      .poll(() => useChats.getState().open?.books)
      .toEqual([{ name: 'Ropes', text: await lore.text() }])
    changeSettings({ cardText: 'card' })
    await page.getByTitle('What is sent to the model').click()
    await expect.element(sheet().getByText(/“rope” was said · before the character/)).toBeVisible()
    await sheet().getByRole('button', { name: 'Close' }).click()
    changeSettings({ cardText: 'auto' })
  })

  test('goes into the card of somebody who is kept', async () => {
    await open()
    await receiveFiles([{ path: 'brine.json', file: card() }])
    await sheet().getByRole('button', { name: 'Bring them in' }).click()
    await expect.element(page.getByRole('button', { name: 'Talk to Brine' })).toBeVisible()
    await receiveFiles([{ path: 'Ropes.json', file: lore }])
    await sheet().getByLabelText('Goes with').selectOptions('Brine, in all chats')
    await sheet().getByRole('button', { name: 'Let it go with them' }).click()
    await expect.poll(saved).toMatchObject({ name: 'Ropes', entries: [{ keys: ['rope'] }] })
    await expect.poll(() => guests()[0]?.card?.lorebookEntries).toBe(1)
  })

  test('is edited with the card that it is in, and what is not kept can still be', async () => {
    await open()
    await receiveFiles([{ path: 'brine.json', file: card() }])
    await sheet().getByRole('button', { name: 'Bring them in' }).click()
    await page.getByRole('button', { name: 'Talk to Brine' }).click()
    await page.getByRole('button', { name: 'Backstage' }).click()
    await page.getByRole('button', { name: 'Edit their card' }).click()
    await sheet().getByLabelText('Who they are').fill('A captain ashore.')
    await sheet().getByRole('button', { name: 'Another entry' }).click()
    await sheet().getByLabelText('Words that call it, one a line').fill('rope\nline, wet')
    await sheet().getByLabelText('What it says').fill('The rope is wet.')
    await sheet().getByRole('button', { name: 'Keep' }).click()
    await expect
      .poll(saved)
      .toMatchObject({ entries: [{ keys: ['rope', 'line, wet'], content: 'The rope is wet.' }] })
    await expect.poll(() => guests()[0]?.line).toBe('A captain ashore.')
    await page.getByRole('button', { name: 'Edit their card' }).click()
    await sheet().getByText('rope', { exact: true }).click()
    await sheet().getByRole('button', { name: 'Delete rope' }).click()
    await sheet().getByRole('button', { name: 'Leave as it was' }).click()
    expect(await saved()).toMatchObject({ entries: [{ keys: ['rope', 'line, wet'] }] })
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(saved).toMatchObject({ entries: [] })
    await page.getByRole('button', { name: 'Close Backstage' }).click()
  })

  test('goes with nobody where nobody is there', async () => {
    await open()
    useChats.setState({ summaries: [] })
    await receiveFiles([{ path: 'Ropes.json', file: lore }])
    await expect.element(sheet().getByText(/begin one first/)).toBeVisible()
    await expect.element(sheet().getByRole('button', { name: 'Let it go with them' })).toBeDisabled()
  })
})

describe('what is no card', () => {
  test('is a chat of another program, whose names it keeps', async () => {
    await open()
    const messages = [
      { handle: 'Selma', msg: '{{char}} waves at {{user}}.', characterId: 'x' },
      { handle: 'Mira', msg: 'Write <user> for me.', userId: 'y' },
      { handle: 'Bram', msg: 'Hm.', characterId: 'z' },
    ]
    await receiveFiles([{ path: 'evening.json', file: new Blob([JSON.stringify({ name: 'x', messages })]) }])
    await expect.element(sheet().getByText(/is a chat of Agnai with Selma: 3 messages/)).toBeVisible()
    await sheet().getByRole('button', { name: 'Open the chat' }).click()
    await expect.element(page.getByText('Selma waves at Mira.')).toBeVisible()
    await expect.element(page.getByText('Write <user> for me.')).toBeVisible()
    await expect.element(page.getByRole('heading', { name: 'Selma', level: 1 })).toBeVisible()
    await expect.element(page.getByRole('article', { name: 'Bram' })).toBeVisible()
    location.hash = '#/'
    await expect.element(page.getByText(/^Selma · /)).toBeVisible()
  })

  test('comes along with a character, every chat by itself, unless it is left out', async () => {
    await open()
    const file = new Blob([archive(scenario('Calm', 'One.'), scenario('Storm', 'Two.', 'Three.'))])
    await receiveFiles([{ path: 'orla.byaf', file }])
    await expect.element(sheet().getByText(/holds 2 chats of Backyard with Orla: 3 messages/)).toBeVisible()
    await sheet().getByRole('button', { name: 'Leave this out' }).last().click()
    await expect.element(sheet().getByText(/2 chats/)).not.toBeInTheDocument()
    putAway()
    await receiveFiles([{ path: 'orla.byaf', file }])
    await sheet().getByRole('button', { name: 'Bring everything in' }).click()
    await expect
      .poll(() =>
        useChats
          .getState()
          .summaries.filter(({ key }) => key !== null && key === guests()[0]?.key)
          .map(({ title }) => title)
          .toSorted(),
      )
      .toEqual(['orla: Calm', 'orla: Storm'])
  })

  test('is named, and nothing of it is used', async () => {
    await open()
    const samplers = new Blob(['{"temp":0.7,"top_p":0.9}'])
    await receiveFiles([{ path: 'calm.json', file: samplers }])
    await expect.element(sheet().getByText(/calm\.json is a preset of samplers/)).toBeVisible()
    await expect.element(sheet().getByRole('button', { name: 'Close' }).last()).toBeVisible()
    await expect.element(sheet().getByRole('button', { name: /rehearsal|Bring/ })).not.toBeInTheDocument()
  })

  test('names the macros that it does not know, and fills the others', async () => {
    await open()
    const first_mes = '{{// note}}{{char}} and {{getvar::mood}} {{#if x}}'
    await receiveFiles([{ path: 'brine.json', file: card({ first_mes }) }])
    await expect.element(sheet().getByText('{{getvar}}, {{#if}} stay in the text as they are.')).toBeVisible()
    await sheet().getByRole('button', { name: 'Bring them in' }).click()
    await page.getByRole('button', { name: 'Talk to Brine' }).click()
    await expect.element(page.getByText('Brine and {{getvar::mood}} {{#if x}}')).toBeVisible()
  })
})

describe('a backup', () => {
  test('tells what is missing, puts it back, and then has nothing to add', async () => {
    await open()
    const storage = (await keeping())!
    await receiveFiles([{ path: 'brine.json', file: card() }])
    await sheet().getByRole('button', { name: 'Bring them in' }).click()
    await expect.poll(() => guests().length).toBe(1)
    const log = openMemoryLog()
    const chat = 'c'.repeat(24)
    await log.append(
      chat,
      [{ kind: 'chat-created', key: null, title: 'Evening', parent: null, metadata: null }],
      1,
    )
    const stores = { log, library: storage.library, cards: storage.cards }
    const file = await writeBackupFile(stores, defaultSettings, Date.UTC(2026, 4, 3))
    for (const { id } of useGuests.getState().cards) await storage.cards.remove(id)

    await receiveFiles([{ path: 'HyCoRA.zip', file }])
    await expect.element(sheet().getByText(/A backup of 3 May 2026/)).toBeVisible()
    await expect.element(sheet().getByText('1 to put back').first()).toBeVisible()
    const { arrival } = useArrivals.getState().entries[0]!
    await sheet().getByRole('button', { name: 'Put back what is missing' }).click()
    await expect.poll(() => guests().length).toBe(1)
    await expect.element(page.getByText('The backup is put back.')).toBeVisible()
    const again = await planOf(arrival as BackupArrival)
    expect(again).toMatchObject({ packs: [], cards: [], chats: [], present: { cards: 1, chats: 1 } })
    await restore(arrival as BackupArrival)
    expect(guests()).toHaveLength(1)
  })
})
