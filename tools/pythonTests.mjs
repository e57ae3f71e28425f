// @ts-check
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {import('./testCounts.mjs').Counts} Counts */

/**
 * The Python that can run the twin's tests: `HYCORA_PYTHON`, else `python3`; undefined where it lacks a package.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function findPython(env) {
  const python = env['HYCORA_PYTHON'] || 'python3'
  try {
    execFileSync(python, ['-c', 'import accelerate, onnx, pytest, torch, transformers'], {
      stdio: 'ignore',
      env,
    })
    return python
  } catch {
    return undefined
  }
}

/**
 * The counts of pytest's JUnit report. A run that fails without a failure in its report, or that leaves no report, is
 * one failure.
 * @param {string | undefined} report
 * @param {boolean} isGreen whether pytest ended with success
 * @returns {Counts}
 */
export function countPython(report, isGreen) {
  const suite = /<testsuite [^>]*>/.exec(report ?? '')?.[0] ?? ''
  /** @param {string} name */
  const number = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0)
  const failed = number('failures') + number('errors')
  const skipped = number('skipped')
  const passed = number('tests') - failed - skipped
  return { passed, failed: failed === 0 && !(isGreen && suite) ? 1 : failed, skipped }
}

/**
 * Runs the tests of the PyTorch twin; without a Python for them, they are one test that is skipped.
 * @param {string} root the repository
 * @param {string} cache where the report is written
 * @param {NodeJS.ProcessEnv} env
 * @returns {Counts}
 */
export function runPythonTests(root, cache, env) {
  const python = findPython(env)
  if (python === undefined) {
    console.log('Tests of scale/ skipped: no Python with PyTorch (HYCORA_PYTHON names one).')
    return { passed: 0, failed: 0, skipped: 1 }
  }
  const report = join(cache, 'pytest-report.xml')
  rmSync(report, { force: true })
  const words = ['-m', 'pytest', '-q', `--junitxml=${report}`]
  const { status } = spawnSync(python, words, { cwd: join(root, 'scale'), stdio: 'inherit', env })
  return countPython(read(report), status === 0)
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
