import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { ON_PROCESSOR, axeViolations, choose, openSite } from '../support/site.ts'
import type { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

const languageOf = (page: Page): Promise<string | null> => page.locator('html').getAttribute('lang')

test('a visitor whose browser reads Chinese gets the page in Chinese, or in English by choice', async () => {
  const context = await site.browser.newContext({ locale: 'zh-CN', viewport: { width: 360, height: 740 } })
  await choose(context, site.url, ON_PROCESSOR)
  const page = await context.newPage()
  // A software driver that loads a model takes the whole machine.
  page.setDefaultTimeout(120_000)
  await page.goto(site.url)
  const greeting = (name: string): Promise<void> => page.getByRole('heading', { level: 1, name }).waitFor()
  await greeting('今天想找谁说说话？')
  expect(await languageOf(page)).toBe('zh-Hans')
  expect(await axeViolations(page)).toEqual([])

  const transfer = await page.evaluateHandle(() => {
    const held = new DataTransfer()
    held.items.add(new File(['%PDF-1.7'], 'orla.pdf'))
    return held
  })
  for (const kind of ['dragover', 'drop']) await page.dispatchEvent('body', kind, { dataTransfer: transfer })
  await page
    .getByRole('dialog')
    .getByText(/^orla\.pdf是PDF 文件/)
    .waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: '后台' }).click()
  await page.getByText(/^入门的那个，/).waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('radio', { name: 'English' }).check()
  await page.getByRole('heading', { name: 'Backstage' }).waitFor()
  await page.reload()
  await greeting('Who would you like to talk to?')
  expect(await languageOf(page)).toBe('en')

  await page.getByRole('button', { name: 'Backstage' }).click()
  await page.getByRole('radio', { name: '简体中文' }).check()
  await page.getByRole('heading', { name: '后台' }).waitFor()
  await page.goto(`${site.url}#/teach`)
  await page.reload()
  await greeting('你自己的角色')
  expect(await languageOf(page)).toBe('zh-Hans')
  await context.close()
})
