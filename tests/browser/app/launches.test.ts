import { afterEach, expect, test } from 'vitest'

import { putAway, useArrivals } from '../../../app/stores/exchange/arrivals.ts'
import { watchLaunches } from '../../../app/stores/exchange/launches.ts'

afterEach(() => {
  putAway()
  Reflect.deleteProperty(window, 'launchQueue')
})

test('what the system opens with this page is looked at', async () => {
  let open: ((launch: { readonly files: readonly { getFile(): Promise<File> }[] }) => void) | undefined
  const queue = { setConsumer: (consume: typeof open) => (open = consume) }
  Object.defineProperty(window, 'launchQueue', { value: queue, configurable: true })
  watchLaunches()
  const card = { spec: 'chara_card_v2', spec_version: '2.0', data: { name: 'Orla', first_mes: 'Hm.' } }
  const file = new File([JSON.stringify(card)], 'orla.json')
  open?.({ files: [{ getFile: () => Promise.resolve(file) }] })
  await expect.poll(() => useArrivals.getState().entries.map(({ arrival }) => arrival.kind)).toEqual(['card'])
})

test('a browser without such launches is left alone', () => {
  expect(watchLaunches).not.toThrow()
})
