import { createStore, del, entries, set } from 'idb-keyval'
import type { UseStore } from 'idb-keyval'

import type { ManifestFile } from '../download/servedFile.ts'
import { storageError } from './database.ts'
import type { ServedBackbone } from './manifest.ts'

/** Where the files of a model lie that the visitor brought. */
export type ModelPlace =
  | { readonly kind: 'hub'; readonly hub: string; readonly repository: string; readonly revision: string }
  /** A folder of the page's own origin. */
  | { readonly kind: 'address'; readonly address: string }
  /** Read where it lies: the paths of its files begin with `root`. */
  | { readonly kind: 'folder'; readonly folder: FileSystemDirectoryHandle; readonly root: string }
  /** A copy in the origin's private file system. */
  | { readonly kind: 'copy'; readonly folder: FileSystemDirectoryHandle; readonly root: '' }

export type FolderPlace = Extract<ModelPlace, { readonly folder: unknown }>

/** A model that the visitor brought, as it is kept. */
export interface OwnModel {
  readonly version: 1
  readonly id: string
  readonly name: string
  readonly licence: string
  /** The ONNX file. */
  readonly model: string
  readonly place: ModelPlace
  /** Of a hub or an address: what is fetched, relative to `filesUrl`. */
  readonly filesUrl: string
  readonly files: readonly ManifestFile[]
  /** All that it takes, in bytes. */
  readonly bytes: number
  /** As packs name it; empty until it was loaded once. */
  readonly fingerprint: string
  /** Milliseconds since 1970. */
  readonly addedAt: number
}

/** Its own backbone among those of the site. */
export interface OwnBackbone extends ServedBackbone {
  readonly own: OwnModel
}

let store: UseStore | undefined

function models(): UseStore {
  store ??= createStore('hycora-models', 'models')
  return store
}

/** The models that were brought, the last one first. @throws HycoraError `storage-corrupt`. */
export async function listOwnModels(): Promise<readonly OwnModel[]> {
  try {
    const kept = await entries<string, OwnModel>(models())
    return kept
      .map(([, model]) => model)
      .filter(({ version }) => version === 1)
      .toSorted((a, b) => b.addedAt - a.addedAt)
  } catch (thrown) {
    throw storageError(thrown)
  }
}

/** Keeps a model; one of the same id gives its place up. @throws HycoraError `storage-full`, `storage-corrupt`. */
export async function keepOwnModel(model: OwnModel): Promise<void> {
  await set(model.id, model, models()).catch((thrown: unknown) => {
    throw storageError(thrown)
  })
}

/** Forgets a model; what of it lies on this device is another's to remove. */
export async function forgetOwnModel(id: string): Promise<void> {
  await del(id, models()).catch((thrown: unknown) => {
    throw storageError(thrown)
  })
}

/** A kept model as a backbone, which plays like one of the site's. */
export function ownBackbone(own: OwnModel): OwnBackbone {
  const { id, name, licence, fingerprint, filesUrl, files, model } = own
  return { id, name, licence, description: '', fingerprint, folder: filesUrl, files, pack: null, model, own }
}

/** Where a model lies that is read in a folder; null where its files are fetched. */
export function folderOf({ own }: OwnBackbone): FolderPlace | null {
  return 'folder' in own.place ? own.place : null
}

/** Whether a backbone was brought by the visitor. */
export function isOwn(backbone: ServedBackbone): backbone is OwnBackbone {
  return 'own' in backbone
}
