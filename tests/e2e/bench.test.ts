import { afterAll, beforeAll, expect, test } from 'vitest'

import { axeViolations, ON_PROCESSOR, choose, openSite } from '../support/site.ts'
import type { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

test('the built page begins to measure a card on a worker of its own, and stops when told to', async () => {
  const context = await site.browser.newContext()
  await choose(context, site.url, ON_PROCESSOR)
  const page = await context.newPage()
  await page.goto(`${site.url}#/bench`)
  await page.getByRole('button', { name: 'Measure this card' }).click()
  await page.getByText('Measuring tiny: cold-start…').waitFor({ timeout: 300_000 })
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('button', { name: 'Stop measuring' }).click()
  await page.getByRole('button', { name: 'Measure this card' }).waitFor()
  await context.close()
})
