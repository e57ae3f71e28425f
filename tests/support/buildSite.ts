import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { build } from 'vite'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the built page. */
    readonly site: string
  }
}

/**
 * Builds the page into a folder of its own, once for all tests that open it: a second build, as commands of other tests make
 * one, would take files from under an open page. It is built as what is published, without React's checks for developers;
 * only its service worker is left out.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'site-'))
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    await build({
      root: join(import.meta.dirname, '../..'),
      logLevel: 'error',
      define: { 'import.meta.env.PROD': 'false' },
      build: { outDir: folder },
    })
  } finally {
    process.env['NODE_ENV'] = before
  }
  project.provide('site', folder)
  return () => rm(folder, { recursive: true, force: true })
}
