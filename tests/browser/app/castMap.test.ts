import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { clearBlend, useBlend } from '../../../app/stores/chat/blend.ts'
import { useCastMap } from '../../../app/stores/chat/castMap.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine } from '../../support/fakeEngine.ts'

const names = ['Alice', 'Brine', 'Caesar', 'Dracula']
const points = Float32Array.of(-1, 0, 1, 0, 0, 1, 0, -1)
/** Alice beside Brine, Caesar beside Dracula, as their weights have it. */
const cosines = Float32Array.of(1, 0.9, 0, 0, 0.9, 1, 0, 0, 0, 0, 1, 0.9, 0, 0, 0.9, 1)

let root: HTMLElement
let close: () => void
let engine: FakeEngine

const mix = () => useBlend.getState().parts.map(({ key, percent }) => `${percent} ${key}`)
const ground = page.getByRole('region', { name: 'The map' })
const hearing = page.getByRole('region', { name: 'Hear them' })

const open = async (roles: readonly string[] = names): Promise<void> => {
  engine = createFakeEngine({
    roles,
    answers: ['Tea first.', 'Tea, and the rope.', 'The rope.'],
    training: { map: { names, points, cosines, alike: null, isShared: false } },
  })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, backbone: 'starter' })
  useCast.setState({
    shipped: readCast(Object.fromEntries(names.map((name) => [name, { displayName: name }]))),
  })
  assignRoles(useEngine.getState().info!.roles)
}

beforeEach(() => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/map'
  clearBlend()
  useCastMap.setState(useCastMap.getInitialState(), true)
})
afterEach(() => {
  close()
  root.remove()
  location.hash = ''
  changeSettings(defaultSettings)
})

test('a click is a place, and whoever stands there answers', async () => {
  await open()
  await ground.getByRole('button', { name: 'Stand where Brine is' }).click()
  expect(mix()).toEqual(['100 Brine'])
  const plane = page.getByTestId('plane')
  const { width, height } = plane.element().getBoundingClientRect()
  // Between Alice, on the left, and Caesar, above.
  await plane.click({ position: { x: width * 0.26, y: height * 0.26 } })
  expect(
    mix()
      .map((part) => part.replace(/\d+ /, ''))
      .slice(0, 2)
      .toSorted(),
  ).toEqual(['Alice', 'Caesar'])
  await hearing.getByRole('button', { name: 'Hear them' }).click()
  await expect.element(hearing).toHaveTextContent(/Tea first\./)
  const parts = useBlend.getState().parts.map(({ key, percent }) => ({ role: key, weight: percent / 100 }))
  expect(engine.asked[0]?.scene).toMatchObject({ role: null, blend: parts })
})

test('sliders stand in for the pointer', async () => {
  await open()
  await ground.getByRole('slider', { name: 'Across' }).fill('100')
  expect(mix()).toEqual(['100 Brine'])
  await ground.getByRole('slider', { name: 'Across' }).fill('50')
  await ground.getByRole('slider', { name: 'Down' }).fill('0')
  expect(mix()).toEqual(['100 Caesar'])
})

test('they are laid out by neighbours where that is chosen', async () => {
  await open()
  const at = (name: string) => {
    const button = ground.getByRole('button', { name: `Stand where ${name} is` }).element() as HTMLElement
    return [Number.parseFloat(button.style.left), Number.parseFloat(button.style.top)] as const
  }
  const apart = (one: string, other: string) =>
    Math.hypot(at(one)[0] - at(other)[0], at(one)[1] - at(other)[1])
  await expect.element(ground.getByRole('button', { name: 'Stand where Alice is' })).toBeVisible()
  expect(apart('Alice', 'Brine')).toBeGreaterThan(apart('Alice', 'Caesar'))
  await ground.getByRole('radio', { name: 'Neighbours (t-SNE)' }).click()
  await expect.poll(() => apart('Alice', 'Brine') < apart('Alice', 'Caesar')).toBe(true)
})

test('a path is a chat that turns from one into the other', async () => {
  await open()
  await ground.getByLabelText('From').selectOptions('Alice')
  await ground.getByLabelText('To').selectOptions('Dracula')
  await ground.getByLabelText('In so many answers').selectOptions('3')
  await ground.getByRole('button', { name: 'Begin the path' }).click()
  await expect.element(ground.getByRole('status')).toHaveTextContent('Answer 1 of 3: 100 % Alice.')
  const states = [
    'Answer 2 of 3: 50 % Alice, 50 % Dracula.',
    'Answer 3 of 3: 100 % Dracula.',
    'The path is walked.',
  ]
  for (const state of states) {
    await hearing.getByRole('button', { name: 'Hear them' }).click()
    await expect.element(ground.getByRole('status')).toHaveTextContent(state)
  }
  expect(engine.asked.map(({ scene }) => scene.blend)).toEqual([
    [{ role: 'Alice', weight: 1 }],
    [
      { role: 'Alice', weight: 0.5 },
      { role: 'Dracula', weight: 0.5 },
    ],
    [{ role: 'Dracula', weight: 1 }],
  ])
  // Each knows what was said before.
  expect(engine.asked.map(({ scene }) => scene.turns.length)).toEqual([1, 3, 5])
  await ground.getByRole('button', { name: 'Another path' }).click()
  await expect.element(ground.getByRole('button', { name: 'Begin the path' })).toBeVisible()
})

test('without a company that was taught together it says so', async () => {
  await open([])
  await expect.element(page.getByText(/A map needs three characters/)).toBeVisible()
})
