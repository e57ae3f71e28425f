import { hexSha256, joinBytes } from '../core/bytes.ts'
import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, parseStrictJson, type JsonRecord } from '../core/json.ts'
import { openZipWriter, readZip } from './zip.ts'

/** What a part of a backup is: a persona pack, a card as JSON, a chat as JSONL, settings as JSON. */
export type BackupKind = 'pack' | 'role' | 'chat' | 'settings'

export interface BackupPart {
  readonly kind: BackupKind
  /** What it is called in lists; never a path. */
  readonly name: string
  readonly bytes: Uint8Array
  /** What else is needed to put it back, as JSON. */
  readonly details?: JsonRecord
}

export interface BackupOrigin {
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** The program and its version. */
  readonly software: string
}

export interface Backup extends BackupOrigin {
  readonly parts: readonly BackupPart[]
}

const FORMAT = 'hycora-backup'
const VERSION = 1
const MANIFEST = 'manifest.json'
const ENDINGS: Readonly<Record<BackupKind, string>> = {
  pack: 'hycora.safetensors',
  role: 'json',
  chat: 'jsonl',
  settings: 'json',
}
const LIMITS = { files: 65_534, inflatedBytes: 256 * 2 ** 20, totalBytes: 2 ** 30 }
const KEYS = ['path', 'kind', 'name', 'bytes', 'sha256', 'details'] as const

/**
 * A backup in pieces to be written one after the other, a zip with the parts and, last, `manifest.json`: format, version,
 * origin, and of each part its path, kind, name, size, SHA-256 and details. One part is in memory at a time.
 *
 * @throws HycoraError `usage` when it exceeds what a zip holds.
 */
export async function* backupPieces(
  parts: Iterable<BackupPart> | AsyncIterable<BackupPart>,
  { createdAt, software }: BackupOrigin,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const writer = openZipWriter()
  const files: JsonRecord[] = []
  for await (const { kind, name, bytes, details } of parts) {
    const path = `${kind}/${String(files.length + 1).padStart(5, '0')}.${ENDINGS[kind]}`
    const sha256 = await hexSha256(bytes)
    files.push({ path, kind, name, bytes: bytes.length, sha256, ...(details && { details }) })
    yield* writer.add({ path, bytes, store: kind === 'pack' })
  }
  const manifest = { format: FORMAT, version: VERSION, createdAt, software, files }
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
  yield* writer.add({ path: MANIFEST, bytes })
  yield* writer.end()
}

/** A whole backup. @throws HycoraError as `backupPieces`. */
export async function writeBackup(
  parts: Iterable<BackupPart> | AsyncIterable<BackupPart>,
  origin: BackupOrigin,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  for await (const piece of backupPieces(parts, origin)) pieces.push(piece)
  return joinBytes(pieces)
}

/**
 * Reads a backup and checks it whole against its manifest: every part there, nothing else, each with its size and SHA-256.
 *
 * @throws HycoraError `format-invalid` when it is no backup or damaged, `format-unsupported` for a later version.
 */
export async function readBackup(bytes: Uint8Array, name: string): Promise<Backup> {
  const demand: (condition: unknown, fact: string) => asserts condition = (condition, fact) =>
    check(condition, 'format-invalid', () => `${name}: ${fact}`)
  const files = new Map(readZip(bytes, name, LIMITS))
  const text = files.get(MANIFEST)
  demand(text, `the archive is no backup, it has no ${MANIFEST}`)
  files.delete(MANIFEST)
  const manifest = parseStrictJson(new TextDecoder().decode(text), `${name}: ${MANIFEST}`)
  demand(isJsonRecord(manifest) && ownField(manifest, 'format') === FORMAT, 'the manifest is not a backup’s')
  const version = ownField(manifest, 'version')
  check(version === VERSION, Number(version) > VERSION ? 'format-unsupported' : 'format-invalid', () => {
    return `${name} is a backup of version ${String(version).slice(0, 16)}, expected ${VERSION}`
  })
  const [createdAt, software] = [ownField(manifest, 'createdAt'), ownField(manifest, 'software')]
  const listed = ownField(manifest, 'files')
  demand(
    typeof createdAt === 'number' && typeof software === 'string' && Array.isArray(listed),
    'the manifest lacks its date, software or files',
  )
  const parts: BackupPart[] = []
  for (const entry of listed) parts.push(await takePart(entry, files, name))
  demand(
    files.size === 0,
    `the archive holds ${JSON.stringify([...files.keys()][0])}, which its manifest does not list`,
  )
  return { createdAt, software, parts }
}

/** A part that the manifest lists, checked and taken out of `files`. */
async function takePart(entry: unknown, files: Map<string, Uint8Array>, name: string): Promise<BackupPart> {
  check(
    isJsonRecord(entry),
    'format-invalid',
    () => `${name}: the manifest lists a file that is not an object`,
  )
  const [path, kind, label, size, sha256, details] = KEYS.map((key) => ownField(entry, key))
  check(
    typeof path === 'string' && isKind(kind) && typeof label === 'string',
    'format-invalid',
    () => `${name}: the manifest lists a file without path, name or a kind that is known`,
  )
  const bytes = files.get(path)
  check(bytes, 'format-invalid', () => `${name} lacks ${JSON.stringify(path)}, which its manifest lists`)
  files.delete(path)
  check(bytes.length === size && (await hexSha256(bytes)) === sha256, 'format-invalid', () => {
    return `${name}: ${path} is not what its manifest says; the backup is damaged`
  })
  return { kind, name: label, bytes, ...(isJsonRecord(details) && { details }) }
}

function isKind(value: unknown): value is BackupKind {
  return typeof value === 'string' && Object.hasOwn(ENDINGS, value)
}
