// @ts-check
// `npm run mutants [-- WORD]`: puts the small faults of tests/mutants.json into a copy of the repository, and leaves out the
// barriers of tests/barriers.json, one at a time, and runs the test file that must notice each. With a word, only those whose
// file, reason or order of lanes has it.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { runNode } from './child.mjs'
import { ensurePackages, root } from './install.mjs'
import { barrierFaults } from './mutants/barriers.mjs'
import { applyFault, sumUp, verdictOf } from './mutants/verdict.mjs'
import { vulkanEnvironment } from './vulkan.mjs'

/** @typedef {import('./mutants/verdict.mjs').Fault} Fault */

/** A fault that keeps a test busy for ever is noticed too. */
const LIMIT_MS = 600_000

/** What no fault is in and tests only read: linked, since copying takes long. */
const LINKED = ['data', 'public']

/** Files of the repository as they are now, with those that are new; what git ignores is left out. */
function trackedFiles() {
  const words = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const { stdout, status } = spawnSync('git', words, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error('git does not list the files of the repository')
  return stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
}

/**
 * A copy of the repository in a folder of its own. Packages are linked one by one, so that caches are written here.
 * @param {string} folder
 */
function copyTree(folder) {
  const tree = join(folder, 'tree')
  mkdirSync(join(tree, 'node_modules'), { recursive: true })
  for (const name of LINKED) symlinkSync(join(root, name), join(tree, name))
  for (const path of trackedFiles().filter((one) => !LINKED.includes(one.split('/')[0] ?? ''))) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    cpSync(join(root, path), join(tree, path))
  }
  const packages = readdirSync(join(root, 'node_modules')).filter((name) => !/^\.(?:cache|vite)/.test(name))
  for (const name of packages) symlinkSync(join(root, 'node_modules', name), join(tree, 'node_modules', name))
  const shared = join(root, '..', 'shared')
  if (existsSync(shared)) symlinkSync(shared, join(folder, 'shared'))
  return tree
}

/**
 * Runs one test file in the copy.
 * @param {string} tree
 * @param {string} test
 * @param {NodeJS.ProcessEnv} env
 */
async function runTest(tree, test, env) {
  const report = join(tree, 'node_modules', '.mutant.json')
  rmSync(report, { force: true })
  const project = test.startsWith('tests/gpu/') ? 'gpu' : 'unit'
  // One test that fails is enough, be it with the fault or without.
  const words = ['run', '--project', project, '--bail=1', '--reporter=json', `--outputFile=${report}`, test]
  const options = { cwd: tree, env, stdio: /** @type {const} */ ('ignore'), timeout: LIMIT_MS }
  const { status } = await runNode([join(tree, 'node_modules', 'vitest', 'vitest.mjs'), ...words], options)
  if (isInterrupted) throw new Interrupted()
  return verdictOf(existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined, status)
}

class Interrupted extends Error {}

/** Whether this process was asked to end; the test that runs hears of it too, and what is copied is removed. */
let isInterrupted = false
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    isInterrupted = true
  })
}

/**
 * Tries one fault; the copy is as before when it returns.
 * @param {string} tree
 * @param {Fault} fault
 * @param {(fault: Fault) => Promise<'green' | 'red' | 'nothing'>} run
 * @param {string} sound how the test file ends without a fault
 * @returns {Promise<'caught' | 'missed' | 'not run'>}
 */
async function tryFault(tree, fault, run, sound) {
  const path = join(tree, fault.file)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const faulty = applyFault(text, fault)
  if (faulty === undefined || sound !== 'green') return 'not run'
  writeFileSync(path, faulty)
  try {
    return (await run(fault)) === 'green' ? 'missed' : 'caught'
  } finally {
    writeFileSync(path, text)
  }
}

/**
 * @param {readonly Fault[]} faults
 * @param {string} tree
 */
async function tryAll(faults, tree) {
  // A test of this command must not lend its own settings to those that are tried.
  const own = Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_ENV$|TEST$)/.test(name))
  const env = { ...Object.fromEntries(own), ...vulkanEnvironment() }
  /** @param {Fault} fault */
  const run = ({ test, lanes }) =>
    runTest(tree, test, lanes === 'scrambled' ? { ...env, HYCORA_LANES: lanes } : env)
  /** @type {Map<string, 'green' | 'red' | 'nothing'>} */
  const sound = new Map()
  /** @type {Record<'caught' | 'missed' | 'not run', number>} */
  const counts = { caught: 0, missed: 0, 'not run': 0 }
  for (const fault of faults) {
    const way = `${fault.test} ${fault.lanes ?? ''}`
    const before = sound.get(way) ?? (await run(fault))
    sound.set(way, before)
    const verdict = await tryFault(tree, fault, run, before)
    counts[verdict]++
    console.log(`${verdict.padEnd(7)}  ${fault.file}: ${fault.why}`)
    if (verdict === 'missed') console.log(`         ${fault.test} passes all the same.`)
    if (verdict === 'not run' && before !== 'green') {
      console.log(
        `         ${fault.test} ${before === 'red' ? 'fails' : 'runs nothing here'} without the fault.`,
      )
    }
  }
  return counts
}

ensurePackages()
const word = process.argv[2] ?? ''
/** @type {readonly Fault[]} */
const small = JSON.parse(readFileSync(join(root, 'tests', 'mutants.json'), 'utf8'))
const all = [...small, ...barrierFaults()]
const chosen = all.filter(({ file, test, why, lanes = '' }) =>
  `${file} ${test} ${why} ${lanes}`.includes(word),
)
const folder = mkdtempSync(join(tmpdir(), 'hycora-mutants-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
try {
  const counts = await tryAll(chosen, copyTree(folder))
  console.log(sumUp(counts))
  process.exitCode = counts.missed > 0 || chosen.length === 0 ? 1 : 0
} catch (error) {
  if (!(error instanceof Interrupted)) throw error
  process.exitCode = 130
}
