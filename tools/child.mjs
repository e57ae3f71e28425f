// @ts-check
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** @type {readonly NodeJS.Signals[]} */
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Runs a program of Node's to its end; signals that this process receives go on to it.
 * @param {readonly string[]} words what follows `node` on the command line
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ status: number | null, signal: NodeJS.Signals | null }>}
 */
export async function runNode(words, options) {
  const child = spawn(process.execPath, words, options)
  /** @param {NodeJS.Signals} name */
  const passOn = (name) => {
    child.kill(name)
  }
  for (const name of passedOn) process.on(name, passOn)
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', (status, signal) => resolve({ status, signal }))
    })
  } finally {
    for (const name of passedOn) process.off(name, passOn)
  }
}

/**
 * Ends this process as the child ended: by the same signal or with the same status.
 * @param {{ status: number | null, signal: NodeJS.Signals | null }} end
 */
export function endLike({ status, signal }) {
  if (signal) {
    process.kill(process.pid, signal)
    process.exit(128 + constants.signals[signal])
  }
  process.exit(status ?? 1)
}
