import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { findLateNews, hear } from '../../../src/gpu/lateNews.ts'
import { countUpload } from '../../../src/gpu/uploads.ts'

const MEBI = 2 ** 20

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A device that tells of what is done after so many milliseconds each time, the last for good; or with `look`, at a submit. */
function deviceAfter(...delays: number[]) {
  const told: (() => void)[] = []
  const counted = { submits: 0, asked: 0 }
  const queue = {
    submit: () => {
      counted.submits++
      for (const tell of told.splice(0)) tell()
    },
    onSubmittedWorkDone: () => {
      const ms = delays[Math.min(counted.asked++, delays.length - 1)]!
      return new Promise<void>((resolve) => {
        told.push(resolve)
        setTimeout(resolve, ms)
      })
    },
  }
  return { device: { queue } as unknown as GPUDevice, counted }
}

async function isLate(device: GPUDevice): Promise<boolean> {
  const found = findLateNews(device)
  await vi.runAllTimersAsync()
  return found
}

test('a device that tells at once, if only once, is waited for as it is', async () => {
  for (const delays of [[0], [100, 100, 1]]) {
    const { device, counted } = deviceAfter(...delays)
    expect(await isLate(device)).toBe(false)
    const news = hear(device, device.queue.onSubmittedWorkDone())
    await vi.runAllTimersAsync()
    await news
    expect(counted.submits).toBe(0)
  }
})

test('one that tells on a timer is looked at until it has told, and no longer', async () => {
  const { device, counted } = deviceAfter(100)
  expect(await isLate(device)).toBe(true)
  const startMs = performance.now()
  const news = hear(device, device.queue.onSubmittedWorkDone())
  await vi.advanceTimersByTimeAsync(10)
  await news
  expect(performance.now() - startMs).toBeLessThan(20)
  const { submits } = counted
  expect(submits).toBeGreaterThan(0)
  await vi.advanceTimersByTimeAsync(1000)
  expect(counted.submits).toBe(submits)
})

test('so is one whose news are bad', async () => {
  const { device, counted } = deviceAfter(100)
  await isLate(device)
  await expect(hear(device, Promise.reject(new Error('lost')))).rejects.toThrow('lost')
  const { submits } = counted
  await vi.advanceTimersByTimeAsync(1000)
  expect(counted.submits).toBe(submits)
})

test('what is written is submitted every 32 MiB, when the part before has gone over', async () => {
  const { device, counted } = deviceAfter(50)
  device.queue.submit = () => void counted.submits++
  const submitsAfter: number[] = []
  const writing = (async () => {
    for (let piece = 0; piece < 24; piece++) {
      await countUpload(device, 4 * MEBI)
      submitsAfter.push(counted.submits)
    }
  })()
  await vi.advanceTimersByTimeAsync(0)
  // The first part is on its way and the second is there: nothing more is read before the first has gone over.
  expect(submitsAfter.length).toBeLessThan(24)
  await vi.runAllTimersAsync()
  await writing
  expect(submitsAfter.filter((count, index) => count !== Math.floor((index + 1) / 8))).toEqual([])
})
