import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import record from '../../../app/science/experiments.json' with { type: 'json' }
import { createFakeEngine } from '../../support/fakeEngine.ts'

let root: HTMLElement
let close: () => void

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  changeSettings(defaultSettings)
  close = await startOnSmallSite(root, () => createFakeEngine({ roles: [] }))
})
afterEach(() => {
  close()
  root.remove()
})

test('backstage leads to what was measured', async () => {
  await page.getByRole('button', { name: 'Backstage' }).click()
  await page.getByRole('link', { name: 'Science' }).click()
  await expect.element(page.getByRole('heading', { level: 1, name: 'Science' })).toBeVisible()
  expect(location.hash).toBe('#/science')
})

test('every experiment stands there with its table, and pictures that load', async () => {
  location.hash = '#/science'
  await expect.poll(() => root.querySelectorAll('table').length).toBe(record.sections.length)
  for (const { title, table } of record.sections) {
    await expect.element(page.getByRole('heading', { level: 2, name: title })).toBeInTheDocument()
    const shown = page.getByRole('region', { name: `${title}, a table` }).element()
    const cells = [...shown.querySelectorAll('tr')].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    )
    expect(cells).toEqual(table)
  }
  const pictures = [...root.querySelectorAll('img[alt]')].filter(
    (image): image is HTMLImageElement =>
      image instanceof HTMLImageElement && image.closest('section[aria-labelledby]') !== null,
  )
  expect(pictures).toHaveLength(record.sections.filter((section) => 'picture' in section).length)
  for (const picture of pictures) {
    picture.loading = 'eager'
    await picture.decode()
    expect(picture.naturalWidth).toBeGreaterThan(300)
  }
})

test('a phone scrolls tables and pictures, not the page', async () => {
  await page.viewport(360, 740)
  location.hash = '#/science'
  await expect.poll(() => root.querySelectorAll('table').length).toBe(record.sections.length)
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360)
  const regions = [...root.querySelectorAll('section [role="region"]')]
  expect(regions.some((region) => region.scrollWidth > region.clientWidth)).toBe(true)
  expect(regions.every((region) => region.getAttribute('tabindex') === '0')).toBe(true)
  await page.viewport(1280, 800)
})
