import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { startOnSmallSite } from '../../support/smallSite.ts'
import { measureCardHere, stopBench, useBench } from '../../../app/stores/engine/bench.ts'
import { showBackstage } from '../../../app/stores/page/session.ts'
import type { FromBenchWorker, ToBenchWorker } from '../../../src/bench/benchProtocol.ts'
import { readCardResult } from '../../../src/core/cardResult.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

const SENT = Object.values(
  import.meta.glob<unknown>('../../../docs/cards/*.json', { eager: true, import: 'default' }),
).map((value) => readCardResult(value, 'a result'))
const result = { ...SENT[0]!, browser: 'the browser of this test' }

let root: HTMLElement
let close: () => void

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  close = await startOnSmallSite(root, () => createFakeEngine({ roles: [] }))
})
afterEach(() => {
  stopBench()
  showBackstage(false)
  close()
  root.remove()
})

/** A worker that is asked one question, and answers as it is told to. */
class ScriptedWorker extends EventTarget {
  asked: ToBenchWorker | null = null
  isEnded = false
  postMessage(question: ToBenchWorker): void {
    this.asked = question
  }
  terminate(): void {
    this.isEnded = true
  }
  say(data: FromBenchWorker): void {
    this.dispatchEvent(new MessageEvent('message', { data }))
  }
}

function measureWith(): { worker: ScriptedWorker; measuring: Promise<void> } {
  const worker = new ScriptedWorker()
  const measuring = measureCardHere({ models: ['tiny'], extent: 'chat' }, () => worker as unknown as Worker)
  return { worker, measuring }
}

test('backstage leads to what the card can do, where committed results are drawn', async () => {
  await page.getByRole('button', { name: 'Backstage' }).click()
  await page.getByRole('link', { name: 'What this card can do' }).click()
  await expect.element(page.getByRole('heading', { level: 1, name: 'What this card can do' })).toBeVisible()
  await expect.element(page.getByText('no graphics card, a processor that plays one').first()).toBeVisible()
  const rows = SENT.flatMap(({ models }) => models).flatMap((model) => model.rows)
  expect(root.querySelectorAll('tbody tr')).toHaveLength(rows.length)
})

test('a measuring tells what it is at, and its result is shown to be copied', async () => {
  location.hash = '#/bench'
  const { worker, measuring } = measureWith()
  await expect.poll(() => worker.asked?.request.models).toEqual(['tiny'])
  worker.say({ kind: 'yield', value: { model: 'tiny', case: 'decode-128' } })
  await expect.element(page.getByText('Measuring tiny: decode-128…')).toBeVisible()
  worker.say({ kind: 'return', value: result })
  await measuring
  expect(worker.isEnded).toBe(true)
  await expect.element(page.getByText('the browser of this test')).toBeVisible()
  await expect.element(page.getByRole('button', { name: 'Copy the result' })).toBeVisible()
})

test('what fails is told, and what is stopped leaves nothing', async () => {
  location.hash = '#/bench'
  const failing = measureWith()
  await expect.poll(() => failing.worker.asked).not.toBeNull()
  failing.worker.say({ kind: 'throw', code: 'out-of-memory', message: 'the card is too small' })
  await failing.measuring
  await expect.element(page.getByText('the card is too small')).toBeVisible()
  const stopped = measureWith()
  await expect.poll(() => stopped.worker.asked).not.toBeNull()
  await page.getByRole('button', { name: 'Stop measuring' }).click()
  await stopped.measuring
  expect(stopped.worker.isEnded).toBe(true)
  expect(useBench.getState()).toMatchObject({ phase: 'idle', failure: null })
})
