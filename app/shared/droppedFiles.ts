import type { ArrivingFile } from '../../src/exchange/arrival.ts'
import { MOST_FILES } from '../../src/core/fewFiles.ts'

/** One more than is read, so that whoever reads them sees that there are more. */
const MOST_LOOKED_AT = MOST_FILES + 1

/** The files of a drop, those within folders under their paths. */
export async function droppedFiles(transfer: DataTransfer): Promise<readonly ArrivingFile[]> {
  // The items are gone after the first wait: what they hold is taken now.
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter(
    (entry) => entry !== null,
  )
  if (entries.length === 0) return chosenFiles(transfer.files)
  const found: ArrivingFile[] = []
  for (const entry of entries) await collect(entry, found)
  return found
}

/** The files of a picker, or of the clipboard. */
export function chosenFiles(files: Iterable<File> | ArrayLike<File>): readonly ArrivingFile[] {
  return Array.from(files).map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

async function collect(entry: FileSystemEntry, found: ArrivingFile[]): Promise<void> {
  if (found.length >= MOST_LOOKED_AT) return
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject))
    found.push({ path: entry.fullPath.replace(/^\//, ''), file })
  } else if (isFolder(entry)) {
    for (const inner of await entriesOf(entry)) await collect(inner, found)
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}

/** A reader gives a folder's entries in parts, an empty one at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (part.length === 0 || all.length >= MOST_LOOKED_AT) return all
    all.push(...part)
  }
}
