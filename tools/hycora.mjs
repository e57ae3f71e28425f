// @ts-check
// `npm run --silent hycora -- COMMAND`: bundles src/cli when it changed, then runs it where Dawn finds a driver.
// The command's stdout is its own. Its native stderr, where drivers and Dawn talk, goes nowhere; what the command
// itself says travels over descriptor 3 (cliMessages.mjs). HYCORA_DEBUG=1 shows all of it.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { endLike, runNode } from './child.mjs'
import { cache, digestOf, ensurePackages, root } from './install.mjs'
import { vulkanEnvironment } from './vulkan.mjs'

const sources = ['src', 'shaders', 'package-lock.json', 'tools/hycora.mjs'].map((path) => join(root, path))
const isDebugging = Boolean(process.env['HYCORA_DEBUG'])

/** The bundle of the sources as they are: built aside and moved into place, so that commands may run at once. */
async function bundle() {
  const folder = join(cache, `cli-${digestOf(sources).slice(0, 16)}`)
  if (existsSync(folder)) return join(folder, 'main.js')
  const draft = join(cache, `draft-${process.pid}`)
  const { build } = await import('vite')
  await build({
    root,
    configFile: false,
    logLevel: 'silent',
    build: {
      ssr: 'src/cli/main.ts',
      outDir: draft,
      target: 'node20',
      emptyOutDir: true,
      copyPublicDir: false,
    },
  })
  removeOldBundles()
  try {
    renameSync(draft, folder)
  } catch (error) {
    // Another command may have been faster.
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return join(folder, 'main.js')
}

/** Bundles of yesterday: nobody can still be loading them. */
function removeOldBundles() {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name)
    if (!/^(?:cli|draft)-/.test(name) || Date.now() - statSync(path).mtimeMs < 86_400_000) continue
    rmSync(path, { recursive: true, force: true })
  }
}

/** @returns {Promise<string>} */
async function prepare() {
  try {
    ensurePackages({ isQuiet: !process.stderr.isTTY })
    mkdirSync(cache, { recursive: true })
    return await bundle()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`usage: the command line could not be built: ${message.replaceAll(/\s+/g, ' ')}\n`)
    return process.exit(1)
  }
}

const main = await prepare()
const messages = pathToFileURL(join(root, 'tools', 'cliMessages.mjs')).href
const words = isDebugging ? [main] : ['--import', messages, main]
const end = await runNode([...words, ...process.argv.slice(2)], {
  stdio: isDebugging ? 'inherit' : ['inherit', 'inherit', 'ignore', 2],
  env: { ...process.env, ...vulkanEnvironment() },
})
if (end.signal && ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL'].includes(end.signal)) {
  process.stderr.write(`device-lost: the command ended with ${end.signal}, as when a driver crashes\n`)
  process.exit(1)
}
endLike(end)
