import { expect, test } from 'vitest'

import { laterPart } from '../../../app/stores/page/laterPart.ts'

test('a part that comes is what it is', async () => {
  expect(await laterPart(() => Promise.resolve(7))).toBe(7)
})

test('one that does not come says what to do, and keeps its cause', async () => {
  const cause = new TypeError('Failed to fetch dynamically imported module')
  await expect(laterPart(() => Promise.reject(cause))).rejects.toMatchObject({
    code: 'download-failed',
    message: expect.stringContaining('reload the page') as string,
    cause,
  })
})
