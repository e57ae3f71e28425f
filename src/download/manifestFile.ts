import { check } from '../core/errors.ts'
import { isJsonRecord } from '../core/json.ts'
import type { ChunkHashes, ManifestFile, ServedFile } from './servedFile.ts'

/**
 * A file of a served list, copied field by field.
 *
 * @throws HycoraError `format-invalid` naming the first field that is wrong.
 */
export function parseManifestFile(value: unknown, where: string): ManifestFile {
  const fields = manifestRecord(value, where)
  const file = servedFile(fields, where)
  if (!fields.has('pieces')) return file
  const pieces = manifestList(fields, 'pieces', where).map((piece, at) => {
    const place = `${where}.pieces[${at}]`
    return servedFile(manifestRecord(piece, place), place)
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
    path: manifestText(fields, 'path', where),
    bytes,
    sha256: hash(fields.get('sha256'), `${where}.sha256`),
  }
  return fields.has('chunks') ? { ...file, chunks: chunkHashes(fields.get('chunks'), bytes, where) } : file
}

function chunkHashes(value: unknown, fileBytes: number, where: string): ChunkHashes {
  const place = `${where}.chunks`
  const fields = manifestRecord(value, place)
  const bytes = fields.get('bytes')
  check(
    typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes > 0,
    'format-invalid',
    () => `${place}.bytes is not a size`,
  )
  const sha256 = manifestList(fields, 'sha256', place).map((one, at) => hash(one, `${place}.sha256[${at}]`))
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

/** An object of a served list by its keys. @throws HycoraError `format-invalid`. */
export function manifestRecord(value: unknown, where: string): ReadonlyMap<string, unknown> {
  check(isJsonRecord(value), 'format-invalid', () => `${where} is not an object`)
  return new Map(Object.entries(value))
}

/** A text of a served list, not empty. @throws HycoraError `format-invalid`. */
export function manifestText(fields: ReadonlyMap<string, unknown>, key: string, where: string): string {
  const value = fields.get(key)
  check(typeof value === 'string' && value !== '', 'format-invalid', () => `${where}.${key} is not a text`)
  return value
}

/** A list within a served list. @throws HycoraError `format-invalid`. */
export function manifestList(
  fields: ReadonlyMap<string, unknown>,
  key: string,
  where: string,
): readonly unknown[] {
  const value = fields.get(key)
  check(Array.isArray(value), 'format-invalid', () => `${where}.${key} is not a list`)
  return value
}
