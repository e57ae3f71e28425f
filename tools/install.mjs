// @ts-check
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/** Where the tools keep what they build; a fresh install empties it. */
export const cache = join(root, 'node_modules', '.cache', 'hycora')

/**
 * A lockfile, or npm's record of what it installed, as far as it matters here.
 * @typedef {{ packages?: Record<string, {
 *   version?: string, optional?: boolean, devOptional?: boolean, link?: boolean,
 *   dependencies?: Record<string, string>, devDependencies?: Record<string, string>,
 * }> }} Lockfile
 * @typedef {{ dependencies?: Record<string, string>, devDependencies?: Record<string, string> }} Manifest
 */

/**
 * Whether the lockfile was made for this package.json.
 * @param {Manifest} manifest
 * @param {Lockfile} lockfile
 * @returns {boolean}
 */
export function isLocked(manifest, lockfile) {
  const locked = lockfile.packages?.[''] ?? {}
  return (
    sortedEntries(manifest.dependencies) === sortedEntries(locked.dependencies) &&
    sortedEntries(manifest.devDependencies) === sortedEntries(locked.devDependencies)
  )
}

/** @param {Record<string, string> | undefined} record */
function sortedEntries(record) {
  return JSON.stringify(Object.entries(record ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Whether the installed packages are those of the lockfile. Optional ones (of other platforms) may lack.
 * @param {Lockfile} lockfile
 * @param {Lockfile} installed
 * @returns {boolean}
 */
export function isInstalled(lockfile, installed) {
  const there = installed.packages ?? {}
  return Object.entries(lockfile.packages ?? {}).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true
    const found = there[path]
    return found ? found.version === version : Boolean(optional ?? devOptional)
  })
}

/**
 * @param {string} path
 * @returns {any}
 */
function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
}

/**
 * Installs the packages of the lockfile where they are missing or others; where package.json has moved on without
 * the lockfile, the lockfile follows. Nothing goes to stdout.
 * @param {{ isQuiet?: boolean }} [options] quiet: npm's own words are shown only when it fails.
 */
export function ensurePackages({ isQuiet = false } = {}) {
  const lockfile = readJson(join(root, 'package-lock.json'))
  const isCurrent = isLocked(readJson(join(root, 'package.json')), lockfile)
  // npm writes this record last, so that an interrupted installation has none.
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))
  if (isCurrent && installed.packages && isInstalled(lockfile, installed)) return
  if (!isQuiet) process.stderr.write('Installing packages (once).\n')
  const command = [
    isCurrent ? 'ci' : 'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  const { status, stderr, error } = spawnSync('npm', command, {
    cwd: root,
    stdio: ['ignore', isQuiet ? 'ignore' : process.stderr, isQuiet ? 'pipe' : process.stderr],
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  const said = /^npm error (?!code)(.+)$/m.exec(stderr ?? '')?.[1] ?? error?.message
  throw new Error(
    `npm ${command[0]} failed${said ? ` (${said})` : ''}: is the package registry reachable from here?`,
  )
}

/**
 * @param {string} path
 * @returns {Generator<string>}
 */
function* filesBelow(path) {
  if (statSync(path).isFile()) {
    yield path
    return
  }
  for (const name of readdirSync(path).toSorted()) yield* filesBelow(join(path, name))
}

/**
 * A digest of the names, sizes and times of all files below `sources`; it changes when any of them does.
 * @param {readonly string[]} sources absolute paths of files and folders
 * @returns {string}
 */
export function digestOf(sources) {
  const hash = createHash('sha256')
  for (const source of sources) {
    for (const file of filesBelow(source)) {
      const { size, mtimeMs } = statSync(file)
      hash.update(`${file} ${size} ${mtimeMs}\n`)
    }
  }
  return hash.digest('hex')
}

/**
 * Runs `build` unless `product` is there and was built from these very `sources`. A build that ends early leaves no
 * stamp, so that the next one starts again.
 * @param {{ stamp: string, sources: readonly string[], product: string }} what absolute paths
 * @param {() => Promise<unknown>} build
 */
export async function ensureBuilt({ stamp, sources, product }, build) {
  const digest = digestOf(sources)
  if (existsSync(product) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  rmSync(stamp, { force: true })
  await build()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
}
