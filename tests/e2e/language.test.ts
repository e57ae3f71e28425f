import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { ON_PROCESSOR, axeViolations, choose, openSite } from '../support/site.ts'
import type { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

async function drop(page: Page, name: string, content: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([fileName, text]) => {
      const held = new DataTransfer()
      held.items.add(new File([text], fileName))
      return held
    },
    [name, content] as const,
  )
  for (const kind of ['dragover', 'drop']) await page.dispatchEvent('body', kind, { dataTransfer: transfer })
}

const languageOf = (page: Page): Promise<string | null> => page.locator('html').getAttribute('lang')

test('a visitor whose browser reads Chinese gets the page in Chinese, or in English by choice', async () => {
  const context = await site.browser.newContext({ locale: 'zh-CN', viewport: { width: 360, height: 740 } })
  await choose(context, site.url, { ...ON_PROCESSOR, cardText: 'card' })
  const page = await context.newPage()
  // A software driver that loads a model takes the whole machine.
  page.setDefaultTimeout(120_000)
  await page.goto(site.url)
  const greeting = (name: string): Promise<void> => page.getByRole('heading', { level: 1, name }).waitFor()
  await greeting('今天想找谁说说话？')
  expect(await languageOf(page)).toBe('zh-Hans')
  expect(await axeViolations(page)).toEqual([])

  await drop(page, 'orla.pdf', '%PDF-1.7')
  const sheet = page.getByRole('dialog')
  await sheet.getByText(/^orla\.pdf是PDF 文件/).waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.keyboard.press('Escape')
  const data = { name: 'Orla', first_mes: 'The lamp is out.', tags: 7 }
  await drop(page, 'orla.json', JSON.stringify({ spec: 'chara_card_v2', spec_version: '2.0', data }))
  const warning = sheet.getByText('角色卡的 tags 本该是一列，却是数；照着读了。')
  await warning.waitFor()
  expect(await warning.getAttribute('lang')).toBeNull()
  expect(await axeViolations(page)).toEqual([])
  await page.keyboard.press('Escape')

  await page.getByRole('region', { name: '阵容' }).getByText('Alice').first().click()
  const box = page.getByRole('textbox', { name: /说点什么$/ })
  await box.fill('Who is the Red Queen?')
  await box.press('Enter')
  await page.getByRole('button', { name: /1,024 词元/ }).click()
  await sheet
    .getByText(/^它的关键词太平常 · /)
    .first()
    .waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.goto(`${site.url}#/`)

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
