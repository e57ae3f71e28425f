import { afterEach, expect, test } from 'vitest'

import { putAway, useArrivals } from '../../../app/stores/exchange/arrivals.ts'
import { watchLaunches } from '../../../app/stores/exchange/launches.ts'
import { useNotices } from '../../../app/stores/page/notices.ts'
import { SHARED_CACHE } from '../../../app/stores/page/sharedNames.ts'

afterEach(async () => {
  putAway()
  await caches.delete(SHARED_CACHE)
  location.hash = ''
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

test('what another program has shared is looked at once, under its name', async () => {
  const cache = await caches.open(SHARED_CACHE)
  const card = { spec: 'chara_card_v2', spec_version: '2.0', data: { name: 'Orla', first_mes: 'Hm.' } }
  const address = `shared/7-0/${encodeURIComponent('Örla & co?.json')}`
  await cache.put(new URL(address, location.href), new Response(JSON.stringify(card)))
  location.hash = '#/shared'
  watchLaunches()
  await expect
    .poll(() => useArrivals.getState().entries.map(({ arrival }) => arrival))
    .toMatchObject([{ kind: 'card', fileName: 'Örla & co?.json' }])
  expect([location.hash, await cache.keys()]).toEqual(['#/', []])
})

test('what did not come across is told', async () => {
  location.hash = '#/shared'
  watchLaunches()
  await expect.poll(() => useNotices.getState().notice?.text).toContain('did not come across')
})
