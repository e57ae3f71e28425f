import type { ByteSource, FileSet } from '../../core/bytes.ts'
import { check, HycoraError } from '../../core/errors.ts'
import { memorySource } from '../../formats/memorySource.ts'
import type { OnnxModel } from '../../formats/onnx.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import { DATA_TYPES, tensorSizeBytes } from '../../formats/onnxTensor.ts'
import type { BlockMatrix, BlockNumbers, ElementType, FloatMatrix, StoredTensor } from '../decoder/decoder.ts'
import { ELEMENT_BITS } from '../decoder/decoder.ts'
import type { NumbersSite, WeightSite } from './values.ts'

type BlockSite = Extract<WeightSite, { kind: 'blocks' }>

const FLOAT_TYPES: ReadonlyMap<number, ElementType> = new Map([
  [DATA_TYPES.f32, 'f32'],
  [DATA_TYPES.f16, 'f16'],
  [DATA_TYPES.bf16, 'bf16'],
])

/** Types of codes, and which bits of a byte to flip so that the zero of signed ones lies in the middle. */
const CODE_TYPES: ReadonlyMap<number, { readonly bits: number; readonly flip: number }> = new Map([
  [DATA_TYPES.u8, { bits: 8, flip: 0 }],
  [DATA_TYPES.i8, { bits: 8, flip: 0x80 }],
  [DATA_TYPES.u4, { bits: 4, flip: 0 }],
  [DATA_TYPES.i4, { bits: 4, flip: 0x88 }],
  [DATA_TYPES.u2, { bits: 2, flip: 0 }],
  [DATA_TYPES.i2, { bits: 2, flip: 0xaa }],
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
  const changed = Uint8Array.from({ length: 256 }, (_, byte) => change(byte))
  return {
    name: source.name,
    sizeBytes: source.sizeBytes,
    async read(offset, length) {
      const bytes = new Uint8Array(await source.read(offset, length))
      for (let i = 0; i < length; i++) bytes[i] = changed[bytes[i] ?? 0] ?? 0
      return bytes
    },
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
  const model = { fileName, files }

  const open = (tensor: OnnxTensor): Promise<StoredTensor> => {
    const opening = opened.get(tensor) ?? openFloats(model, tensor)
    opened.set(tensor, opening)
    return opening
  }

  const openSite = (site: WeightSite): Promise<FloatMatrix | BlockMatrix> => {
    const tensor = site.kind === 'float' ? site.tensor : site.codes
    const known = matrices.get(tensor)
    // A tied head reads the embedding's matrix: the same object, so that it is loaded once.
    if (known && isSameMatrix(known.site, site)) return known.matrix
    const matrix = site.kind === 'float' ? floatMatrix(site) : blockMatrix(model, site)
    matrices.set(tensor, { site, matrix })
    return matrix
  }

  async function floatMatrix(site: Extract<WeightSite, { kind: 'float' }>): Promise<FloatMatrix> {
    return { kind: 'float', layout: site.layout, values: await open(site.tensor) }
  }

  return { open, openSite }
}

interface ModelFiles {
  readonly fileName: string
  readonly files: ExternalFiles
}

async function openAs(
  { fileName, files }: ModelFiles,
  tensor: OnnxTensor,
  dataType: ElementType,
): Promise<StoredTensor> {
  const { name, dims, content } = tensor
  const sizeBytes = tensorSizeBytes(tensor.dataType, dims) ?? 0
  const common = { name, dataType, shape: dims, sizeBytes }
  if (content.kind === 'external') return { ...common, source: await files(tensor), offset: content.offset }
  const bytes = content.kind === 'bytes' ? content.bytes : encode(content.values, dataType)
  return { ...common, source: memorySource(fileName, bytes), offset: 0 }
}

async function openFloats(model: ModelFiles, tensor: OnnxTensor): Promise<StoredTensor> {
  const { name, dataType } = tensor
  const type = FLOAT_TYPES.get(dataType)
  check(type, 'format-unsupported', () => {
    return `${model.fileName} holds ${name} with ONNX data type ${dataType}, expected float32, float16 or bfloat16`
  })
  return openAs(model, tensor, type)
}

/** Codes as unsigned numbers of `bits` bits, whatever type holds them. */
async function openCodes(
  model: ModelFiles,
  tensor: OnnxTensor,
  { bits, isHighFirst }: Pick<BlockSite, 'bits' | 'isHighFirst'>,
): Promise<StoredTensor> {
  const type = CODE_TYPES.get(tensor.dataType)
  check(type && (type.bits === bits || tensor.dataType === DATA_TYPES.u8), 'format-unsupported', () => {
    return `${model.fileName} holds ${tensor.name} with ONNX data type ${tensor.dataType}, expected codes of ${bits} bits or unsigned bytes`
  })
  const placed = await openAs(model, tensor, `u${bits}`)
  const { source } = placed
  if (isHighFirst) return { ...placed, source: mappedSource(source, (byte) => (byte >> 4) | (byte << 4)) }
  return type.flip === 0 ? placed : { ...placed, source: mappedSource(source, (byte) => byte ^ type.flip) }
}

async function blockMatrix(model: ModelFiles, site: BlockSite): Promise<BlockMatrix> {
  const { blockSize, rowStride, columnStride, elements, levels } = site
  const codes = await openCodes(model, site.codes, site)
  checkSize(model, codes, elements)
  const numbers = async (place: NumbersSite): Promise<BlockNumbers> => {
    const isFloat = FLOAT_TYPES.has(place.tensor.dataType)
    const values = await (isFloat ? openFloats(model, place.tensor) : openCodes(model, place.tensor, site))
    checkSize(model, values, place.elements)
    return { values, rowStride: place.rowStride, blockStride: place.blockStride, share: place.share }
  }
  const scales = await numbers(site.scales)
  check(!scales.values.dataType.startsWith('u'), 'format-unsupported', () => {
    return `${model.fileName} holds the scales ${scales.values.name} as integers, expected floats`
  })
  const zeros = typeof site.zeros === 'number' ? site.zeros : await numbers(site.zeros)
  return { kind: 'blocks', blockSize, codes, rowStride, columnStride, levels, scales, zeros }
}

function checkSize({ fileName }: ModelFiles, tensor: StoredTensor, elements: number): void {
  const expected = Math.ceil((elements * ELEMENT_BITS[tensor.dataType]) / 8)
  check(tensor.sizeBytes === expected, 'format-invalid', () => {
    return `${fileName} holds ${tensor.sizeBytes} bytes of ${tensor.name}, expected ${expected}`
  })
}

function isSameMatrix(a: WeightSite, b: WeightSite): boolean {
  if (a.kind === 'float') return b.kind === 'float' && a.layout === b.layout
  if (b.kind !== 'blocks') return false
  const isSamePlace =
    a.rowStride === b.rowStride && a.columnStride === b.columnStride && a.blockSize === b.blockSize
  return (
    isSamePlace &&
    a.bits === b.bits &&
    a.levels === b.levels &&
    isSame(a.scales, b.scales) &&
    isSame(a.zeros, b.zeros)
  )
}

function isSame(a: NumbersSite | number, b: NumbersSite | number): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b
  return a.tensor === b.tensor && a.rowStride === b.rowStride && a.blockStride === b.blockStride
}

function encode(values: readonly number[], type: ElementType): Uint8Array {
  if (type === 'f32') return new Uint8Array(Float32Array.from(values).buffer)
  // Halves are listed as their bits, elements of less than a byte as bytes.
  return ELEMENT_BITS[type] === 16
    ? new Uint8Array(Uint16Array.from(values).buffer)
    : Uint8Array.from(values, (value) => value)
}
