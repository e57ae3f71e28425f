// How the workers of this page are started. No state.
/* oxlint-disable import/default -- Vite makes these exports: the addresses of the bundled workers */
import benchWorkerUrl from '../../../src/bench/benchWorker.ts?worker&url'
import fileWorkerUrl from '../../../src/engine/fileWorker.ts?worker&url'
import engineUrl from '../../../src/engine/worker.ts?worker&url'
import { siteUrl } from '../page/site.ts'

/** What this page uses of Trusted Types, which TypeScript's library does not know yet. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): {
    createScriptURL: (url: string) => string
  }
}

declare global {
  interface Window {
    readonly trustedTypes?: TrustedTypes
  }
}

/** Beside the page, so that its folder is what it keeps. */
const serviceWorkerUrl = siteUrl('sw.js')

/** Where Trusted Types are enforced, a worker starts only from an address that this policy has passed: ours. */
const policy = window.trustedTypes?.createPolicy('app-worker', {
  createScriptURL: (url) => {
    if (![engineUrl, fileWorkerUrl, benchWorkerUrl, serviceWorkerUrl].includes(url))
      throw new TypeError('only the page’s own workers may start')
    return url
  },
})

function open(url: string, name: string): Worker {
  return new Worker(policy?.createScriptURL(url) ?? url, { type: 'module', name })
}

/** Starts the worker that owns the graphics device. */
export function openEngineWorker(): Worker {
  return open(engineUrl, 'engine')
}

/** Starts a worker that reads or writes one file. */
export function openFileWorker(): Worker {
  return open(fileWorkerUrl, 'files')
}

/** Starts a worker that measures the graphics card. */
export function openBenchWorker(): Worker {
  return open(benchWorkerUrl, 'bench')
}

/** Starts the worker that keeps the page, or finds it. @throws what the browser says where it allows none. */
export function openServiceWorker(): Promise<ServiceWorkerRegistration> {
  const url = policy?.createScriptURL(serviceWorkerUrl) ?? serviceWorkerUrl
  return navigator.serviceWorker.register(url, { updateViaCache: 'none' })
}
