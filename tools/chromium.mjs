import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

function playwrightChromium() {
  try {
    const path = createRequire(import.meta.url)('playwright').chromium.executablePath()
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

/**
 * The Chrome or Chromium of this machine: `CHROMIUM_PATH`, the usual places, one that Playwright installed.
 * @returns {string | undefined}
 */
export function findChromium() {
  const named = process.env['CHROMIUM_PATH']
  if (named) return named
  return places.find((path) => existsSync(path)) ?? playwrightChromium()
}

/**
 * Finds a browser or installs one: Debian's package where apt and root are there, else Playwright's.
 * @returns {string}
 */
export function ensureChromium() {
  const found = findChromium()
  if (found) return found
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
  const isRoot = process.getuid?.() === 0
  console.log('No Chrome or Chromium found: installing one for the tests.')
  try {
    if (!isRoot || !existsSync('/usr/bin/apt-get')) throw new Error('no apt or not root')
    execFileSync('apt-get', ['update', '-qq'], quiet)
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet)
  } catch {
    execFileSync(
      process.execPath,
      [createRequire(import.meta.url).resolve('playwright/cli.js'), 'install', 'chromium'],
      {
        stdio: 'inherit',
      },
    )
  }
  const installed = findChromium()
  if (!installed)
    throw new Error('No Chrome or Chromium could be installed. Install one and set CHROMIUM_PATH to it.')
  return installed
}
