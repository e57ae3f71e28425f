import { expect, test } from 'vitest'

import { openSite } from '../support/site.ts'

test('without WebGPU the page says so, and what still works', async () => {
  const site = await openSite(['--disable-features=WebGPU', '--disable-gpu'])
  const page = await site.browser.newPage()
  await page.goto(site.url)
  await page.getByRole('region', { name: 'The cast' }).waitFor()
  await page.getByRole('button', { name: 'Copy the details' }).waitFor()
  expect(await page.getByText('Sherlock Holmes').count()).toBeGreaterThan(0)
  await site.close()
})

test('a lost graphics device comes back by itself; lost twice, the page asks for a reload', async () => {
  const site = await openSite()
  const page = await site.browser.newPage()
  await page.goto(site.url)
  await page.getByRole('region', { name: 'The cast' }).getByText('Sherlock Holmes').click()
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await box.fill('Tell me a long story about a dog.')
  await box.press('Enter')
  await expect
    .poll(() => page.getByRole('article').last().innerText(), { timeout: 400_000 })
    .toMatch(/\w{3,} \w+/)

  const session = await site.browser.newBrowserCDPSession()
  await session.send('Browser.crashGpuProcess')
  await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: 400_000 })

  await session.send('Browser.crashGpuProcess')
  await page.getByRole('button', { name: 'Reload the page' }).waitFor({ timeout: 60_000 })
  await site.close()
})
