import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { hexSha256 } from '../core/bytes.ts'
import type { ChunkStore } from '../download/chunkStore.ts'
import { proofName } from '../download/servedFile.ts'
import { fileBlob } from './files.ts'

/** A folder where the chunks of files lie, each a file, until the files are whole. */
export async function openPartStore(folder: string): Promise<ChunkStore> {
  await mkdir(folder, { recursive: true })
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
  const write = async (name: string, content: Uint8Array | string): Promise<void> => {
    await writeFile(`${place(name)}.part`, content)
    await rename(`${place(name)}.part`, place(name))
  }
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
