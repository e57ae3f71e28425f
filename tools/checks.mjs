// @ts-check
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import { runNode } from './child.mjs'
import { root } from './install.mjs'

const load = createRequire(import.meta.url)

/**
 * Runs the program `name` of a package; whether it ended well. Ctrl+C ends this process too.
 * @param {string} packageName
 * @param {string} name
 * @param {readonly string[]} words
 * @param {NodeJS.ProcessEnv} env
 */
export async function runProgram(packageName, name, words, env) {
  const manifest = join(root, 'node_modules', packageName, 'package.json')
  const program = join(dirname(manifest), JSON.parse(readFileSync(load.resolve(manifest), 'utf8')).bin[name])
  const { status, signal } = await runNode([program, ...words], { cwd: root, stdio: 'inherit', env })
  if (signal === 'SIGINT' || status === 130) process.exit(130)
  return status === 0
}

/**
 * How ruff is started: on the path, or as a module of the twin's Python; undefined where it is not installed.
 * @param {NodeJS.ProcessEnv} env
 * @returns {readonly [string, ...string[]] | undefined}
 */
export function findRuff(env) {
  /** @type {readonly (readonly [string, ...string[]])[]} */
  const ways = [['ruff'], [env['HYCORA_PYTHON'] || 'python3', '-m', 'ruff']]
  return ways.find(([command, ...words]) => {
    return spawnSync(command, [...words, '--version'], { stdio: 'ignore', env }).status === 0
  })
}

/**
 * Format, lint and types, by name; the Python side where ruff is found.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Record<string, boolean>>}
 */
export async function runChecks(env) {
  const checks = {
    format: await runProgram('oxfmt', 'oxfmt', ['--check'], env),
    lint: await runProgram('oxlint', 'oxlint', ['--type-aware', '--quiet'], env),
    types: await runProgram('typescript', 'tsc', [], env),
  }
  const ruff = findRuff(env)
  if (!ruff) {
    console.log('The Python of scale/ is not linted: ruff is not installed.')
    return checks
  }
  const [command, ...words] = ruff
  const python = [['check'], ['format', '--check']].every((more) => {
    const options = { cwd: join(root, 'scale'), stdio: /** @type {const} */ ('inherit'), env }
    return spawnSync(command, [...words, ...more, '.'], options).status === 0
  })
  return { ...checks, python }
}

/**
 * Says which checks failed, and how to mend them.
 * @param {Record<string, boolean>} checks
 */
export function reportChecks(checks) {
  for (const [name, isPassed] of Object.entries(checks)) {
    if (!isPassed) console.error(`The ${name} check failed, see above.`)
  }
  if (checks['format'] === false || checks['lint'] === false) {
    console.error('npm run fix mends the format and some of what the linter finds.')
  }
}
