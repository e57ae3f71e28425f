import { join } from 'node:path'

import { build } from 'vite'

/**
 * Builds the page, once for all tests that open it: a second build would take files from under an open page. What it is
 * built of is what is published, without the developers' checks of React; only its service worker is left out.
 */
export async function setup(): Promise<void> {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    await build({
      root: join(import.meta.dirname, '../..'),
      logLevel: 'error',
      define: { 'import.meta.env.PROD': 'false' },
    })
  } finally {
    process.env['NODE_ENV'] = before
  }
}
