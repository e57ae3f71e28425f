// @ts-check
// `npm test`: installs what is missing (a Chromium too), checks format, lint and types, runs every test and counts,
// those of the PyTorch twin too where a Python with its packages is found. With words after `--` they go to Vitest, and
// only the tests that they choose run.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import { runNode } from './child.mjs'
import { ensureChromium } from './chromium.mjs'
import { cache, ensurePackages, root } from './install.mjs'
import { runPythonTests } from './pythonTests.mjs'
import { addChecks, addCounts, countTests, countLine } from './testCounts.mjs'
import { vulkanEnvironment } from './vulkan.mjs'

/** @returns {NodeJS.ProcessEnv} */
function prepare() {
  try {
    ensurePackages()
    return { ...process.env, CHROMIUM_PATH: ensureChromium(), ...vulkanEnvironment() }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.log(countLine({ passed: 0, failed: 1, skipped: 0 }))
    return process.exit(1)
  }
}

const env = prepare()
const report = join(cache, 'test-report.json')
const load = createRequire(import.meta.url)

/**
 * Runs the program `name` of a package.
 * @param {string} packageName
 * @param {string} name
 * @param {readonly string[]} words
 */
async function run(packageName, name, words) {
  const manifest = join(root, 'node_modules', packageName, 'package.json')
  const program = join(dirname(manifest), load(manifest).bin[name])
  const { status, signal } = await runNode([program, ...words], { cwd: root, stdio: 'inherit', env })
  if (signal === 'SIGINT' || status === 130) process.exit(130)
  return status === 0
}

/** Vitest's report, where it wrote a whole one. */
function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  }
}

const chosen = process.argv.slice(2)
/** @type {Record<string, boolean>} */
const checks = {}
if (chosen.length === 0) {
  checks['format'] = await run('oxfmt', 'oxfmt', ['--check'])
  checks['lint'] = await run('oxlint', 'oxlint', ['--type-aware', '--quiet'])
  checks['types'] = await run('typescript', 'tsc', [])
}

mkdirSync(cache, { recursive: true })
rmSync(report, { force: true })
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const isGreen = await run('vitest', 'vitest', ['run', ...reporters, ...chosen])
const counts = countTests(readReport(), isGreen)
const twin = chosen.length === 0 ? runPythonTests(root, cache, env) : { passed: 0, failed: 0, skipped: 0 }
for (const [name, isPassed] of Object.entries(checks)) {
  if (!isPassed) console.error(`The ${name} check failed, see above.`)
}
if (checks['format'] === false || checks['lint'] === false) {
  console.error('npm run fix mends the format and some of what the linter finds.')
}
const total = addChecks(addCounts(counts, twin), checks)
console.log(countLine(total))
process.exitCode = total.failed > 0 ? 1 : 0
