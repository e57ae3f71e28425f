import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { useCast } from '../../../app/stores/company/cast.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

let root: HTMLElement
let close: () => void

const tags = page.getByRole('group', { name: 'Tags' })
const names = () =>
  [...root.querySelectorAll('section[aria-label="The cast"] li bdi')].map((one) => one.textContent)

/** A cast of so many: every second is of the sea, every third of a book, and each pair shares a tag. */
const castOf = (size: number) => {
  const cards = Array.from({ length: size }, (_, index) => {
    const own = [index % 2 === 0 && 'sea', index % 3 === 0 && 'book', `pair ${index >> 1}`].filter(Boolean)
    return [`role ${index}`, { card: { tags: own } }] as const
  })
  const members = readCast(Object.fromEntries(cards))
  useCast.setState({ shipped: members, members, isSettled: true })
}

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

test('once there are many, tags leave those who have them all', async () => {
  castOf(18)
  await tags.getByRole('button', { name: 'sea 9' }).click()
  await expect.poll(names).toHaveLength(9)
  await expect.element(tags.getByRole('status')).toHaveTextContent('9 of 18 are shown.')
  await tags.getByRole('button', { name: 'book 3' }).click()
  await expect.poll(names).toEqual(['role 0', 'role 6', 'role 12'])
  await tags.getByRole('button', { name: 'sea 3' }).click()
  await expect.poll(names).toHaveLength(6)
  await tags.getByRole('button', { name: 'Everybody again' }).click()
  await expect.poll(() => names().length).toBeGreaterThan(17)
})

test('the commonest stand there, the others when they are asked for', async () => {
  castOf(26)
  await expect.element(tags.getByRole('button', { name: 'sea 13' })).toBeVisible()
  await expect.element(tags.getByRole('button', { name: 'pair 9 2' })).not.toBeInTheDocument()
  await tags.getByRole('button', { name: 'All 15 tags' }).click()
  await tags.getByRole('button', { name: 'pair 9 2' }).click()
  await expect.poll(names).toEqual(['role 18', 'role 19'])
})

test('a few need no tags, and a search finds them too', async () => {
  castOf(15)
  await page.getByRole('searchbox', { name: 'Search the cast' }).fill('book')
  await expect.poll(names).toEqual(['role 0', 'role 3', 'role 6', 'role 9', 'role 12'])
  await expect.element(tags).not.toBeInTheDocument()
})
