// @ts-check
// `node tools/results.mjs [NAME …]`: runs the commands that measure what the README's tables say, keeps their outputs in
// docs/results, and writes the tables anew; without names, the tables alone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './install.mjs'
import { figuresTable, insertTables, lossTable, speedTable } from './resultTables.mjs'

const SMOLLM2 = 'smollm2-135m-instruct'
const STARTER = 'starter'

/** @param {string} model */
const packOf = (model) => `public/packs/${model}.hycora.safetensors`

/**
 * Every measurement: the model, and the command that makes it. Voice is four held-out replies of each character; the
 * twin measures them faster on a processor.
 * @type {Readonly<Record<string, { model: string, command: string }>>}
 */
export const MEASUREMENTS = {
  starter: {
    model: STARTER,
    command: 'hycora evaluate --backbone starter --only voice,relevance,facts --exchanges 4 --json',
  },
  speed: {
    model: STARTER,
    command: 'hycora bench --cases decode,prefill-256 --json',
  },
  'smollm2-sense': {
    model: SMOLLM2,
    command: `hycora evaluate --backbone ${SMOLLM2} --only relevance,facts --facts 8 --guidance 0.5 --engine ort --json`,
  },
  'smollm2-voice': {
    model: SMOLLM2,
    command: `python -m hycora_scale evaluate --backbone ${SMOLLM2} --pack ${packOf(SMOLLM2)} --data public/cast/lines.jsonl --exchanges 4`,
  },
}

/** @param {string} name */
const resultAt = (name) => join(root, 'docs/results', `${name}.json`)

/** @param {string} model */
export const packHash = (model) =>
  createHash('sha256')
    .update(readFileSync(join(root, packOf(model))))
    .digest('hex')

/**
 * The kept output of a measurement.
 * @param {string} name
 */
export const readResult = (name) => JSON.parse(readFileSync(resultAt(name), 'utf8'))

/** @typedef {import('./resultTables.mjs').Evaluation} Evaluation */
/** @typedef {import('./resultTables.mjs').Bench} Bench */

/** @param {string} name */
function measure(name) {
  const measurement = MEASUREMENTS[name]
  if (!measurement)
    throw new Error(`there is no measurement ${name}, only ${Object.keys(MEASUREMENTS).join(', ')}`)
  const { model, command } = measurement
  const [program = '', ...words] = command.split(' ')
  const isOwn = program === 'hycora'
  const start = isOwn ? process.execPath : process.env['HYCORA_PYTHON'] || 'python3'
  const { stdout, status } = spawnSync(
    start,
    [...(isOwn ? [join(root, 'tools/hycora.mjs')] : []), ...words],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  )
  if (status !== 0) throw new Error(`${command} failed`)
  const result = { command, pack: packHash(model), output: JSON.parse(stdout) }
  writeFileSync(resultAt(name), `${JSON.stringify(result, undefined, 2)}\n`)
}

/** What the characters are called, by their names in the packs. */
function shownNames() {
  const cards = JSON.parse(readFileSync(join(root, 'public/cast/cards.json'), 'utf8'))
  return Object.fromEntries(Object.entries(cards).map(([role, entry]) => [role, entry.displayName]))
}

/** The README as its numbers are in docs/results. */
export function readmeText() {
  /** @type {import('./resultTables.mjs').Result<Evaluation>} */
  const { output: starter } = readResult('starter')
  /** @type {import('./resultTables.mjs').Result<Bench>} */
  const { output: speed } = readResult('speed')
  const smollm2 = { ...readResult('smollm2-sense').output, ...readResult('smollm2-voice').output }
  const evaluations = [smollm2, starter]
  const models = ['SmolLM2', 'starter']
  return insertTables(readFileSync(join(root, 'README.md'), 'utf8'), {
    figures: figuresTable(evaluations, models),
    losses: lossTable(evaluations, models, shownNames()),
    speed: speedTable(speed),
  })
}

if (process.argv[1] === join(root, 'tools/results.mjs')) {
  for (const name of process.argv.slice(2)) measure(name)
  writeFileSync(join(root, 'README.md'), readmeText())
}
