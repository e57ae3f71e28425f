import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { expect, onTestFinished, test } from 'vitest'
import { page } from 'vitest/browser'

import { LoadLine } from '../../../app/shared/LoadLine.tsx'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import '../../../app/theme.css'

test('the load line keeps to one line on a phone', async () => {
  await page.viewport(320, 640)
  useEngine.setState({
    phase: 'loading',
    status: {
      stage: 'download',
      doneBytes: 41e6,
      totalBytes: 106e6,
      bytesPerSecond: 1e6,
      isFromDevice: false,
      trouble: null,
    },
  })
  const place = document.body.appendChild(document.createElement('div'))
  const root = createRoot(place)
  onTestFinished(() => {
    root.unmount()
    place.remove()
  })
  root.render(createElement(LoadLine, { hasWords: true }))
  await expect.element(page.getByText('Fetching the model')).toBeVisible()
  const words = place.querySelector('p')!
  const { bottom } = words.getBoundingClientRect()
  const tops = [...words.children].map((part) => part.getBoundingClientRect().top)
  const shown = tops.filter((top) => top < bottom)
  expect(tops.length).toBe(4)
  expect(new Set(shown).size).toBe(1)
  expect(shown.length).toBeLessThan(4)
})
