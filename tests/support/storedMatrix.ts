import { floatToHalf, halfToFloat } from '../../src/core/half.ts'
import { Random } from '../../src/core/random.ts'
import { memorySource } from '../../src/formats/memorySource.ts'
import type {
  BlockNumbers,
  ElementType,
  FloatMatrix,
  StoredTensor,
  WeightMatrix,
} from '../../src/model/decoder/decoder.ts'
import { ELEMENT_BITS } from '../../src/model/decoder/decoder.ts'

/** A random matrix as some exporter stores it. */
export interface StoredShape {
  readonly out: number
  readonly in: number
  readonly seed: number
}

export interface StoredForTest {
  readonly matrix: WeightMatrix
  /** What it stands for, [out, in]. */
  readonly values: Float32Array
}

/** Elements side by side, the lowest bits first. */
function tensor(name: string, dataType: ElementType, elements: readonly number[]): StoredTensor {
  const bits = ELEMENT_BITS[dataType]
  const bytes = new Uint8Array(Math.ceil((elements.length * bits) / 8))
  const view = new DataView(bytes.buffer)
  elements.forEach((element, i) => {
    if (bits === 32) view.setFloat32(4 * i, element, true)
    else if (bits === 16) view.setUint16(2 * i, element, true)
    else bytes[(i * bits) >> 3]! |= element << ((i * bits) & 7)
  })
  // Nothing in a file begins where a word does.
  const shifted = new Uint8Array(bytes.length + 3)
  shifted.set(bytes, 3)
  const source = memorySource(name, shifted)
  return { name, dataType, shape: [elements.length], source, offset: 3, sizeBytes: bytes.length }
}

export interface BlockOptions {
  readonly bits: 2 | 4 | 8
  readonly blockSize: number
  /** Whether neighbours of a row or of a column lie side by side; `padded` rows are whole blocks. */
  readonly order: 'rows' | 'columns' | 'padded'
  readonly zeros?: 'one' | 'codes' | 'floats'
  readonly scales?: 'f32' | 'f16'
  readonly levels?: readonly number[]
}

/** A block-quantised matrix of random codes, scales and zero points. */
export function storedBlocks({ out, in: width, seed }: StoredShape, options: BlockOptions): StoredForTest {
  const { bits, blockSize, order, zeros = 'one', scales = 'f32', levels = null } = options
  const random = new Random(seed)
  const blocks = Math.ceil(width / blockSize)
  const rowStride = order === 'columns' ? 1 : order === 'padded' ? blocks * blockSize : width
  const columnStride = order === 'columns' ? out : 1
  const codes = Array.from({ length: order === 'padded' ? out * rowStride : out * width }, () =>
    random.nextBelow(2 ** bits),
  )
  const isTurned = order === 'columns'
  const place = (values: StoredTensor): BlockNumbers =>
    isTurned
      ? { values, rowStride: 1, blockStride: out, share: 1 }
      : { values, rowStride: blocks, blockStride: 1, share: 1 }
  const numbers = (of: () => number): number[] => Array.from({ length: out * blocks }, of)
  const scale = numbers(() => {
    const value = Math.fround(random.nextNormal() / 2 ** bits)
    return scales === 'f16' ? halfToFloat(floatToHalf(value)) : value
  })
  const zero = numbers(() =>
    zeros === 'floats'
      ? 2 ** (bits - 1) + Math.round(64 * random.nextNormal()) / 64
      : random.nextBelow(2 ** bits),
  )
  const one = levels ? 0 : 2 ** (bits - 1)
  const at = (n: number, block: number): number => (isTurned ? block * out + n : n * blocks + block)
  const values = Float32Array.from({ length: out * width }, (_, index) => {
    const [n, k] = [Math.floor(index / width), index % width]
    const code = codes[n * rowStride + k * columnStride]!
    const block = at(n, Math.floor(k / blockSize))
    return ((levels ? levels[code]! : code) - (zeros === 'one' ? one : zero[block]!)) * scale[block]!
  })
  const type = `u${bits}` as const
  const stored = {
    kind: 'blocks' as const,
    blockSize,
    codes: tensor('codes', type, codes),
    rowStride,
    columnStride,
    levels,
    scales: place(tensor('scales', scales, scales === 'f16' ? scale.map(floatToHalf) : scale)),
    zeros: zeros === 'one' ? one : place(tensor('zeros', zeros === 'floats' ? 'f32' : type, zero)),
  }
  return { matrix: { out, in: width, firstOut: 0, stored }, values }
}

/** A random float matrix. */
export function storedFloats(
  { out, in: width, seed }: StoredShape,
  dataType: FloatMatrix['values']['dataType'],
  layout: FloatMatrix['layout'],
): StoredForTest {
  const random = new Random(seed)
  const exact = Array.from({ length: out * width }, () => rounded(random.nextNormal(), dataType))
  const order =
    layout === 'out-in'
      ? exact
      : Array.from({ length: exact.length }, (_, i) => exact[(i % out) * width + Math.floor(i / out)]!)
  const elements = order.map(({ value, bits }) => (dataType === 'f32' ? value : bits))
  const shape = layout === 'out-in' ? [out, width] : [width, out]
  const stored = {
    kind: 'float' as const,
    layout,
    values: { ...tensor('weight', dataType, elements), shape },
  }
  return {
    matrix: { out, in: width, firstOut: 0, stored },
    values: Float32Array.from(exact, ({ value }) => value),
  }
}

function rounded(value: number, dataType: ElementType): { value: number; bits: number } {
  if (dataType === 'f16') return { value: halfToFloat(floatToHalf(value)), bits: floatToHalf(value) }
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16
  if (dataType === 'bf16') return { value: new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!, bits }
  return { value: Math.fround(value), bits: 0 }
}
