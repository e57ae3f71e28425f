import type { ArrivingFile } from './arrival.ts'

/** One thing that came in: a file, or the files of a PEFT folder, which belong together. */
export interface Parcel {
  readonly name: string
  /** By path within the folder; a single file by its name. */
  readonly files: ReadonlyMap<string, Blob>
  readonly isFolder: boolean
}

const ADAPTER_CONFIG = 'adapter_config.json'

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

/** A file's name without the marks that turn the text around it. */
function shownName(name: string): string {
  return name.replaceAll(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').slice(0, 200)
}

/** A folder with an adapter_config.json is one parcel; every other file is one by itself. */
export function parcelsOf(files: readonly ArrivingFile[]): readonly Parcel[] {
  const folders = files
    .filter(({ path }) => path.split('/').at(-1) === ADAPTER_CONFIG)
    .map(({ path }) => folderOf(path))
  const adapters = folders.map((folder): Parcel => {
    const own = files.filter(({ path }) => folderOf(path) === folder)
    const name = shownName(folder.split('/').at(-2) ?? ADAPTER_CONFIG)
    const inside = new Map(own.map(({ path, file }) => [path.slice(folder.length), file]))
    return { name, files: inside, isFolder: true }
  })
  const alone = files
    .filter(({ path }) => !folders.includes(folderOf(path)))
    .map(({ path, file }): Parcel => {
      const name = shownName(path.split('/').at(-1) ?? path)
      return { name, files: new Map([[name, file]]), isFolder: false }
    })
  return [...adapters, ...alone]
}
