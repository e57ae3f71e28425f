/**
 * Random access to the bytes of one file, wherever it lies (memory, a Blob of the page's cache, a file on disk).
 * `read` returns exactly `length` bytes or throws `format-invalid` when the file is shorter.
 */
export interface ByteSource {
  readonly name: string
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Uint8Array>
}

/** The files of one folder by relative path; undefined where there is none of that name. */
export interface FileSet {
  open(path: string): Promise<ByteSource | undefined>
}
