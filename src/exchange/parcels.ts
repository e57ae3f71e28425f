import type { ArrivingFile } from './arrival.ts'

/** One thing that came in: a file, or the files of an adapter's folder, which belong together. */
export interface Parcel {
  readonly name: string
  /** By path within the folder; a single file by its name. */
  readonly files: ReadonlyMap<string, Blob>
  readonly isFolder: boolean
}

/** The file that says how an adapter's matrices are scaled. */
export const ADAPTER_CONFIG = 'adapter_config.json'
/** What belongs to an adapter, of a folder that may hold anything else beside it. */
const ADAPTER_FILE =
  /^(?:adapter_config\.json|adapter_model(?:-\d+-of-\d+)?\.(?:safetensors|bin)|adapter_model\.safetensors\.index\.json|adapters\.(?:safetensors|npz))$/

/** Whether a file is one of an adapter's folder, by its name. */
export function isAdapterFile(name: string): boolean {
  return ADAPTER_FILE.test(name)
}

/** What file managers leave beside people's files. */
const LEFT_BEHIND = /(?:^|\/)(?:\._[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini)$|(?:^|\/)__MACOSX\//
/** Begins what macOS keeps of a file on other disks; browsers may drop the mark from its name. */
const APPLE_DOUBLE = 0x00051607

async function isLeftBehind({ path, file }: ArrivingFile): Promise<boolean> {
  if (LEFT_BEHIND.test(path)) return true
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer())
  return start.length === 4 && new DataView(start.buffer).getUint32(0) === APPLE_DOUBLE
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? path
}

/** A file's name without the marks that turn the text around it. */
function shownName(name: string): string {
  return name.replaceAll(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').slice(0, 200)
}

/** Whether a file is taken with an adapter's folder; without a folder only what is an adapter's. */
function isWithin(folder: string, path: string): boolean {
  return folderOf(path) === folder && (folder !== '' || isAdapterFile(path))
}

/**
 * What came in, without what file managers leave beside files: a folder with an adapter_config.json is one parcel, and so
 * are the files of an adapter that lie in no folder; every other file is one by itself.
 */
export async function parcelsOf(files: readonly ArrivingFile[]): Promise<readonly Parcel[]> {
  const left = await Promise.all(files.map(isLeftBehind))
  const kept = files.filter((_, index) => left[index] !== true)
  const configs = kept.filter(({ path }) => nameOf(path) === ADAPTER_CONFIG).map(({ path }) => folderOf(path))
  const folders = [...new Set(configs)]
  const adapters = folders.map((folder): Parcel => {
    // What trainers leave beside an adapter, such as states of gigabytes, is not opened.
    const own = kept.filter(({ path }) => isWithin(folder, path) && isAdapterFile(nameOf(path)))
    const inside = new Map(own.map(({ path, file }) => [path.slice(folder.length), file]))
    return { name: shownName(folder.split('/').at(-2) ?? 'Adapter'), files: inside, isFolder: true }
  })
  const alone = kept
    .filter(({ path }) => !folders.some((folder) => isWithin(folder, path)))
    .map(({ path, file }): Parcel => {
      const name = shownName(nameOf(path))
      return { name, files: new Map([[name, file]]), isFolder: false }
    })
  return [...adapters, ...alone]
}
