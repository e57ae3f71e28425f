import { HycoraError } from '../core/errors.ts'

/** More than the folder of any model holds. */
const MOST_FILES = 4096

/** What browsers that let a page remember a folder can say of their leave to read it. */
interface Permitted {
  queryPermission(options: { readonly mode: 'read' }): Promise<PermissionState>
  requestPermission(options: { readonly mode: 'read' }): Promise<PermissionState>
}

/**
 * The files of a folder by their path in it; nothing of them is read.
 *
 * @throws HycoraError `usage` where the browser wants to be asked for the folder again, or it is gone.
 */
export async function folderFiles(folder: FileSystemDirectoryHandle): Promise<ReadonlyMap<string, File>> {
  await askLeave(folder)
  const files = new Map<string, File>()
  try {
    await collect(folder, '', files)
  } catch (cause) {
    throw new HycoraError('usage', `the folder ${folder.name} cannot be read any more`, { cause })
  }
  return files
}

async function askLeave(folder: FileSystemDirectoryHandle): Promise<void> {
  if (!isPermitted(folder)) return
  const mode = { mode: 'read' } as const
  if ((await folder.queryPermission(mode)) === 'granted') return
  // Without a click just before, the browser does not let its question be asked.
  const answer = await folder.requestPermission(mode).catch((): PermissionState => 'prompt')
  if (answer === 'granted') return
  throw new HycoraError('usage', `the browser asks again for leave to read the folder ${folder.name}`)
}

function isPermitted(folder: FileSystemDirectoryHandle): folder is FileSystemDirectoryHandle & Permitted {
  return 'queryPermission' in folder && 'requestPermission' in folder
}

async function collect(
  folder: FileSystemDirectoryHandle,
  before: string,
  files: Map<string, File>,
): Promise<void> {
  for await (const [name, handle] of folder.entries()) {
    if (files.size >= MOST_FILES || name.startsWith('.')) continue
    if (isFolder(handle)) await collect(handle, `${before}${name}/`, files)
    else if (isFile(handle)) files.set(before + name, await handle.getFile())
  }
}

function isFolder(handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === 'directory'
}

function isFile(handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === 'file'
}
