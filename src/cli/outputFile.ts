import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

import { HycoraError, check } from '../core/errors.ts'

/** Bytes by which a file may become longer than what was reserved for it. */
const SLACK = 4096

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

/**
 * The place of a file that is written in the end, tried before anything is computed: the folder is made where it is
 * missing.
 *
 * @throws HycoraError `usage` when a folder has the name, or nothing can be written there.
 */
export async function tryOutput(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  check(!found?.isDirectory(), 'usage', () => `${path} is a folder, expected the name of a file`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.part`, '')
    await rm(`${path}.part`)
  } catch (error) {
    throw new HycoraError('usage', `${path} cannot be written: ${reasonOf(error)}`)
  }
}

/**
 * Takes the room that a file will need, until it is written or given up.
 *
 * @throws HycoraError `storage-full` when there is none, `usage` when nothing can be written there.
 */
export async function reserve(path: string, bytes: number): Promise<void> {
  const needed = bytes + SLACK
  try {
    await writeFile(`${path}.part`, new Uint8Array(needed))
  } catch (error) {
    await giveUp(path)
    if (!isFull(error)) throw new HycoraError('usage', `${path} cannot be written: ${reasonOf(error)}`)
    throw new HycoraError('storage-full', `there is no room for ${path}, which needs ${needed} bytes`)
  }
}

/** Gives back what was reserved. */
export async function giveUp(path: string): Promise<void> {
  await rm(`${path}.part`, { force: true }).catch(() => undefined)
}

/** Writes a file so that a crash leaves the old one or the new one, into the room that was reserved where there is any. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part`
  const handle = await open(part, 'r+').catch(() => open(part, 'w'))
  try {
    await handle.writeFile(bytes)
    await handle.truncate(bytes.length)
  } finally {
    await handle.close()
  }
  await rename(part, path)
}

/**
 * Writes what took long to compute: where its place is gone, among the temporary files.
 *
 * @returns where it lies.
 */
export async function writeSafely(path: string, bytes: Uint8Array): Promise<string> {
  try {
    await replaceFile(path, bytes)
    return path
  } catch (error) {
    const other = join(tmpdir(), basename(path))
    await writeFile(other, bytes).catch(() => {
      throw new HycoraError('usage', `${path} cannot be written: ${reasonOf(error)}; nor can ${other}`)
    })
    process.stderr.write(`warning: ${path} cannot be written: ${reasonOf(error)}; it lies at ${other}\n`)
    return other
  }
}

/** Writes a checkpoint; where it finds no room, the run goes on without. */
export async function writeCheckpointFile(path: string, bytes: Uint8Array, step: number): Promise<void> {
  try {
    await replaceFile(path, bytes)
  } catch (error) {
    await giveUp(path)
    process.stderr.write(
      `warning: the checkpoint of step ${step} cannot be written: ${reasonOf(error)}; the run goes on without\n`,
    )
  }
}
