import { joinBytes } from '../core/bytes.ts'
import { check, HycoraError } from '../core/errors.ts'
import { foldedAlpha, loraPairs, type LoraPair, type LoraRole } from './loraRole.ts'
import type { PackProjection } from './packConfig.ts'

/*
 * GGUF, version 3, little-endian.
 *
 * Reference: ggml-org/ggml, `docs/gguf.md`; ggml-org/llama.cpp, `convert_lora_to_gguf.py`, `src/llama-adapter.cpp`.
 */

const MAGIC = 0x46554747
const VERSION = 3
const ALIGNMENT = 32
const TYPES = { u32: 4, f32: 6, boolean: 7, text: 8, array: 9 } as const
/** Bytes of the other value types, by their number. */
const VALUE_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
}
const F32 = 0

const TENSOR_NAMES: Readonly<Record<PackProjection, string>> = {
  q: 'attn_q',
  k: 'attn_k',
  v: 'attn_v',
  o: 'attn_output',
  up: 'ffn_up',
  down: 'ffn_down',
  gate: 'ffn_gate',
}

/** llama.cpp's name of a `model_type`, and whether its converter reorders the rows of q and k. */
const ARCHITECTURES: Readonly<Record<string, { readonly name: string; readonly permutes: boolean }>> = {
  llama: { name: 'llama', permutes: true },
  mistral: { name: 'llama', permutes: true },
  qwen2: { name: 'qwen2', permutes: false },
  qwen3: { name: 'qwen3', permutes: false },
}

/** What a GGUF adapter needs to know of its backbone. */
export interface GgufBackbone {
  readonly name: string
  /** `model_type` of config.json. */
  readonly architecture: string
  /** The size of one attention head; only Llama's kind needs it. */
  readonly headDim: number | null
  /** A repository of the hub, `owner/name`; anything else is left out. */
  readonly repository?: string
  /** As packs name it; empty or left out where it is not known. */
  readonly fingerprint?: string
}

/** Whether a GGUF adapter for this `model_type` needs the size of a head. */
export function ggufNeedsHeads(architecture: string): boolean {
  return Object.hasOwn(ARCHITECTURES, architecture) && (ARCHITECTURES[architecture]?.permutes ?? false)
}

/**
 * One role as a LoRA adapter of llama.cpp, F32: `blk.{l}.{name}.weight.lora_a` [rank, in], `.lora_b` [out, rank]; llama.cpp
 * scales by alpha / rank. Where its converter reorders the rows of q and k from halves to pairs of a head, so are the rows
 * of their B.
 *
 * @throws HycoraError `format-unsupported` for an architecture that llama.cpp's names are not known of here, `usage` when
 *   the size of a head is missing.
 */
export function writeGguf(role: LoraRole, backbone: GgufBackbone): Uint8Array<ArrayBuffer> {
  const { architecture, headDim } = backbone
  const known = Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture] : undefined
  check(known, 'format-unsupported', () => {
    const names = Object.keys(ARCHITECTURES).join(', ')
    return `a GGUF adapter for ${architecture || 'an unnamed architecture'} cannot be written, only for ${names}`
  })
  check(!known.permutes || headDim !== null, 'usage', () => {
    return `a GGUF adapter for ${architecture} needs the size of an attention head, which the backbone's config.json tells`
  })
  const tensors = [...loraPairs(role)].flatMap((pair) => {
    const isReordered = known.permutes && (pair.projection === 'q' || pair.projection === 'k')
    const b = isReordered ? pairedRows(pair, role.config.rank, headDim ?? 0) : pair.b
    const stem = `blk.${pair.layer}.${TENSOR_NAMES[pair.projection]}.weight`
    return [
      { name: `${stem}.lora_a`, columns: pair.inSize, rows: role.config.rank, values: pair.a },
      { name: `${stem}.lora_b`, columns: role.config.rank, rows: pair.outSize, values: b },
    ]
  })
  const fields = [
    textField('general.type', 'adapter'),
    textField('general.architecture', known.name),
    textField('general.name', role.name),
    ...baseFields(backbone),
    textField('adapter.type', 'lora'),
    joinBytes([text('adapter.lora.alpha'), u32(TYPES.f32), f32(foldedAlpha(role))]),
  ]
  let offset = 0
  const infos = tensors.map((tensor) => {
    const info = [text(tensor.name), u32(2), u64(tensor.columns), u64(tensor.rows), u32(F32), u64(offset)]
    offset += padded(tensor.values.byteLength)
    return joinBytes(info)
  })
  const header = joinBytes([
    u32(MAGIC),
    u32(VERSION),
    u64(infos.length),
    u64(fields.length),
    ...fields,
    ...infos,
  ])
  const file = new Uint8Array(padded(header.length) + offset)
  file.set(header)
  let at = padded(header.length)
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
    at += padded(values.byteLength)
  }
  return file
}

/** The backbone as llama.cpp's converter names it, and by the fingerprint of packs, which other programs pass over. */
function baseFields({ name, repository = '', fingerprint = '' }: GgufBackbone): readonly Uint8Array[] {
  const [owner, title] = repository.split('/')
  const isHub = owner !== undefined && title !== undefined
  return [
    textField('general.base_model.0.name', isHub ? title : name),
    ...(isHub ? [textField('general.base_model.0.organization', owner)] : []),
    ...(isHub ? [textField('general.base_model.0.repo_url', `https://huggingface.co/${repository}`)] : []),
    ...(fingerprint === '' ? [] : [textField('hycora.backbone.fingerprint', fingerprint)]),
  ]
}

/** Rows of a head from (first half, second half) to pairs (i, i + half): row 2·i + side is row side·half + i. */
function pairedRows({ outSize, b }: LoraPair, rank: number, headDim: number): Float32Array {
  check(headDim > 0 && headDim % 2 === 0 && outSize % headDim === 0, 'usage', () => {
    return `heads of ${headDim} do not divide a projection of ${outSize} outputs`
  })
  const half = headDim / 2
  const result = new Float32Array(b.length)
  for (let row = 0; row < outSize; row++) {
    const [head, place] = [Math.floor(row / headDim), row % headDim]
    const from = head * headDim + (place % 2) * half + Math.floor(place / 2)
    result.set(b.subarray(from * rank, (from + 1) * rank), row * rank)
  }
  return result
}

function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function f32(value: number): Uint8Array {
  return new Uint8Array(Float32Array.of(value).buffer)
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value)
  return joinBytes([u64(bytes.length), bytes])
}

function textField(key: string, value: string): Uint8Array {
  return joinBytes([text(key), u32(TYPES.text), text(value)])
}

/** What the header of a GGUF file says. */
export interface GgufHeader {
  /** Lists are left out. */
  readonly metadata: ReadonlyMap<string, string | number | boolean>
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]
}

const MAX_FIELDS = 4096
const MAX_TENSORS = 65_536
const MAX_TEXT_BYTES = 2 ** 20

/** Whether bytes begin as a GGUF file does. */
export function isGguf(bytes: Uint8Array): boolean {
  return bytes.length >= 24 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === MAGIC
}

/**
 * Reads the header of a GGUF file, for people to see; shapes as rows first.
 *
 * @param bytes the file, or as much of it as holds the header.
 * @throws HycoraError `format-invalid` when it is broken or cut, `format-unsupported` for another version.
 */
export function readGgufHeader(bytes: Uint8Array, name: string): GgufHeader {
  const reader = new GgufReader(bytes, name)
  check(isGguf(bytes), 'format-invalid', () => `${name} does not begin as a GGUF file does`)
  reader.skip(4)
  const version = reader.number(TYPES.u32)
  check(version === 2 || version === VERSION, 'format-unsupported', () => {
    return `${name} is GGUF of version ${version}, expected 2 or 3`
  })
  const [tensorCount, fieldCount] = [reader.count(MAX_TENSORS), reader.count(MAX_FIELDS)]
  const metadata = new Map<string, string | number | boolean>()
  for (let index = 0; index < fieldCount; index++) {
    const key = reader.text()
    const value = reader.value()
    if (value !== null) metadata.set(key, value)
  }
  const tensors = Array.from({ length: tensorCount }, () => {
    const tensorName = reader.text()
    const dimensions = reader.number(TYPES.u32)
    check(dimensions <= 4, 'format-invalid', () => `${name}: ${tensorName} has ${dimensions} dimensions`)
    const shape = Array.from({ length: dimensions }, () => reader.count(2 ** 40)).toReversed()
    reader.skip(12)
    return { name: tensorName, shape }
  })
  return { metadata, tensors }
}

/** What a GGUF file is, with an article; its header may be broken. */
export function ggufKind(bytes: Uint8Array, name: string): string {
  try {
    const { metadata } = readGgufHeader(bytes, name)
    const [type, architecture] = [metadata.get('general.type'), metadata.get('general.architecture')]
    const of = typeof architecture === 'string' ? ` of ${architecture.slice(0, 32)}` : ''
    if (type === 'adapter') return `an adapter${of} for llama.cpp (GGUF)`
    return type === 'model' || metadata.has('tokenizer.ggml.model')
      ? `a model${of} for llama.cpp (GGUF)`
      : 'a GGUF file'
  } catch {
    return 'a GGUF file'
  }
}

class GgufReader {
  private readonly bytes: Uint8Array
  private readonly name: string
  private readonly view: DataView
  private at = 0

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes
    this.name = name
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Where the bytes skipped began. */
  skip(count: number): number {
    check(count <= this.bytes.length - this.at, 'format-invalid', () => {
      return `${this.name}: the GGUF header is cut at byte ${this.at}`
    })
    this.at += count
    return this.at - count
  }

  /** A u64 of at most `most`. */
  count(most: number): number {
    const value = this.view.getBigUint64(this.skip(8), true)
    check(value <= BigInt(most), 'format-invalid', () => {
      return `${this.name}: the GGUF header counts ${value} at byte ${this.at - 8}, at most ${most} are read`
    })
    return Number(value)
  }

  text(): string {
    const length = this.count(MAX_TEXT_BYTES)
    const start = this.skip(length)
    return new TextDecoder().decode(this.bytes.subarray(start, start + length))
  }

  number(type: number): number {
    const start = this.skip(VALUE_BYTES[type] ?? 0)
    switch (type) {
      case 0:
        return this.view.getUint8(start)
      case 1:
        return this.view.getInt8(start)
      case 2:
        return this.view.getUint16(start, true)
      case 3:
        return this.view.getInt16(start, true)
      case 4:
        return this.view.getUint32(start, true)
      case 5:
        return this.view.getInt32(start, true)
      case 6:
        return this.view.getFloat32(start, true)
      case 10:
        return Number(this.view.getBigUint64(start, true))
      case 11:
        return Number(this.view.getBigInt64(start, true))
      case 12:
        return this.view.getFloat64(start, true)
      default:
        throw new HycoraError('format-invalid', `${this.name}: the GGUF header has a value of type ${type}`)
    }
  }

  /** A value of the metadata; null for a list, which is passed over. */
  value(): string | number | boolean | null {
    const type = this.number(TYPES.u32)
    if (type === TYPES.text) return this.text()
    if (type === TYPES.boolean) return this.bytes[this.skip(1)] !== 0
    if (type !== TYPES.array) return this.number(type)
    const element = this.number(TYPES.u32)
    const length = this.count(2 ** 32)
    if (element === TYPES.text) for (let index = 0; index < length; index++) this.text()
    else {
      const size = VALUE_BYTES[element]
      check(size, 'format-invalid', () => `${this.name}: the GGUF header has a list of type ${element}`)
      this.skip(size * length)
    }
    return null
  }
}
