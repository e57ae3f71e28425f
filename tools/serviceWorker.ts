import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import type { Plugin, Rolldown } from 'vite'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '..')
const SOURCE = join(root, 'app/serviceWorker.ts')

/** Files of `public` that every visit needs: the rest comes when it is asked for, and is kept by the page itself. */
const PUBLIC = [/^icon\.svg$/, /^manifest\.webmanifest$/, /^cast\/.*\.svg$/]

/** What computes on the processor, which is larger than all the rest. */
const PROCESSOR = /(?:^|\/)ort-[^/]*\.(?:mjs|wasm)$/
const SHELL = /\.(?:html|js|css)$/

/** One file of the shell; one whose name says its content has no revision. */
interface ShellFile {
  readonly url: string
  readonly revision: string | null
}

function revisionOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16)
}

async function publicFiles(folder: string): Promise<readonly ShellFile[]> {
  if (folder === '') return []
  const paths = (await readdir(folder, { recursive: true })).map((path) => path.replaceAll('\\', '/'))
  const wanted = paths.filter((path) => PUBLIC.some((pattern) => pattern.test(path))).toSorted()
  return Promise.all(
    wanted.map(async (url) => ({ url, revision: revisionOf(await readFile(join(folder, url))) })),
  )
}

function shellFile(part: Rolldown.OutputChunk | Rolldown.OutputAsset): ShellFile {
  const content = part.type === 'chunk' ? part.code : part.source
  const isHashed = part.fileName.startsWith('assets/')
  return { url: part.fileName, revision: isHashed ? null : revisionOf(content) }
}

/** Writes `sw.js` beside the build: the worker that keeps this very build for visits without a network. */
export function serviceWorker(): Plugin {
  let publicFolder = ''
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      publicFolder = config.publicDir
    },
    generateBundle: {
      order: 'post',
      async handler(_, bundle) {
        if (this.environment.name !== 'client') return
        const parts = Object.values(bundle)
        const shell = parts.filter(({ fileName }) => SHELL.test(fileName) && !PROCESSOR.test(fileName))
        const processor = parts.map(({ fileName }) => fileName).filter((name) => PROCESSOR.test(name))
        const files = [...shell.map(shellFile), ...(await publicFiles(publicFolder))]
        const source = await bundled({ SHELL: files, PROCESSOR: processor.toSorted() })
        this.emitFile({ type: 'asset', fileName: 'sw.js', source })
      },
    },
  }
}

/** The worker as one script. */
async function bundled(lists: Readonly<Record<string, unknown>>): Promise<string> {
  const values = Object.entries(lists).map(([name, value]) => [name, JSON.stringify(value)] as const)
  const built = await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"', ...Object.fromEntries(values) },
    build: {
      write: false,
      target: 'es2024',
      rolldownOptions: { input: SOURCE, output: { format: 'iife', codeSplitting: false } },
    },
  })
  const [first] = 'output' in built ? built.output : []
  if (first?.type !== 'chunk') throw new Error('the service worker was not built')
  return first.code
}
