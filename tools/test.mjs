// @ts-check
// `npm test`: installs what is missing (a Chromium too), checks format, lint and types, runs every test and counts,
// those of the PyTorch twin beside them where a Python with its packages is found. With words after `--` they go to Vitest, and
// only the tests that they choose run.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { reportChecks, runChecks, runProgram } from './checks.mjs'
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

/** Vitest's report, where it wrote a whole one. */
function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  }
}

const chosen = process.argv.slice(2)
mkdirSync(cache, { recursive: true })
const NONE = { counts: { passed: 0, failed: 0, skipped: 0 }, output: '' }
const twin = chosen.length === 0 ? runPythonTests(root, cache, env) : NONE
/** @type {Record<string, boolean>} */
const checks = chosen.length === 0 ? await runChecks(env) : {}

rmSync(report, { force: true })
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const isGreen = await runProgram('vitest', 'vitest', ['run', ...reporters, ...chosen], env)
const counts = countTests(readReport(), isGreen)
const { counts: twins, output } = await twin
process.stdout.write(output)
reportChecks(checks)
const total = addChecks(addCounts(counts, twins), checks)
console.log(countLine(total))
process.exitCode = total.failed > 0 ? 1 : 0
