import { hexSha256, plainBytes } from '../core/bytes.ts'
import type { ByteSource } from '../core/bytes.ts'
import { check } from '../core/errors.ts'
import { halvesToFloats } from '../core/half.ts'
import { isJsonRecord, ownField, parseStrictJson, type JsonRecord } from '../core/json.ts'
import { memorySource } from './memorySource.ts'
import { checkKeys, expectedTensors, packConfigJson, readPackConfig, type PackConfig } from './packConfig.ts'
import { packRolesJson, readPackRoles, rowCount, type PackRole } from './packRoles.ts'
import {
  readSafetensorsHeader,
  writeSafetensors,
  type SafetensorsEntry,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from './safetensors.ts'
import { tensorBits, tensorValues } from './tensorValues.ts'

/** Which backbone the adapters were trained on. */
export interface PackBackbone {
  /** For messages. */
  readonly name: string
  /** `model_type` of config.json. */
  readonly architecture: string
  /** 64 hexadecimal digits, or empty where the backbone lacks the files that it is computed from. */
  readonly fingerprint: string
}

/** All that a pack says. */
export interface PackContent {
  readonly config: PackConfig
  /** In the order of the role ids; blends last. */
  readonly roles: readonly PackRole[]
  readonly backbone: PackBackbone
  readonly provenance: JsonRecord
  /** Exactly the tensors of `expectedTensors`, F32 or F16 each. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
  /** The metadata texts as read; a text that still says the same is written back to the byte. */
  readonly metadata?: ReadonlyMap<string, string>
}

/** A persona pack of which everything has been checked. */
export interface Pack extends PackContent {
  /** The file's name. */
  readonly name: string
  /** Of the data section, lower-case hexadecimal. */
  readonly sha256: string
  /** How many roles have rows of their own. */
  readonly rows: number
  /** Whether the two projections of the contrastive loss are there, so that training can go on with it. */
  readonly hasHeads: boolean
  /** The largest magnitude of any value; beyond 10⁴ the pack is worth a warning. */
  readonly largestMagnitude: number
  readonly metadata: ReadonlyMap<string, string>
  /**
   * The values of a tensor, halves widened; a view of the file where it can be, so never write to it.
   *
   * @throws HycoraError `format-invalid` when the pack has no such tensor.
   */
  tensor(name: string): Float32Array
}

const FORMAT = 'hycora-pack'
const VERSION = '1'
const KEYS = ['format', 'format_version', 'config', 'backbone', 'roles', 'provenance', 'sha256'] as const
const MAX_ROLES_BYTES = 4 * 2 ** 20
const MAX_VALUE_BYTES = 64 * 2 ** 10

/**
 * Reads a persona pack and checks all of it before anything can be applied: metadata, the closed world of tensors that
 * its configuration asks for, the data's SHA-256, and that every value is finite.
 *
 * @throws HycoraError `format-invalid`; `format-unsupported` for a later version of the format.
 */
export async function readPack(source: ByteSource): Promise<Pack> {
  const { name } = source
  const header = await readSafetensorsHeader(source)
  const { metadata } = header
  checkMetadata(metadata, name)
  const config = readPackConfig(parse(metadata, 'config', name), name)
  const roles = readPackRoles(parse(metadata, 'roles', name), name)
  const backbone = readBackbone(parse(metadata, 'backbone', name), name)
  const provenance = parse(metadata, 'provenance', name)
  check(isJsonRecord(provenance), 'format-invalid', () => `${name}: provenance is not an object`)
  const rows = rowCount(roles)
  const hasHeads = checkTensors(header, config, rows, name)

  const data = plainBytes(await source.read(header.dataOffset, source.sizeBytes - header.dataOffset))
  const sha256 = await hexSha256(data)
  check(sha256 === metadata.get('sha256'), 'format-invalid', () => {
    return `${name}: the data has the SHA-256 ${sha256}, the metadata says ${metadata.get('sha256')}`
  })
  const tensors = new Map<string, SafetensorsTensor>()
  let largestMagnitude = 0
  for (const [key, { dtype, shape, offset, sizeBytes }] of header.tensors) {
    const begin = offset - header.dataOffset
    const tensor = { dtype, shape, bytes: data.subarray(begin, begin + sizeBytes) }
    const largest = largestOf(tensor)
    check(
      Number.isFinite(largest),
      'format-invalid',
      () => `${name}: ${key} holds a value that is not finite`,
    )
    largestMagnitude = Math.max(largestMagnitude, largest)
    tensors.set(key, tensor)
  }
  return {
    name,
    config,
    roles,
    backbone,
    provenance,
    tensors,
    metadata,
    sha256,
    rows,
    hasHeads,
    largestMagnitude,
    tensor(key) {
      const tensor = tensors.get(key)
      check(tensor, 'format-invalid', () => `${name} has no tensor ${key}`)
      return tensorValues(tensor)
    },
  }
}

function checkMetadata(metadata: ReadonlyMap<string, string>, name: string): void {
  check(
    metadata.get('format') === FORMAT,
    'format-invalid',
    () => `${name} is not a persona pack: its metadata lacks the format ${FORMAT}`,
  )
  check(
    metadata.get('format_version') === VERSION,
    /^[1-9]\d*$/.test(metadata.get('format_version') ?? '') ? 'format-unsupported' : 'format-invalid',
    () =>
      `${name}: format_version is ${JSON.stringify(metadata.get('format_version')?.slice(0, 64))}, expected "1"`,
  )
  checkKeys(Object.fromEntries(metadata), KEYS, `${name}: __metadata__`)
  for (const [key, text] of metadata) {
    const most = key === 'roles' ? MAX_ROLES_BYTES : MAX_VALUE_BYTES
    const bytes = new TextEncoder().encode(text).length
    check(
      bytes <= most,
      'format-invalid',
      () => `${name}: ${key} has ${bytes} bytes, at most ${most} are allowed`,
    )
  }
  check(
    /^[0-9a-f]{64}$/.test(metadata.get('sha256') ?? ''),
    'format-invalid',
    () => `${name}: sha256 is not 64 lower-case hexadecimal digits`,
  )
}

function parse(metadata: ReadonlyMap<string, string>, key: string, name: string): unknown {
  return parseStrictJson(metadata.get(key) ?? '', `${name}: ${key}`)
}

/** Validates the parsed `backbone` of a pack. @throws HycoraError `format-invalid`. */
export function readBackbone(value: unknown, packName: string): PackBackbone {
  const where = `${packName}: backbone`
  check(isJsonRecord(value), 'format-invalid', () => `${where} is not an object`)
  checkKeys(value, ['name', 'architecture', 'fingerprint'], where)
  const [name, architecture, fingerprint] = ['name', 'architecture', 'fingerprint'].map((key) =>
    ownField(value, key),
  )
  check(
    typeof name === 'string' && typeof architecture === 'string' && typeof fingerprint === 'string',
    'format-invalid',
    () => `${where} has a name, architecture or fingerprint that is not text`,
  )
  check(
    /^(?:[0-9a-f]{64})?$/.test(fingerprint),
    'format-invalid',
    () => `${where} has a fingerprint that is neither empty nor 64 lower-case hexadecimal digits`,
  )
  return { name, architecture, fingerprint }
}

/** Demands the closed world of tensors; returns whether the heads are among them. */
function checkTensors(header: SafetensorsHeader, config: PackConfig, rows: number, name: string): boolean {
  const hasHeads = header.tensors.has('hidden_to_role_emb_layer.weight')
  check(config.hypernetwork || hasHeads === (config.roleEmbedding !== null), 'format-invalid', () => {
    return `${name}: config has a role_embedding without a hyper source exactly where the heads are there`
  })
  const expected = expectedTensors(config, rows, { hasHeads })
  for (const [key, shape] of expected) {
    const entry: SafetensorsEntry | undefined = header.tensors.get(key)
    check(entry, 'format-invalid', () => `${name} has no tensor ${key}`)
    check(
      entry.shape.length === shape.length && entry.shape.every((size, axis) => size === shape[axis]),
      'format-invalid',
      () => `${name}: ${key} has shape [${entry.shape.join(', ')}], expected [${shape.join(', ')}]`,
    )
    check(
      entry.dtype === 'F32' || entry.dtype === 'F16',
      'format-invalid',
      () => `${name}: ${key} is ${entry.dtype}, expected F32 or F16`,
    )
  }
  const extra = [...header.tensors.keys()].find((key) => !expected.has(key))
  check(
    extra === undefined,
    'format-invalid',
    () => `${name} has the tensor ${extra}, which its config does not ask for`,
  )
  return hasHeads
}

/**
 * The bytes of a pack; a pack that was read and not changed comes out to the byte. The result is read again with all
 * checks before it is returned.
 *
 * @throws HycoraError `format-invalid` when the content does not make a valid pack.
 */
export async function writePack(content: PackContent): Promise<Uint8Array<ArrayBuffer>> {
  const name = 'the pack to write'
  const texts = new Map<string, string>(Object.entries({ format: FORMAT, format_version: VERSION }))
  const put = (key: string, value: unknown, reread: (value: unknown) => unknown): void => {
    const fresh = JSON.stringify(value)
    const known = content.metadata?.get(key)
    const isSame = known !== undefined && JSON.stringify(reread(parseStrictJson(known, key))) === fresh
    texts.set(key, isSame ? known : fresh)
  }
  put('config', packConfigJson(content.config), (value) => packConfigJson(readPackConfig(value, name)))
  put('backbone', content.backbone, (value) => readBackbone(value, name))
  put('roles', packRolesJson(content.roles), (value) => packRolesJson(readPackRoles(value, name)))
  put('provenance', content.provenance, (value) => value)
  const unsigned = writeSafetensors(content.tensors, texts)
  texts.set('sha256', await hexSha256(dataSection(unsigned)))
  const order = [...(content.metadata?.keys() ?? []), ...KEYS]
  const metadata = new Map(order.map((key) => [key, texts.get(key) ?? '']))
  const file = writeSafetensors(content.tensors, metadata)
  await readPack(memorySource(name, file))
  return file
}

function dataSection(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return file.subarray(8 + Number(new DataView(file.buffer).getBigUint64(0, true)))
}

/** The largest magnitude of an F32 or F16 tensor, found on the bits, so that no NaN can slip through a comparison. */
function largestOf(tensor: SafetensorsTensor): number {
  const bits = tensorBits(tensor)
  const mask = tensor.dtype === 'F16' ? 0x7fff : 0x7fffffff
  let largest = 0
  for (const value of bits) {
    const magnitude = value & mask
    if (magnitude > largest) largest = magnitude
  }
  const isHalf = tensor.dtype === 'F16'
  if (largest >= (isHalf ? 0x7c00 : 0x7f800000)) return Infinity
  const widened = isHalf
    ? halvesToFloats(Uint16Array.of(largest))
    : new Float32Array(Uint32Array.of(largest).buffer)
  return widened[0] ?? 0
}
