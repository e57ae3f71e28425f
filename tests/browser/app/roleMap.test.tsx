import { createRoot } from 'react-dom/client'
import type { Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import type { RunHistory } from '../../../src/storage/runs.ts'
import { RoleMap } from '../../../app/teach/run/RoleMap.tsx'

const map: NonNullable<RunHistory['map']> = {
  step: 10,
  names: ['Captain_Brine', 'Queen Elizabeth I', 'Alice'],
  cosines: Float32Array.of(1, 0.99, 0.4, 0.99, 1, 0.4, 0.4, 0.4, 1),
  points: Float32Array.of(-0.2, 0.1, -0.2, 0.11, 0.4, -0.2),
  alike: null,
  isShared: false,
}
const warning = page.getByText(/can hardly be told apart/)
const plane = page.getByRole('img', { name: /^The characters on a plane/ })

let place: HTMLElement
let root: Root

beforeEach(() => {
  place = document.body.appendChild(document.createElement('div'))
  root = createRoot(place)
})
afterEach(() => {
  root.unmount()
  place.remove()
})

test('has every pair as a table and everybody on a plane, with nothing to warn of', async () => {
  root.render(<RoleMap map={map} taught="Alice" />)
  await expect.element(page.getByRole('row', { name: 'Captain Brine 1.00 0.99 0.40' })).toBeVisible()
  await expect.element(plane).toBeVisible()
  await expect.element(warning).not.toBeInTheDocument()
})

test('names the two that can hardly be told apart, once something has been learnt', async () => {
  const alike = ['Captain_Brine', 'Queen Elizabeth I'] as const
  root.render(<RoleMap map={{ ...map, alike }} taught="Alice" />)
  await expect
    .element(warning)
    .toHaveTextContent('Captain Brine and Queen Elizabeth I can hardly be told apart.')
  root.render(<RoleMap map={{ ...map, alike, step: 0 }} taught="Alice" />)
  await expect.element(warning).not.toBeInTheDocument()
})

test('says of characters that share everything that they are one', async () => {
  root.render(<RoleMap map={{ ...map, isShared: true }} taught="Alice" />)
  await expect.element(page.getByText(/share both A and B, and so are one/)).toBeVisible()
  await expect.element(plane).not.toBeInTheDocument()
})
