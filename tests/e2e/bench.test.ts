import { afterAll, beforeAll, expect, test } from 'vitest'

import { readCardResult } from '../../src/core/cardResult.ts'
import { axeViolations, choose, openSite } from '../support/site.ts'
import type { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())

test('the built page measures a card, and gives the result to copy', async () => {
  const context = await site.browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  await choose(context, site.url)
  const page = await context.newPage()
  await page.goto(`${site.url}#/bench`)
  await page.getByRole('radio', { name: 'the kernels of a token' }).check()
  await page.getByRole('button', { name: 'Measure this card' }).click()
  await page.getByRole('button', { name: 'Copy the result' }).click({ timeout: 300_000 })
  const copied: unknown = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))
  const { models, isSoftware, commit } = readCardResult(copied, 'what was copied')
  expect(isSoftware).toBe(true)
  expect(commit).toMatch(/^[\da-f]{40}$/)
  expect(models[0]?.kernels?.length).toBeGreaterThan(4)
  expect(await axeViolations(page)).toEqual([])
  await context.close()
})
