import { afterAll, beforeAll, expect, test } from 'vitest'

import { ON_PROCESSOR, axeViolations, choose, openSite } from '../support/site.ts'
import type { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

test.each([
  ['light', 1280],
  ['dark', 360],
] as const)('what was measured is readable in the %s, %d pixels wide', async (colorScheme, width) => {
  const context = await site.browser.newContext({ viewport: { width, height: 800 }, colorScheme })
  await choose(context, site.url, ON_PROCESSOR)
  const page = await context.newPage()
  await page.goto(`${site.url}#/science`)
  await page.getByRole('heading', { level: 1, name: 'Science' }).waitFor()
  for (const picture of await page.getByRole('img').all()) {
    await picture.scrollIntoViewIfNeeded()
    await expect
      .poll(() => picture.evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth))
      .toBeGreaterThan(300)
  }
  expect(await axeViolations(page)).toEqual([])
  await context.close()
})
