import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { startOnSmallSite } from '../../support/smallSite.ts'
import { useInstall } from '../../../app/stores/page/install.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

let root: HTMLElement
let close: () => void
const button = page.getByRole('button', { name: 'Install this page' })

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  close = await startOnSmallSite(root, () => createFakeEngine())
})
afterEach(() => {
  close()
  root.remove()
  useInstall.setState({ offer: null })
})

test('the browser’s offer waits for a press, and is taken up once', async () => {
  await expect.element(page.getByRole('region', { name: 'The cast' })).toBeInTheDocument()
  await expect.element(button).not.toBeInTheDocument()
  let asked = 0
  const offer = new Event('beforeinstallprompt', { cancelable: true })
  window.dispatchEvent(Object.assign(offer, { prompt: () => Promise.resolve(asked++) }))
  expect(offer.defaultPrevented).toBe(true)
  await expect.element(button).toBeVisible()
  expect(asked).toBe(0)
  await button.click()
  expect(asked).toBe(1)
  await expect.element(button).not.toBeInTheDocument()
})

test('what is installed meanwhile is not offered, and told', async () => {
  const offer = new Event('beforeinstallprompt', { cancelable: true })
  window.dispatchEvent(Object.assign(offer, { prompt: () => Promise.resolve() }))
  await expect.element(button).toBeVisible()
  window.dispatchEvent(new Event('appinstalled'))
  await expect.element(button).not.toBeInTheDocument()
  await expect.element(page.getByText('The page is installed.')).toBeVisible()
})
