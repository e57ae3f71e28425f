// @ts-check
// `npm start`: installs what is missing, builds when something changed, serves the build with its security headers.
import { join } from 'node:path'

import { cache, ensureBuilt, ensurePackages, root } from './install.mjs'

const sources = [
  'app',
  'public',
  'src',
  'shaders',
  'index.html',
  'vite.config.ts',
  'package-lock.json',
  'tools/securityHeaders.ts',
]

/** @returns {number} */
function wantedPort() {
  const text = process.env['PORT'] ?? '4173'
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Error(`PORT is ${text}, expected a number from 1 to 65535`)
}

async function start() {
  const port = wantedPort()
  ensurePackages()
  const { build, preview } = await import('vite')
  const what = {
    stamp: join(cache, 'site'),
    sources: sources.map((path) => join(root, path)),
    product: join(root, 'dist', 'index.html'),
  }
  await ensureBuilt(what, () => {
    console.log('Building the page.')
    return build({ root, logLevel: 'warn' })
  })
  // Only this machine reaches it: elsewhere a page without https has no WebGPU anyway.
  const server = await preview({ root, logLevel: 'warn', preview: { port, host: '127.0.0.1', open: false } })
  const address = server.resolvedUrls?.local[0] ?? `http://127.0.0.1:${port}/`
  const served = Number(new URL(address).port)
  if (served !== port) console.log(`Port ${port} is taken, port ${served} is used instead.`)
  console.log(`HyCoRA playground: ${address}`)
  console.log('Open it in Chrome. Ctrl+C stops it.')
}

try {
  await start()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
