import type { ByteSource, FileSet } from '../../core/bytes.ts'
import { check, HycoraError } from '../../core/errors.ts'
import { memorySource } from '../../formats/memorySource.ts'
import type { OnnxModel } from '../../formats/onnx.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import { DATA_TYPES, tensorSizeBytes } from '../../formats/onnxTensor.ts'
import type { BlockMatrix, FloatMatrix, StoredTensor } from '../decoder/decoder.ts'
import type { WeightSite } from './values.ts'

const TYPE_NAMES: ReadonlyMap<number, StoredTensor['dataType']> = new Map([
  [DATA_TYPES.f32, 'f32'],
  [DATA_TYPES.f16, 'f16'],
  [DATA_TYPES.u8, 'u8'],
  [DATA_TYPES.i8, 'i8'],
  [DATA_TYPES.i4, 'i4'],
  [DATA_TYPES.u4, 'u4'],
])

/** Opens the tensors of one model; the same initializer always gives the same StoredTensor. */
export interface StoredTensors {
  /** @throws HycoraError `format-invalid` naming tensor and file where its bytes are not there. */
  open(tensor: OnnxTensor): Promise<StoredTensor>
  /** The weights of a linear layer or an embedding, their sizes checked. */
  openSite(site: WeightSite): Promise<FloatMatrix | BlockMatrix>
}

/** A source that changes each byte of another as it is read. */
function mappedSource(source: ByteSource, change: (byte: number) => number): ByteSource {
  return {
    name: source.name,
    sizeBytes: source.sizeBytes,
    read: async (offset, length) => (await source.read(offset, length)).map(change),
  }
}

/**
 * The model with the initializers of at most `limitBytes` that lie in other files brought in, so that scalars and
 * rotary frequencies can be read in place.
 */
export async function withSmallTensors(
  model: OnnxModel,
  files: ExternalFiles,
  limitBytes: number,
): Promise<OnnxModel> {
  const initializers = new Map(model.graph.initializers)
  for (const [name, tensor] of initializers) {
    const { content } = tensor
    if (content.kind !== 'external' || content.sizeBytes > limitBytes) continue
    const source = await files(tensor)
    const bytes = await source.read(content.offset, content.sizeBytes)
    initializers.set(name, { ...tensor, content: { kind: 'bytes', bytes } })
  }
  return { ...model, graph: { ...model.graph, initializers } }
}

/** Opens the file that an external tensor lies in. */
export type ExternalFiles = (tensor: OnnxTensor) => Promise<ByteSource>

/**
 * Opens each external file of a model once.
 *
 * @returns a function that throws HycoraError `format-invalid` where a tensor does not lie inside its file.
 */
export function externalFiles(fileName: string, folder: FileSet): ExternalFiles {
  const opened = new Map<string, Promise<ByteSource | undefined>>()
  return async ({ name, content }) => {
    if (content.kind !== 'external')
      throw new HycoraError('format-invalid', `${fileName} holds ${name} itself`)
    const { location, offset, sizeBytes } = content
    const opening = opened.get(location) ?? folder.open(location)
    opened.set(location, opening)
    const source = await opening
    check(source, 'format-invalid', () => `${fileName} places ${name} in ${location}, which is not beside it`)
    check(offset + sizeBytes <= source.sizeBytes, 'format-invalid', () => {
      return `${location} has ${source.sizeBytes} bytes, expected ${name} up to byte ${offset + sizeBytes}`
    })
    return source
  }
}

/** The tensors of the model `fileName`, whose external data `files` opens. */
export function storedTensors(fileName: string, files: ExternalFiles): StoredTensors {
  const opened = new Map<OnnxTensor, Promise<StoredTensor>>()
  const matrices = new Map<OnnxTensor, { site: WeightSite; matrix: Promise<FloatMatrix | BlockMatrix> }>()

  async function openNew(tensor: OnnxTensor): Promise<StoredTensor> {
    const { name, dims, dataType, content } = tensor
    const type = TYPE_NAMES.get(dataType)
    check(type, 'format-unsupported', () => {
      return `${fileName} holds ${name} with ONNX data type ${dataType}, expected float32, float16 or blocks of integers`
    })
    const sizeBytes = tensorSizeBytes(dataType, dims) ?? 0
    const common = { name, dataType: type, shape: dims, sizeBytes }
    if (content.kind === 'external') return { ...common, source: await files(tensor), offset: content.offset }
    const bytes = content.kind === 'bytes' ? content.bytes : encode(content.values, type)
    return { ...common, source: memorySource(fileName, bytes), offset: 0 }
  }

  const open = (tensor: OnnxTensor): Promise<StoredTensor> => {
    const opening = opened.get(tensor) ?? openNew(tensor)
    opened.set(tensor, opening)
    return opening
  }

  const openSite = (site: WeightSite): Promise<FloatMatrix | BlockMatrix> => {
    const tensor = site.kind === 'float' ? site.tensor : site.codes
    const known = matrices.get(tensor)
    // A tied head reads the embedding's matrix: the same object, so that it is loaded once.
    if (known && isSameMatrix(known.site, site)) return known.matrix
    const matrix = site.kind === 'float' ? floatMatrix(site) : blockMatrix(fileName, site, open)
    matrices.set(tensor, { site, matrix })
    return matrix
  }

  async function floatMatrix(site: Extract<WeightSite, { kind: 'float' }>): Promise<FloatMatrix> {
    return { kind: 'float', layout: site.layout, values: await open(site.tensor) }
  }

  return { open, openSite }
}

function isSameMatrix(a: WeightSite, b: WeightSite): boolean {
  if (a.kind === 'float') return b.kind === 'float' && a.layout === b.layout
  if (b.kind !== 'blocks' || a.defaultZero !== b.defaultZero) return false
  return (
    a.scales === b.scales && a.zeroPoints === b.zeroPoints && a.bits === b.bits && a.blockSize === b.blockSize
  )
}

function encode(values: readonly number[], type: StoredTensor['dataType']): Uint8Array {
  if (type === 'f32') return new Uint8Array(Float32Array.from(values).buffer)
  // Halves are listed as their bits, elements of less than a byte as bytes.
  return type === 'f16'
    ? new Uint8Array(Uint16Array.from(values).buffer)
    : Uint8Array.from(values, (value) => value)
}

type BlockSite = Extract<WeightSite, { kind: 'blocks' }>

async function blockMatrix(
  fileName: string,
  site: BlockSite,
  open: (tensor: OnnxTensor) => Promise<StoredTensor>,
): Promise<BlockMatrix> {
  const { bits, blockSize, out } = site
  const blocks = Math.ceil(site.in / blockSize)
  const codes = await open(site.codes)
  const scales = await open(site.scales)
  checkSize(fileName, codes, out * blocks * ((blockSize * bits) / 8))
  check(scales.dataType === 'f32' || scales.dataType === 'f16', 'format-unsupported', () => {
    return `${fileName} holds ${scales.name} as ${scales.dataType}, expected float32 or float16 scales`
  })
  checkSize(fileName, scales, out * blocks * bytesOf(scales))
  return {
    kind: 'blocks',
    bits,
    blockSize,
    codes: unsignedCodes(fileName, { ...codes, shape: [out, blocks, (blockSize * bits) / 8] }),
    scales: { ...scales, shape: [out, blocks] },
    zeroPoints: await zeroPoints(fileName, site, { blocks, open }),
  }
}

async function zeroPoints(
  fileName: string,
  site: BlockSite,
  { blocks, open }: { blocks: number; open: (tensor: OnnxTensor) => Promise<StoredTensor> },
): Promise<StoredTensor | null> {
  const { out, bits } = site
  const rowBytes = Math.ceil((blocks * bits) / 8)
  if (!site.zeroPoints) {
    if (site.defaultZero === 'middle') return null
    const source = memorySource(fileName, new Uint8Array(out * rowBytes))
    return {
      name: `${site.codes.name} zero`,
      dataType: 'u8',
      shape: [out, rowBytes],
      source,
      offset: 0,
      sizeBytes: out * rowBytes,
    }
  }
  const stored = await open(site.zeroPoints)
  if (stored.dataType === 'f32' || stored.dataType === 'f16') {
    checkSize(fileName, stored, out * blocks * bytesOf(stored))
    return { ...stored, shape: [out, blocks] }
  }
  // Four-bit types run on from row to row, where the rows of bytes are padded.
  check(stored.dataType === 'u8' || (blocks * bits) % 8 === 0, 'format-unsupported', () => {
    return `${fileName} holds ${stored.name} as ${stored.dataType} with ${blocks} blocks a row, expected an even number`
  })
  checkSize(fileName, stored, out * rowBytes)
  return unsignedCodes(fileName, { ...stored, shape: [out, rowBytes] })
}

function bytesOf({ dataType }: StoredTensor): number {
  return dataType === 'f32' ? 4 : 2
}

/**
 * Codes as unsigned bytes whose zero lies in the middle: two's complement nibbles become that by flipping their
 * highest bit.
 */
function unsignedCodes(fileName: string, tensor: StoredTensor): StoredTensor {
  if (tensor.dataType === 'u8') return tensor
  check(tensor.dataType === 'i4' || tensor.dataType === 'u4', 'format-unsupported', () => {
    return `${fileName} holds ${tensor.name} as ${tensor.dataType}, expected codes of 4 bits or unsigned bytes`
  })
  const source = tensor.dataType === 'i4' ? mappedSource(tensor.source, (byte) => byte ^ 0x88) : tensor.source
  return { ...tensor, dataType: 'u8', source }
}

function checkSize(fileName: string, tensor: StoredTensor, expected: number): void {
  check(tensor.sizeBytes === expected, 'format-invalid', () => {
    return `${fileName} holds ${tensor.sizeBytes} bytes of ${tensor.name}, expected ${expected}`
  })
}
