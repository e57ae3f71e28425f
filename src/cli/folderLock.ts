import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { HycoraError } from '../core/errors.ts'
import { writing } from './partStore.ts'

/** Who writes into a folder says so in this file. */
const NAME = '.hycora-lock'

/**
 * Takes a folder for this process; one that a process left which is no more is free.
 *
 * @returns how to let go of it.
 * @throws HycoraError `usage` where another process has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, NAME)
  const own = String(process.pid)
  const take = (): Promise<void> => writeFile(path, own, { flag: 'wx' })
  const isTaken = await take().then(
    () => false,
    (error: unknown) => isThere(error),
  )
  if (isTaken) {
    const holder = Number(await readFile(path, 'utf8').catch(() => ''))
    if (isAlive(holder)) {
      const advice = `wait for it, or end it and call again: what came is kept`
      throw new HycoraError('usage', `process ${holder} is fetching into ${folder} already: ${advice}`)
    }
    await rm(path, { force: true })
    await writing(folder, take)
  }
  return () => rm(path, { force: true })
}

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

/** Whether a process runs; this one asks twice only where it has not let go. */
function isAlive(id: number): boolean {
  if (!Number.isSafeInteger(id) || id <= 0) return false
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    // One that is another user's may not be asked, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
