// @ts-check
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']

/**
 * Where a Chrome or Chromium may lie, the likeliest first.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string[]}
 */
function usualPlaces(environment) {
  if (process.platform === 'darwin') {
    const applications = ['/Applications', join(homedir(), 'Applications')]
    return applications.flatMap((folder) =>
      ['Google Chrome', 'Chromium'].map((name) => join(folder, `${name}.app/Contents/MacOS/${name}`)),
    )
  }
  if (process.platform === 'win32') {
    const folders = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'].map((name) => environment[name])
    return folders.flatMap((folder) => (folder ? [join(folder, 'Google/Chrome/Application/chrome.exe')] : []))
  }
  const folders = ['/usr/bin', ...(environment['PATH'] ?? '').split(delimiter).filter(Boolean), '/snap/bin']
  return [
    ...new Set(folders.flatMap((folder) => names.map((name) => join(folder, name)))),
    '/opt/google/chrome/chrome',
  ]
}

/** @returns {string | undefined} */
function playwrightChromium() {
  try {
    return createRequire(import.meta.url)('playwright').chromium.executablePath()
  } catch {
    return undefined
  }
}

/** Where snap is missing, Ubuntu's package is a script that only says so. @param {string} path */
function starts(path) {
  if (process.platform !== 'linux') return true
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0
}

/**
 * The Chrome or Chromium of this machine: `CHROMIUM_PATH`, the usual places, one that Playwright installed.
 * @param {NodeJS.ProcessEnv} [environment]
 * @param {(path: string) => boolean} [accepts] asked of each that is there
 * @returns {string | undefined}
 */
export function findChromium(environment = process.env, accepts = () => true) {
  const named = environment['CHROMIUM_PATH']
  if (named) {
    if (existsSync(named)) return named
    throw new Error(`CHROMIUM_PATH is ${named}, expected the path of a Chrome or Chromium`)
  }
  const found = usualPlaces(environment).find((path) => existsSync(path) && accepts(path))
  if (found) return found
  const own = playwrightChromium()
  return own !== undefined && existsSync(own) ? own : undefined
}

function isDebian() {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/etc/os-release')) return false
  return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/**
 * Runs a program of an installation; what it prints goes to stderr.
 * @param {string} command
 * @param {readonly string[]} words
 */
function install(command, words) {
  const { status } = spawnSync(command, words, {
    stdio: ['ignore', process.stderr, process.stderr],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  return status === 0
}

function installWithApt() {
  const patience = ['-qq', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=300']
  // One broken source of several fails the update, yet the package may be in the others.
  install('apt-get', ['update', ...patience])
  return install('apt-get', ['install', '-y', ...patience, '--no-install-recommends', 'chromium'])
}

/** @param {boolean} isRoot */
function installWithPlaywright(isRoot) {
  const program = join(dirname(createRequire(import.meta.url).resolve('playwright/package.json')), 'cli.js')
  // Playwright adds the system's libraries with apt, which root alone may.
  const libraries = isRoot && existsSync('/usr/bin/apt-get') ? ['--with-deps'] : []
  return install(process.execPath, [program, 'install', '--no-shell', ...libraries, 'chromium'])
}

/**
 * Finds a browser or installs one: Debian's package where apt and root are there, else Playwright's.
 * @returns {string}
 */
export function ensureChromium() {
  const found = findChromium(process.env, starts)
  if (found) return found
  process.stderr.write('No Chrome or Chromium found: installing one for the tests (once).\n')
  const isRoot = process.getuid?.() === 0
  if (!(isRoot && isDebian() && installWithApt())) installWithPlaywright(isRoot)
  const installed = findChromium(process.env, starts)
  if (installed) return installed
  throw new Error('no Chrome or Chromium could be installed: install one and set CHROMIUM_PATH to its path')
}
