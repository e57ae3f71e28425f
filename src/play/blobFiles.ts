import type { FileSet } from '../core/bytes.ts'
import { blobSource } from '../formats/blobSource.ts'

/** A folder that the page holds as Blobs. */
export function blobFiles(files: ReadonlyMap<string, Blob>): FileSet {
  return {
    open(path) {
      const blob = files.get(path)
      return Promise.resolve(blob && blobSource(path, blob))
    },
  }
}
