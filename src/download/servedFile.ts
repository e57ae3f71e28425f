/** A file as it is served: exactly these bytes, or it is not used. */
export interface ServedFile {
  /** Relative to the folder it is fetched from. */
  readonly path: string
  readonly bytes: number
  /** Lower-case hex; empty where only `gitSha1` is known, or only a version. */
  readonly sha256: string
  /** How git names a file: the SHA-1 of `blob SIZE`, a zero byte and its content. Hubs say no other of small files. */
  readonly gitSha1?: string
  /** Of a file of which no hash is known, what tells this version of it from every other; its length alone is checked. */
  readonly version?: string
  /** A large file's parts, so that it is checked and kept part by part. */
  readonly chunks?: ChunkHashes
}

/** A file of a manifest; a large one can come in `pieces`, which are fetched one by one and joined in their order. */
export interface ManifestFile extends ServedFile {
  readonly pieces?: readonly ServedFile[]
}

/** How a file is divided: every `bytes` bytes a chunk, the last one with what is left. */
export interface ChunkHashes {
  readonly bytes: number
  /** Of each; null where whoever serves the file says only what the whole is. */
  readonly sha256: readonly string[] | null
}

/** A run of bytes that is kept at once. */
export interface Chunk {
  readonly offset: number
  readonly bytes: number
  /** What it is kept under, the same for the same bytes. */
  readonly name: string
  /** Null where it can only be checked with the whole file. */
  readonly sha256: string | null
}

/** What is fetched of a manifest's files, in their order. */
export function piecesOf(files: readonly ManifestFile[]): readonly ServedFile[] {
  return files.flatMap((file) => file.pieces ?? [file])
}

/** What tells a file's content from every other. */
export function contentName({
  sha256,
  gitSha1,
  version,
}: Pick<ServedFile, 'sha256' | 'gitSha1' | 'version'>): string {
  return sha256 || (version === undefined ? `git-${gitSha1}` : `version-${version}`)
}

/** The chunks of a file in their order; a file without a division is one chunk, an empty one has none. */
export function chunksOf(file: ServedFile): readonly Chunk[] {
  const { bytes, sha256, chunks } = file
  if (bytes === 0) return []
  const name = contentName(file)
  if (!chunks) return [{ offset: 0, bytes, name, sha256: sha256 || null }]
  return Array.from({ length: Math.ceil(bytes / chunks.bytes) }, (_, index) => {
    const offset = index * chunks.bytes
    const hash = chunks.sha256?.[index] ?? null
    return {
      offset,
      bytes: Math.min(chunks.bytes, bytes - offset),
      name: hash ?? `${name}-${offset}`,
      sha256: hash,
    }
  })
}

/** Whether a file can be checked only once it is whole. */
export function isProvenWhole(file: ServedFile): boolean {
  const chunks = chunksOf(file)
  return chunks.length === 0 || chunks.some(({ sha256 }) => sha256 === null)
}

/** What the chunks of a file that is proven whole turned out to be is kept under this name. */
export function proofName(file: ServedFile): string {
  return `${contentName(file)}-proof`
}
