import { check } from '../core/errors.ts'
import { manifestList, manifestRecord, manifestText, parseManifestFile } from '../download/manifestFile.ts'
import type { ManifestFile, ServedFile } from '../download/servedFile.ts'

/** A backbone that this site serves, with the pack of characters trained on it. */
export interface ServedBackbone {
  readonly id: string
  readonly name: string
  readonly licence: string
  readonly description: string
  /** Of the backbone as packs name it, 64 hexadecimal digits; empty where the list does not say. */
  readonly fingerprint: string
  /** Where `files` lie, relative to the page. */
  readonly folder: string
  readonly files: readonly ManifestFile[]
  /** Its path is relative to the page. */
  readonly pack: ManifestFile | null
  /** The ONNX file in `folder`; left out where there is one that is obvious. */
  readonly model?: string
}

/**
 * The served list of backbones (`models/index.json`), copied field by field.
 *
 * @throws HycoraError `format-invalid` naming the first field that is wrong.
 */
export function parseManifest(json: unknown): readonly ServedBackbone[] {
  check(
    Array.isArray(json) && json.length > 0,
    'format-invalid',
    () => 'models/index.json is not a list of backbones',
  )
  return json.map((entry: unknown, index) => {
    const where = `models/index.json[${index}]`
    const fields = manifestRecord(entry, where)
    return {
      id: manifestText(fields, 'id', where),
      name: manifestText(fields, 'name', where),
      licence: manifestText(fields, 'licence', where),
      description: manifestText(fields, 'description', where),
      fingerprint: fields.has('fingerprint') ? manifestText(fields, 'fingerprint', where) : '',
      folder: manifestText(fields, 'folder', where),
      files: manifestList(fields, 'files', where).map((file, at) =>
        parseManifestFile(file, `${where}.files[${at}]`),
      ),
      pack: fields.get('pack') ? parseManifestFile(fields.get('pack'), `${where}.pack`) : null,
    }
  })
}

/** All bytes that a backbone needs, its pack included. */
export function downloadBytes(backbone: ServedBackbone): number {
  return [...backbone.files, ...(backbone.pack ? [backbone.pack] : [])].reduce(
    (sum, file) => sum + file.bytes,
    0,
  )
}

/** A backbone's files, its pack behind them, all by their path from the page. */
export function pageFiles({ folder, files, pack }: ServedBackbone): readonly ManifestFile[] {
  const fromPage = <T extends ServedFile>(file: T): T => ({ ...file, path: `${folder}/${file.path}` })
  const own = files.map((file) => ({
    ...fromPage(file),
    ...(file.pieces && { pieces: file.pieces.map(fromPage) }),
  }))
  return pack ? [...own, pack] : own
}
