// Keeps the page on this device for visits without a network, and uses a newer version when nobody speaks. No state: `useOffline` has it.
import { openServiceWorker } from '../engine/workers.ts'
import { useEngine } from '../engine/engine.ts'
import { isAnswering, useGeneration } from '../chat/generation.ts'
import { useTogether } from '../chat/together.ts'
import { useOffline } from '../page/offline.ts'
import type { WorkerMessage } from '../page/offline.ts'
import { isTraining, useTraining } from '../teach/training.ts'

/** Held by every tab in which somebody speaks or rehearses. */
const BUSY = 'hycora-busy'
/** How often a page that stays open asks for a newer version, at most. */
const ASK_EVERY_MS = 3_600_000

const busyStores = [useGeneration, useTogether, useTraining] as const

function isBusy(): boolean {
  const isSpeaking = isAnswering(useGeneration.getState())
  return isSpeaking || useTogether.getState().isAnswering || isTraining(useTraining.getState())
}

function onBusyChange(listen: () => void): () => void {
  const ends = busyStores.map((store) => store.subscribe(listen))
  return () => {
    for (const end of ends) end()
  }
}

function whenIdle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (!isBusy()) resolve()
  }
  const end = onBusyChange(look)
  look()
  return promise.then(end)
}

let registration: ServiceWorkerRegistration | undefined

/** Begins to keep the page, where the browser lets it; without that the page stands as long as its network. */
export async function keepPage(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  holdWhileBusy()
  const { serviceWorker } = navigator
  const hadController = serviceWorker.controller !== null
  serviceWorker.addEventListener('controllerchange', () => {
    const { newer } = useOffline.getState()
    if (newer === 'wanted') void whenIdle().then(() => location.reload())
    else if (hadController) useOffline.setState({ newer: 'elsewhere' })
  })
  const opened = await openServiceWorker().catch(() => null)
  if (!opened) return
  registration = opened
  follow(opened)
  await serviceWorker.ready
  useOffline.setState({ isKept: true })
  keepProcessorFiles(opened)
  useEngine.subscribe((state, before) => {
    if (state.info !== before.info) keepProcessorFiles(opened)
  })
}

/** Tells of a newer version, now or once it has come. */
function follow(opened: ServiceWorkerRegistration): void {
  const look = (): void => {
    // The first version has nobody to wait for.
    if (opened.waiting && opened.active) useOffline.setState({ newer: 'waits' })
  }
  look()
  opened.addEventListener('updatefound', () => opened.installing?.addEventListener('statechange', look))
  let askedAt = Date.now()
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden' || Date.now() - askedAt < ASK_EVERY_MS) return
    askedAt = Date.now()
    // Without a network it is asked again later.
    opened.update().catch(() => undefined)
  })
}

function keepProcessorFiles({ active }: ServiceWorkerRegistration): void {
  if (useEngine.getState().info?.computing.path === 'wasm') {
    active?.postMessage('keep-processor' satisfies WorkerMessage)
  }
}

/** Other tabs see by a lock that somebody speaks here. */
function holdWhileBusy(): void {
  let release: (() => void) | null = null
  onBusyChange(() => {
    if (isBusy() === (release !== null)) return
    if (release) {
      release()
      release = null
      return
    }
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    void navigator.locks.request(BUSY, { mode: 'shared' }, () => held)
  })
}

/** Uses the newer version once nobody speaks or rehearses in any tab, and loads the page anew. */
export async function changeToNewer(): Promise<void> {
  useOffline.setState({ newer: 'wanted' })
  await whenIdle()
  await navigator.locks.request(BUSY, () => {
    registration?.waiting?.postMessage('use-newer' satisfies WorkerMessage)
  })
}
