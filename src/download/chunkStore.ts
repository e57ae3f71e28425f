import type { Chunk, ServedFile } from './servedFile.ts'

/** Where the chunks of files lie on this device. */
export interface ChunkStore {
  /** A kept chunk of the right size; one that is not what `sha256` says is removed. */
  read(chunk: Chunk): Promise<Blob | undefined>
  /**
   * Keeps a chunk.
   *
   * @returns the chunk as it lies on the disk, so that it needs no memory; undefined where it could not be kept.
   */
  keep(chunk: Chunk, content: Blob): Promise<Blob | undefined>
  remove(chunk: Chunk): Promise<void>
  /** The SHA-256 of each chunk of a file that was proven whole, undefined where it was not. */
  readProof(file: ServedFile): Promise<readonly string[] | undefined>
  keepProof(file: ServedFile, hashes: readonly string[]): Promise<void>
}
