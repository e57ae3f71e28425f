import { check } from '../core/errors.ts'
import { isJsonRecord } from '../core/json.ts'
import type { ChunkHashes, ManifestFile, ServedFile } from '../download/servedFile.ts'

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
    const fields = record(entry, where)
    return {
      id: text(fields, 'id', where),
      name: text(fields, 'name', where),
      licence: text(fields, 'licence', where),
      description: text(fields, 'description', where),
      fingerprint: fields.has('fingerprint') ? text(fields, 'fingerprint', where) : '',
      folder: text(fields, 'folder', where),
      files: list(fields, 'files', where).map((file, at) => manifestFile(file, `${where}.files[${at}]`)),
      pack: fields.get('pack') ? manifestFile(fields.get('pack'), `${where}.pack`) : null,
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

function manifestFile(value: unknown, where: string): ManifestFile {
  const fields = record(value, where)
  const file = servedFile(fields, where)
  if (!fields.has('pieces')) return file
  const pieces = list(fields, 'pieces', where).map((piece, at) => {
    const place = `${where}.pieces[${at}]`
    return servedFile(record(piece, place), place)
  })
  const sum = pieces.reduce((total, piece) => total + piece.bytes, 0)
  check(
    sum === file.bytes,
    'format-invalid',
    () => `${where}: the pieces have ${sum} bytes, expected ${file.bytes}`,
  )
  return { ...file, pieces }
}

function servedFile(fields: ReadonlyMap<string, unknown>, where: string): ServedFile {
  const bytes = fields.get('bytes')
  check(
    typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0,
    'format-invalid',
    () => `${where}.bytes is not a size`,
  )
  const file = {
    path: text(fields, 'path', where),
    bytes,
    sha256: hash(fields.get('sha256'), `${where}.sha256`),
  }
  return fields.has('chunks') ? { ...file, chunks: chunkHashes(fields.get('chunks'), bytes, where) } : file
}

function chunkHashes(value: unknown, fileBytes: number, where: string): ChunkHashes {
  const place = `${where}.chunks`
  const fields = record(value, place)
  const bytes = fields.get('bytes')
  check(
    typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes > 0,
    'format-invalid',
    () => `${place}.bytes is not a size`,
  )
  const sha256 = list(fields, 'sha256', place).map((one, at) => hash(one, `${place}.sha256[${at}]`))
  const expected = Math.ceil(fileBytes / bytes)
  check(
    sha256.length === expected,
    'format-invalid',
    () => `${place} has ${sha256.length} hashes, expected ${expected}`,
  )
  return { bytes, sha256 }
}

function hash(value: unknown, where: string): string {
  check(
    typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
    'format-invalid',
    () => `${where} is not 64 hexadecimal digits`,
  )
  return value
}

function record(value: unknown, where: string): ReadonlyMap<string, unknown> {
  check(isJsonRecord(value), 'format-invalid', () => `${where} is not an object`)
  return new Map(Object.entries(value))
}

function text(fields: ReadonlyMap<string, unknown>, key: string, where: string): string {
  const value = fields.get(key)
  check(typeof value === 'string' && value !== '', 'format-invalid', () => `${where}.${key} is not a text`)
  return value
}

function list(fields: ReadonlyMap<string, unknown>, key: string, where: string): readonly unknown[] {
  const value = fields.get(key)
  check(Array.isArray(value), 'format-invalid', () => `${where}.${key} is not a list`)
  return value
}
