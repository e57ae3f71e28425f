import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { page } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startApp } from '../../../app/startApp.tsx'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
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
  close = await startApp(root, () => createFakeEngine({ roles: ['Alice', 'Holmes'], answers: ['Hm.'] }))
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

const screens = {
  '#/': '今天想找谁说说话？',
  '#/teach': '你自己的角色',
  '#/group': '群戏',
  '#/blend': '谁与谁之间',
  '#/map': '角色地图',
  '#/search': '搜索聊天',
  '#/science': '实验',
}

test.each(Object.entries(screens))('%s is Chinese, and fits into 360 pixels', async (hash, title) => {
  location.hash = hash
  await expect.element(page.getByRole('heading', { level: 1, name: title })).toBeVisible()
  expect(document.documentElement.lang).toBe('zh-Hans')
  expect(tooWide()).toEqual([])
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
