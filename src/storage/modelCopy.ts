import { storageError } from './database.ts'

/** The folder of all copies in the origin's private file system. */
export const COPIES = 'models'

/**
 * Copies a model's files into the origin's private file system, for browsers that do not let a page remember a folder.
 *
 * @returns where they lie.
 * @throws HycoraError `storage-full`, `storage-corrupt`; nothing is left of the copy then.
 */
export async function copyModel(
  id: string,
  files: ReadonlyMap<string, Blob>,
): Promise<FileSystemDirectoryHandle> {
  try {
    const models = await (await navigator.storage.getDirectory()).getDirectoryHandle(COPIES, { create: true })
    const folder = await models.getDirectoryHandle(id, { create: true })
    for (const [path, content] of files) {
      const names = path.split('/')
      const own = names.pop() ?? path
      let place = folder
      for (const name of names) place = await place.getDirectoryHandle(name, { create: true })
      const file = await place.getFileHandle(own, { create: true })
      await content.stream().pipeTo(await file.createWritable())
    }
    return folder
  } catch (thrown) {
    await removeCopy(id)
    throw storageError(thrown)
  }
}

/** Removes a copy; where there is none, nothing happens. */
export async function removeCopy(id: string): Promise<void> {
  const root = await navigator.storage.getDirectory().catch(() => null)
  const models = await root?.getDirectoryHandle(COPIES).catch(() => null)
  await models?.removeEntry(id, { recursive: true }).catch(() => undefined)
}
