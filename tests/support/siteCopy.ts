import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { build, preview } from 'vite'

const root = join(import.meta.dirname, '../..')

/** A copy of the build on a server of its own, which can be changed and cut off. */
export interface SiteCopy {
  readonly url: string
  /** Ends the server and all that it is connected to: from then on nothing comes. */
  cut(): Promise<void>
  /** Puts a build in its place whose page differs by a mark in `index.html`. */
  publish(mark: string): Promise<void>
  remove(): Promise<void>
}

/** A build as it is published, which keeps itself; that of the other tests says of itself that it is for tests, and does not. */
export async function buildPublished(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'site-'))
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    await build({ root, logLevel: 'error', build: { outDir: folder } })
  } finally {
    process.env['NODE_ENV'] = before
  }
  return folder
}

/** Serves a copy of a build, below this path. */
export async function serveCopy(built: string, base = '/'): Promise<SiteCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'site-'))
  await cp(built, folder, { recursive: true })
  const server = await preview({
    root,
    base,
    logLevel: 'silent',
    build: { outDir: folder },
    preview: { host: '127.0.0.1', port: 0 },
  })
  const cut = async (): Promise<void> => {
    const closing = server.close()
    // What the browser holds open would be waited for.
    if ('closeAllConnections' in server.httpServer) server.httpServer.closeAllConnections()
    await closing
  }
  return {
    url: server.resolvedUrls!.local[0]!,
    cut,
    async publish(mark) {
      const [page, worker] = [join(folder, 'index.html'), join(folder, 'sw.js')]
      const before = await readFile(page, 'utf8')
      const after = before.replace('<head>', `<head><meta name="mark" content="${mark}" />`)
      await writeFile(page, after)
      const script = await readFile(worker, 'utf8')
      await writeFile(worker, script.replaceAll(revisionOf(before), revisionOf(after)))
    },
    async remove() {
      await cut().catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** As the build has it. */
function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
