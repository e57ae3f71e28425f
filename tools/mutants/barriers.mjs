// @ts-check
// `node tools/mutants/barriers.mjs`: writes docs/barriers.md out of tests/barriers.json, which says of every barrier of the
// shaders what it keeps and which test fails without it. `npm run mutants -- Barrier` tries them all.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../install.mjs'

/**
 * A barrier of a shader by its number there, from 1, with the test file that fails where it is left out, and whether lanes
 * must be scrambled for that.
 * @typedef {{ shader: string, barrier: number, keeps: string, test: string, lanes: 'in order' | 'scrambled' }} Barrier
 * @typedef {import('./verdict.mjs').Fault} Fault
 */

const BARRIER = 'workgroupBarrier();'

/** @returns {readonly Barrier[]} */
export const readBarriers = () => JSON.parse(readFileSync(join(root, 'tests/barriers.json'), 'utf8'))

/** @param {Barrier} barrier */
const fileOf = ({ shader }) => `shaders/${shader}.wgsl`

/**
 * How many barriers a shader has.
 * @param {string} code
 */
export const countBarriers = (code) => code.split(BARRIER).length - 1

/**
 * The fault of leaving a barrier out. What is looked for begins with the file, so that it stands there once.
 * @param {Barrier} barrier
 * @param {string} code of its shader
 * @returns {Fault}
 */
export function faultOf(barrier, code) {
  const before = code.split(BARRIER).slice(0, barrier.barrier).join(BARRIER)
  return {
    file: fileOf(barrier),
    find: before + BARRIER,
    replace: before,
    test: barrier.test,
    why: `Barrier ${barrier.barrier} is left out. ${barrier.keeps}`,
    lanes: barrier.lanes,
  }
}

/** @returns {Fault[]} */
export function barrierFaults() {
  return readBarriers().map((barrier) => faultOf(barrier, readFileSync(join(root, fileOf(barrier)), 'utf8')))
}

/** @param {readonly Barrier[]} barriers */
export function documentOf(barriers) {
  const rows = barriers.map(
    ({ shader, barrier, keeps, test, lanes }) =>
      `| \`${shader}\` | ${barrier} | ${keeps} | \`${test}\` | ${lanes} |`,
  )
  const scrambled = barriers.filter(({ lanes }) => lanes === 'scrambled').length
  return `# Barriers

What every \`workgroupBarrier()\` of \`shaders/\` keeps, and the test file that fails where it is left out: ${barriers.length} barriers. Drivers on a processor run lanes in their order, a few at a time, so that of ${scrambled} of them the absence shows with scrambled lanes alone (\`HYCORA_LANES=scrambled\`, \`tests/support/scrambledLanes.ts\`). \`npm run mutants -- Barrier\` leaves each out in turn. The table is \`tests/barriers.json\`, written here by \`node tools/mutants/barriers.mjs\`; a barrier without a row fails \`tests/unit/tools/barriers.test.ts\`.

| kernel | barrier | keeps | noticed by | lanes |
|---|---|---|---|---|
${rows.join('\n')}
`
}

if (process.argv[1] === join(root, 'tools/mutants/barriers.mjs')) {
  writeFileSync(join(root, 'docs/barriers.md'), documentOf(readBarriers()))
}
