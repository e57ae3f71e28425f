import AxeCore from 'axe-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
import { askWhose, closeWhose } from '../../../app/stores/chat/whose.ts'
import { bringIn, receiveFiles } from '../../../app/stores/exchange/arrivals.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { useLanguage } from '../../../app/stores/page/language.ts'
import { showBackstage } from '../../../app/stores/page/session.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

const shipped = readCast({
  Alice: { displayName: 'Alice', card: { first_mes: 'Curious.' } },
  Holmes: { displayName: 'Sherlock Holmes', card: { first_mes: 'Sit down.' } },
})

let close: () => void
let root: HTMLElement

// One start for all: what each test opens, the next one leaves.
beforeAll(async () => {
  await page.viewport(360, 740)
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  close = await startOnSmallSite(root, () =>
    createFakeEngine({ roles: ['Alice', 'Holmes'], answers: ['Hm.'] }),
  )
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter', language: 'zh-Hans' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  await vi.waitUntil(() => useLanguage.getState().language === 'zh-Hans', { timeout: 60_000 })
}, 120_000)
afterAll(async () => {
  showBackstage(false)
  close()
  root.remove()
  changeSettings(defaultSettings)
  await vi.waitUntil(() => useLanguage.getState().language === 'en', { timeout: 60_000 })
  await page.viewport(1280, 800)
}, 60_000)

/** What is wider than the place it stands in, or than the page. */
function tooWide(): string[] {
  const wide = [
    ...root.querySelectorAll<HTMLElement>('button, a, label, legend, summary, h1, h2, h3, p, dt, dd, select'),
  ]
    .filter((element) => element.checkVisibility() && !element.closest('[class*="hidden"]'))
    .filter((element) => {
      const { left, right } = element.getBoundingClientRect()
      return element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline'
        ? true
        : left < -1 || right > 361
    })
    .map((element) => element.textContent)
  return document.documentElement.scrollWidth > 360 ? ['the page', ...wide] : wide
}

function transitions(): readonly Animation[] {
  return document.getAnimations().filter((one) => one instanceof CSSTransition)
}

/** The accessibility rules that the page breaks, in light and in dark. */
async function broken(): Promise<string[]> {
  const found: string[] = []
  for (const scheme of ['light', 'dark']) {
    document.documentElement.style.colorScheme = scheme
    // Buttons change their colours slowly.
    await Promise.all(transitions().map(({ finished }) => finished))
    const { violations } = await AxeCore.run(root, { resultTypes: ['violations'] })
    found.push(...violations.map(({ id, nodes }) => `${scheme}: ${id}: ${nodes[0]?.target.join(' ')}`))
  }
  document.documentElement.style.colorScheme = ''
  return found
}

/** Sentences in Latin letters that do not say that they are English. */
function unmarked(): string[] {
  const texts = [...root.querySelectorAll('p, h1, h2, h3, li, dt, dd, td, th, span, label, button, summary')]
    .filter((one) => one.checkVisibility() && one.childElementCount === 0 && !one.closest('[lang="en"]'))
    .map((one) => one.textContent)
  return texts.filter((text) => /(?:[A-Za-z]{2,}[ ,]+){3}/.test(text) && !/\p{Script=Han}/u.test(text))
}

const screens = [
  ['#/', '今天想找谁说说话？', 'Who would you like to talk to?'],
  ['#/teach', '你自己的角色', 'Someone of your own'],
  ['#/group', '群戏', 'Several at once'],
  ['#/blend', '谁与谁之间', 'Somebody between'],
  ['#/map', '角色地图', 'Map of the cast'],
  ['#/search', '搜索聊天', 'Search your chats'],
  ['#/science', '实验', 'Science'],
  ['#/bench', '显卡测速', 'What this card can do'],
] as const

test.each(screens)('%s is Chinese, can be read by all, and fits into 360 pixels', async (hash, title) => {
  location.hash = hash
  await expect.element(page.getByRole('heading', { level: 1, name: title })).toBeVisible()
  expect(document.documentElement.lang).toBe('zh-Hans')
  expect(tooWide()).toEqual([])
  expect(unmarked()).toEqual([])
  expect(await broken()).toEqual([])
})

test('a chat and the drawer are Chinese, and fit into 360 pixels', async () => {
  await beginChat('Alice')
  await expect.element(page.getByRole('textbox', { name: '对Alice说点什么' })).toBeVisible()
  await say('Hello.')
  await expect.element(page.getByRole('button', { name: '再来一次' })).toBeInTheDocument()
  expect(tooWide()).toEqual([])
  showBackstage(true)
  await expect.element(page.getByText('入戏程度').first()).toBeVisible()
  for (const fold of root.querySelectorAll('details')) fold.open = true
  expect(tooWide()).toEqual([])
  expect(await broken()).toEqual([])
  showBackstage(false)
  await askWhose(useChats.getState().open!, visibleMessages(useChats.getState().open!).at(-1)!)
  await expect.element(page.getByRole('dialog')).toBeVisible()
  expect(tooWide()).toEqual([])
  expect(await broken()).toEqual([])
  closeWhose()
  location.hash = '#/'
})

const orla = {
  spec: 'chara_card_v3',
  spec_version: '3.0',
  data: {
    name: 'Orla',
    first_mes: 'The lamp is out.',
    tags: 7,
    character_book: { entries: [{ keys: ['oil'], content: 'The oil ran out.', enabled: true }] },
  },
}

test('whoever comes in, and the editor of their card and lorebook, too', async () => {
  await receiveFiles([{ path: 'orla.json', file: new Blob([JSON.stringify(orla)]) }])
  const sheet = page.getByRole('dialog')
  await expect.element(sheet).toHaveTextContent(/角色卡的 tags 本该是一列，却是数；照着读了。/)
  expect(tooWide()).toEqual([])
  expect(await broken()).toEqual([])
  await bringIn()
  await beginChat(useCast.getState().members.find(({ displayName }) => displayName === 'Orla')!.key)
  showBackstage(true)
  await page.getByRole('button', { name: '改他们的角色卡' }).click()
  await expect.element(sheet.getByRole('textbox', { name: '是谁' })).toBeVisible()
  for (const fold of root.querySelectorAll('details')) fold.open = true
  expect(tooWide()).toEqual([])
  expect(await broken()).toEqual([])
  await userEvent.keyboard('{Escape}')
  showBackstage(false)
  location.hash = '#/'
})

test('another language is spoken as soon as it is chosen, and what is open stays so', async () => {
  showBackstage(true)
  const drawer = page.getByRole('complementary')
  await drawer.getByRole('radio', { name: 'English' }).click()
  await expect.element(page.getByRole('heading', { name: 'Backstage' })).toBeVisible()
  await expect.element(drawer.getByRole('radio', { name: 'English' })).toHaveFocus()
  expect(document.documentElement.lang).toBe('en')
  await drawer.getByRole('radio', { name: '简体中文' }).click()
  await expect.element(page.getByRole('heading', { name: '后台' })).toBeVisible()
  expect(document.documentElement.lang).toBe('zh-Hans')
})

test('in English nothing is wider than 360 pixels either', async () => {
  await page.getByRole('complementary').getByRole('radio', { name: 'English' }).click()
  await vi.waitUntil(() => useLanguage.getState().language === 'en', { timeout: 60_000 })
  for (const fold of root.querySelectorAll('details')) fold.open = true
  expect(tooWide()).toEqual([])
  showBackstage(false)
  for (const [hash, , title] of screens) {
    location.hash = hash
    await expect.element(page.getByRole('heading', { level: 1, name: title })).toBeVisible()
    expect(tooWide()).toEqual([])
  }
})
