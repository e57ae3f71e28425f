// @ts-check
import { execFileSync, spawn } from 'node:child_process'
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
 * Runs the tests of the PyTorch twin, on one thread, since they run beside others; without a Python for them, they are one
 * test that is skipped.
 * @param {string} root the repository
 * @param {string} cache where the report is written
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ counts: Counts, output: string }>} the counts, and what was said meanwhile
 */
export async function runPythonTests(root, cache, env) {
  const python = findPython(env)
  if (python === undefined) {
    const output = 'Tests of scale/ skipped: no Python with PyTorch (HYCORA_PYTHON names one).\n'
    return { counts: { passed: 0, failed: 0, skipped: 1 }, output }
  }
  const report = join(cache, 'pytest-report.xml')
  rmSync(report, { force: true })
  const words = ['-m', 'pytest', '-q', `--junitxml=${report}`]
  const { status, output } = await runToEnd(python, words, {
    cwd: join(root, 'scale'),
    env: { OMP_NUM_THREADS: '1', ...env },
  })
  return { counts: countPython(read(report), status === 0), output }
}

/**
 * Runs a program and keeps what it says.
 * @param {string} program
 * @param {readonly string[]} words
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ status: number | null, output: string }>}
 */
async function runToEnd(program, words, options) {
  const child = spawn(program, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  }
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(null))
    child.on('close', resolve)
  })
  return { status, output }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
