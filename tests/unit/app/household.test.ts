import { expect, test } from 'vitest'

import { countHousehold, useHousekeeping } from '../../../app/stores/exchange/housekeeping.ts'

test('what cannot be counted leaves what was counted before', async () => {
  const household = { models: 1, characters: 2, chats: 3, rehearsal: 4, isKept: true, freeBytes: 5 }
  useHousekeeping.setState({ household })
  // Nothing of a browser is here, as where a page is being closed.
  await countHousehold([])
  expect(useHousekeeping.getState().household).toEqual(household)
})
