import { join } from 'node:path'

import { build } from 'vite'

/** Builds the page, once for all tests that open it: a second build would take files from under an open page. */
export async function setup(): Promise<void> {
  await build({ root: join(import.meta.dirname, '../..'), logLevel: 'error' })
}
