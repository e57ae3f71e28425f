/*
 * The page without a network: its shell is kept by version, each version whole before any of it is used. Models, packs and
 * what is said lie elsewhere, where the page itself keeps and proves them (src/storage).
 */
import { setCacheNameDetails } from 'workbox-core'
import { precacheAndRoute } from 'workbox-precaching'
import { registerRoute } from 'workbox-routing'
import { CacheFirst } from 'workbox-strategies'

import type { WorkerMessage } from './stores/page/offline.ts'
import { SHARE_ACTION, SHARE_FIELD, SHARED_CACHE, SHARED_HASH } from './stores/page/sharedNames.ts'

/** Of a build: what every visit needs, and what computing on the processor needs besides (tools/serviceWorker.ts). */
declare const SHELL: readonly { readonly url: string; readonly revision: string | null }[]
declare const PROCESSOR: readonly string[]

/** What of a worker of this kind is used here; TypeScript's library for it excludes that of pages. */
interface WorkerScope {
  readonly location: Location
  skipWaiting(): Promise<void>
  addEventListener(kind: 'message' | 'activate', listener: (event: LastingEvent) => void): void
}
interface LastingEvent extends Event {
  readonly data?: WorkerMessage
  waitUntil(promise: Promise<unknown>): void
}
declare const self: WorkerScope

const PROCESSOR_CACHE = 'hycora-processor'
const processor = new Set(PROCESSOR.map((path) => new URL(path, self.location.href).href))
const keepFirst = new CacheFirst({ cacheName: PROCESSOR_CACHE })

setCacheNameDetails({ prefix: 'hycora', precache: 'shell' })
precacheAndRoute([...SHELL])
registerRoute(({ url }) => processor.has(url.href), keepFirst)
const shareAction = new URL(SHARE_ACTION, self.location.href)
registerRoute(({ url }) => url.href === shareAction.href, takeShare, 'POST')

self.addEventListener('message', (event) => {
  if (event.data === 'use-newer') event.waitUntil(self.skipWaiting())
  if (event.data === 'keep-processor') event.waitUntil(keepProcessor(event))
})
self.addEventListener('activate', (event) => event.waitUntil(removeOldProcessor()))

/** Puts files that another program shares where the page finds them, and opens the page there. */
async function takeShare({ request }: { readonly request: Request }): Promise<Response> {
  try {
    const form = await request.formData()
    const files = form.getAll(SHARE_FIELD).filter((one) => one instanceof File)
    const cache = await caches.open(SHARED_CACHE)
    for (const [index, file] of files.entries()) {
      const address = `shared/${Date.now()}-${index}/${encodeURIComponent(file.name)}`
      await cache.put(new URL(address, self.location.href), new Response(file))
    }
  } catch {
    // The page says that nothing came.
  }
  return Response.redirect(new URL(`./${SHARED_HASH}`, self.location.href), 303)
}

async function keepProcessor(event: LastingEvent): Promise<void> {
  // The browser has just fetched them, and gives them from its own cache.
  await Promise.all([...processor].map((url) => keepFirst.handle({ event, request: new Request(url) })))
}

async function removeOldProcessor(): Promise<void> {
  const cache = await caches.open(PROCESSOR_CACHE)
  const old = (await cache.keys()).filter(({ url }) => !processor.has(url))
  await Promise.all(old.map((request) => cache.delete(request)))
}
