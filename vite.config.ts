import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

import react from '@vitejs/plugin-react'
import { playwright } from '@vitest/browser-playwright'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

import { serviceWorker } from './tools/serviceWorker.ts'
import { plainShaders } from './tools/plainShaders.ts'
import { SpreadVisits } from './tools/spreadVisits.ts'
import {
  cacheControl,
  developmentHeaders,
  headersFile,
  isolationHeaders,
  securityHeaders,
} from './tools/securityHeaders.ts'

/** The browser that `npm test` found; without one, Playwright's full build (its headless shell lacks WebGPU). */
const chromiumPath = process.env['CHROMIUM_PATH']
const browserBinary = chromiumPath ? { executablePath: chromiumPath } : { channel: 'chromium' }

/** Test files at a time outside the browser: one more than cores, since some wait; each may open a device of its own. */
const maxWorkers = Math.min(availableParallelism() + 1, 6)

const chromium = (name: string) => ({
  enabled: true,
  headless: true,
  screenshotFailures: false,
  provider: playwright({
    actionTimeout: 30_000,
    launchOptions: {
      ...browserBinary,
      args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    },
  }),
  instances: [{ browser: 'chromium' as const, name }],
})

/** What results of measuring say they were made with; the empty string where this is no repository. */
function commitHere(): string {
  const { stdout, status } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

/** Writes the security headers beside the build, for static hosts that read `_headers`. */
const staticHostHeaders: Plugin = {
  name: 'static-host-headers',
  apply: 'build',
  generateBundle() {
    if (this.environment.name === 'client') {
      this.emitFile({ type: 'asset', fileName: '_headers', source: headersFile() })
    }
  },
}

/** Sets the same headers on every response of the preview, errors included. */
const previewHeaders: Plugin = {
  name: 'preview-headers',
  configurePreviewServer({ middlewares }) {
    middlewares.use((request, response, next) => {
      for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
      response.setHeader('Cache-Control', cacheControl(request.url ?? '/'))
      next()
    })
  },
}

export default defineConfig({
  define: { 'import.meta.env.HYCORA_COMMIT': JSON.stringify(commitHere()) },
  plugins: [react(), plainShaders, staticHostHeaders, previewHeaders, serviceWorker()],
  // No fallback to index.html: a file that is missing must be missing, as on a static host.
  appType: 'mpa',
  // Relative, so that the build also works below a sub-folder of a static host.
  base: './',
  // Vitest's browser pages come from the same server, with scripts and frames of their own.
  server: { headers: process.env['VITEST'] ? isolationHeaders : developmentHeaders },
  preview: { cors: false, headers: securityHeaders },
  worker: { format: 'es', plugins: () => [plainShaders] },
  build: { target: 'es2024', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: {
    sequence: { sequencer: SpreadVisits },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          environment: 'node',
          maxWorkers,
          include: ['tests/unit/**/*.test.{ts,tsx}'],
          // Seconds say how busy the machine is, not whether the code is right.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'gpu',
          environment: 'node',
          pool: 'forks',
          maxWorkers,
          // The threads of a software driver wait for one another in loops, which takes twice as long where others compute; and it
          // takes longer to compile a kernel than a test takes to run it: unoptimised for vectors of four, less than half as long.
          env: { LP_NUM_THREADS: '1', GALLIVM_PERF: 'nopt', LP_NATIVE_VECTOR_WIDTH: '128' },
          setupFiles: ['tests/support/pacedDawn.ts'],
          include: ['tests/gpu/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        // Found only while a test runs, they would be bundled then, and the page would start anew in its middle.
        optimizeDeps: {
          include: [
            '@noble/hashes/legacy.js',
            '@noble/hashes/sha2.js',
            'axe-core',
            'fflate',
            'idb-keyval',
            'intl-messageformat',
            'qr',
            'react',
            'react/jsx-dev-runtime',
            'react-dom/client',
            'uplot',
            'yaml',
            'zustand',
          ],
        },
        test: {
          name: 'in a page',
          // On a busy machine an element takes longer than the second that is given by default.
          expect: { poll: { timeout: 30_000 } },
          sequence: { groupOrder: 1 },
          // A page waits for what it draws as much as it computes; by default a core is left free, of two that is half.
          maxWorkers: 2,
          include: ['tests/browser/**/*.test.{ts,tsx}'],
          testTimeout: 60_000,
          browser: chromium('browser'),
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['tests/support/buildSite.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // What is measured in a visit is compared within it.
          maxWorkers,
        },
      },
    ],
  },
})
