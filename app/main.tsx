import { connectEngine } from '../src/engine/client.ts'
import { startApp } from './startApp.tsx'
import { openEngineWorker } from './stores/engine/workers.ts'

// A content security policy does not reach WebRTC; nothing here needs it, and nothing injected shall have it.
Reflect.deleteProperty(window, 'RTCPeerConnection')

const root = document.getElementById('root')
if (root) await startApp(root, () => connectEngine(openEngineWorker()))
