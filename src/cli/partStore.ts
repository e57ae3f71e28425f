import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { hexSha256 } from '../core/bytes.ts'
import { HycoraError } from '../core/errors.ts'
import type { ChunkStore } from '../download/chunkStore.ts'
import { proofName } from '../download/servedFile.ts'
import { fileBlob } from './files.ts'

/** Does what writes to `path`. @throws HycoraError `storage-full`, `usage` saying what keeps it from doing so. */
export async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : ''
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      const advice = 'free some and call again: what came is kept'
      throw new HycoraError('storage-full', `there is no room for ${path}: ${advice}`, { cause })
    }
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HycoraError('usage', `${path} cannot be written: ${reason}`, { cause })
  }
}

/** A folder where the chunks of files lie, each a file, until the files are whole. */
export async function openPartStore(folder: string): Promise<ChunkStore> {
  await writing(folder, () => mkdir(folder, { recursive: true }))
  const place = (name: string): string => join(folder, name)
  const read: ChunkStore['read'] = async (chunk) => {
    const content = await fileBlob(place(chunk.name))
    if (!content) return undefined
    const isRight =
      content.size === chunk.bytes &&
      (chunk.sha256 === null ||
        (await hexSha256(new Uint8Array(await content.arrayBuffer()))) === chunk.sha256)
    if (isRight) return content
    await rm(place(chunk.name), { force: true })
    return undefined
  }
  /** A crash leaves a file whole or not at all. */
  const write = (name: string, content: Uint8Array | string): Promise<void> =>
    writing(place(name), async () => {
      await writeFile(`${place(name)}.part`, content)
      await rename(`${place(name)}.part`, place(name))
    })
  return {
    read,
    async keep(chunk, content) {
      await write(chunk.name, new Uint8Array(await content.arrayBuffer()))
      return fileBlob(place(chunk.name))
    },
    async remove(chunk) {
      await rm(place(chunk.name), { force: true })
    },
    async readProof(file) {
      const text = await readFile(place(proofName(file)), 'utf8').catch(() => '')
      return text === '' ? undefined : text.split('\n')
    },
    keepProof: (file, hashes) => write(proofName(file), hashes.join('\n')),
  }
}
