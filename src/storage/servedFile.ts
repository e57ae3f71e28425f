/** A file as it is served: exactly these bytes, or it is not used. */
export interface ServedFile {
  /** Relative to the folder it is fetched from. */
  readonly path: string
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
  /** A large file's parts, each with a hash of its own, so that it is checked and kept part by part. */
  readonly chunks?: ChunkHashes
}

/** A file of a manifest; a large one can come in `pieces`, which are fetched one by one and joined in their order. */
export interface ManifestFile extends ServedFile {
  readonly pieces?: readonly ServedFile[]
}

/** How a file is divided: every `bytes` bytes a chunk, the last one with what is left. */
export interface ChunkHashes {
  readonly bytes: number
  readonly sha256: readonly string[]
}

/** A run of bytes that is checked at once. */
export interface Chunk {
  readonly offset: number
  readonly bytes: number
  readonly sha256: string
}

/** What is fetched of a manifest's files, in their order. */
export function piecesOf(files: readonly ManifestFile[]): readonly ServedFile[] {
  return files.flatMap((file) => file.pieces ?? [file])
}

/** The chunks of a file in their order; a file without a division is one chunk, an empty one has none. */
export function chunksOf({ bytes, sha256, chunks }: ServedFile): readonly Chunk[] {
  if (bytes === 0) return []
  if (!chunks) return [{ offset: 0, bytes, sha256 }]
  return chunks.sha256.map((hash, index) => {
    const offset = index * chunks.bytes
    return { offset, bytes: Math.min(chunks.bytes, bytes - offset), sha256: hash }
  })
}
