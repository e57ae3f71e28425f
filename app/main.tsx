import { connectEngine } from '../src/engine/client.ts'
// Vite makes this export: the address of the bundled worker.
// oxlint-disable-next-line import/default
import workerUrl from '../src/engine/worker.ts?worker&url'
import { startApp } from './startApp.tsx'

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

// A content security policy does not reach WebRTC; nothing here needs it, and nothing injected shall have it.
Reflect.deleteProperty(window, 'RTCPeerConnection')

/** Where Trusted Types are enforced, a worker starts only from an address that this policy has passed: ours. */
const policy = window.trustedTypes?.createPolicy('app-worker', {
  createScriptURL: (url) => {
    if (url !== workerUrl) throw new TypeError('only the engine may start')
    return url
  },
})

const root = document.getElementById('root')
if (root) {
  await startApp(root, () =>
    connectEngine(
      new Worker(policy?.createScriptURL(workerUrl) ?? workerUrl, { type: 'module', name: 'engine' }),
    ),
  )
}
