import { submit } from '../../gpu/kernel.ts'
import { createTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { countUpload } from '../../gpu/uploads.ts'
import { transpose } from '../../kernels/transpose.ts'
import type { BlockMatrix, StoredTensor, WeightMatrix } from '../decoder/decoder.ts'
import { ELEMENT_BITS } from '../decoder/decoder.ts'
import { isColumnMajor, readMatrix, readRaw } from '../decoder/dequantise.ts'
import { storedBytes } from './commonForm.ts'
import type { CommonForm } from './commonForm.ts'

/** Is told the bytes that have gone over. */
export type ReportBytes = (bytes: number) => void

/** Bytes that are in JavaScript's memory at once while a weight travels to the GPU. */
const PIECE_BYTES = 4 * 2 ** 20

/** Lines of a piece that is transposed: whole words of each row, whatever an element takes. */
const LINE_STEP = 32

/** Where rows come to lie: `first` is the first of them in `weights` [.., rowWords]. */
export interface RowPlace {
  readonly weights: Tensor
  readonly rowWords: number
  readonly first: number
}

/** Rows as bytes, each `rowBytes` from the next, of which the first `usedBytes` count. */
interface RowBytes {
  readonly bytes: Uint8Array
  readonly rowBytes: number
  readonly usedBytes: number
}

/**
 * Brings a matrix to its rows on the GPU, a piece at a time, in another form than it is stored in where that is asked
 * for.
 */
export async function placeRows(
  device: GPUDevice,
  matrix: WeightMatrix,
  form: CommonForm,
  place: RowPlace,
  report: ReportBytes,
): Promise<void> {
  const { stored } = matrix
  const told = inShares(storedBytes(matrix), report)
  const isKept = form.kind === 'blocks' || (stored.kind === 'float' && stored.values.dataType === form.format)
  if (isKept && isColumnMajor(matrix)) await placeColumns(device, matrix, form, place, told)
  else await placePieces(device, matrix, readerOf(matrix, form, isKept), place, told)
}

function readerOf(matrix: WeightMatrix, form: CommonForm, isKept: boolean): RowReader {
  if (isKept) return keptRows(matrix, form)
  return form.kind === 'float' && form.format === 'bf16' ? upperHalves(floatRows(matrix)) : floatRows(matrix)
}

/** Reports whole bytes, `total` in all, from how large a share has gone over. */
function inShares(total: number, report: ReportBytes): (share: number) => void {
  let told = 0
  return (share) => {
    const bytes = Math.round(total * share)
    report(bytes - told)
    told = bytes
  }
}

/** Writes bytes into a buffer; the API wants whole words, so a ragged tail is padded with zeros. */
function write(device: GPUDevice, buffer: GPUBuffer, offset: number, bytes: Uint8Array): void {
  const whole = bytes.length - (bytes.length % 4)
  const { queue } = device
  // The typed-array overload counts in elements: bytes here.
  queue.writeBuffer(buffer, offset, bytes as Uint8Array<ArrayBuffer>, 0, whole)
  if (whole < bytes.length) {
    const tail = new Uint8Array(4)
    tail.set(bytes.subarray(whole))
    queue.writeBuffer(buffer, offset + whole, tail)
  }
}

interface RowReader {
  /** Bytes of a row in JavaScript's memory. */
  readonly bytes: number
  read(first: number, count: number): Promise<RowBytes>
}

async function placePieces(
  device: GPUDevice,
  { out }: WeightMatrix,
  rows: RowReader,
  { weights, rowWords, first }: RowPlace,
  told: (share: number) => void,
): Promise<void> {
  const step = Math.max(1, Math.floor(PIECE_BYTES / rows.bytes))
  const target = 4 * rowWords
  for (let done = 0; done < out; done += step) {
    const count = Math.min(step, out - done)
    const { bytes, rowBytes, usedBytes } = await rows.read(done, count)
    let piece = bytes
    if (rowBytes !== target) {
      piece = new Uint8Array(count * target)
      for (let row = 0; row < count; row++)
        piece.set(bytes.subarray(row * rowBytes, row * rowBytes + usedBytes), row * target)
    }
    write(device, weights.buffer, (first + done) * target, piece)
    await countUpload(device, piece.length)
    told((done + count) / out)
  }
}

function read(tensor: StoredTensor, offset: number, length: number): Promise<Uint8Array> {
  return tensor.source.read(tensor.offset + offset, length)
}

/** Rows of a matrix that is stored by rows. */
function keptRows({ stored, in: width, firstOut }: WeightMatrix, form: CommonForm): RowReader {
  if (stored.kind === 'blocks' && form.kind === 'blocks')
    return codeRows({ stored, width, firstOut }, form.bits)
  const { values } = stored.kind === 'float' ? stored : { values: stored.codes }
  const rowBytes = (width * ELEMENT_BITS[values.dataType]) / 8
  return {
    bytes: rowBytes,
    async read(first, count) {
      const bytes = await read(values, (firstOut + first) * rowBytes, count * rowBytes)
      return { bytes, rowBytes, usedBytes: rowBytes }
    },
  }
}

/** Rows of codes with `bits` bits each. */
function codeRows(
  { stored, width, firstOut }: { stored: BlockMatrix; width: number; firstOut: number },
  bits: 4 | 8,
): RowReader {
  const { codes, rowStride } = stored
  const usedBytes = Math.ceil((width * bits) / 8)
  const rowBytes = (rowStride * bits) / 8
  if (ELEMENT_BITS[codes.dataType] === bits && Number.isInteger(rowBytes)) {
    return {
      bytes: rowBytes,
      async read(first, count) {
        const length = (count - 1) * rowBytes + usedBytes
        return { bytes: await read(codes, (firstOut + first) * rowBytes, length), rowBytes, usedBytes }
      },
    }
  }
  return {
    bytes: rowStride,
    async read(first, count) {
      const found = await readRaw(codes, (firstOut + first) * rowStride, (count - 1) * rowStride + width)
      const bytes = new Uint8Array(count * usedBytes)
      for (let row = 0; row < count; row++) {
        for (let k = 0; k < width; k++) {
          const at = row * usedBytes + ((k * bits) >> 3)
          bytes[at] = (bytes[at] ?? 0) | ((found[row * rowStride + k] ?? 0) << ((k * bits) & 7))
        }
      }
      return { bytes, rowBytes: usedBytes, usedBytes }
    },
  }
}

/** Rows of any matrix as float32. */
function floatRows(matrix: WeightMatrix): RowReader {
  const rowBytes = 4 * matrix.in
  // Columns that lie apart cannot be read a few at a time.
  const whole = isColumnMajor(matrix) ? readMatrix(matrix) : null
  return {
    bytes: rowBytes,
    async read(first, count) {
      const rows = { ...matrix, firstOut: matrix.firstOut + first, out: count }
      const values = whole
        ? (await whole).subarray(first * matrix.in, (first + count) * matrix.in)
        : await readMatrix(rows)
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      return { bytes, rowBytes, usedBytes: rowBytes }
    },
  }
}

/** Rows of float32 without their lower halves. */
function upperHalves(floats: RowReader): RowReader {
  return {
    bytes: floats.bytes,
    async read(first, count) {
      const { bytes, rowBytes } = await floats.read(first, count)
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
      const kept = Uint16Array.from({ length: halves.length / 2 }, (_, index) => halves[2 * index + 1] ?? 0)
      return { bytes: new Uint8Array(kept.buffer), rowBytes: rowBytes / 2, usedBytes: rowBytes / 2 }
    },
  }
}

/**
 * Whether a matrix of float32 holds nothing but bfloat16: models are trained in those, and exporters often leave the embedding
 * in float32, of which half the bytes are then zeros.
 */
export async function holdsBfloats(matrix: WeightMatrix): Promise<boolean> {
  const { stored, out } = matrix
  if (stored.kind !== 'float' || stored.values.dataType !== 'f32' || isColumnMajor(matrix)) return false
  const rows = floatRows(matrix)
  const step = Math.max(1, Math.floor(PIECE_BYTES / rows.bytes))
  for (let done = 0; done < out; done += step) {
    const { bytes } = await rows.read(done, Math.min(step, out - done))
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    if (words.some((word) => (word & 0xffff) !== 0)) return false
  }
  return true
}

/** Transposes a matrix that is stored by columns, some lines of all its rows at a time. */
async function placeColumns(
  device: GPUDevice,
  matrix: WeightMatrix,
  form: CommonForm,
  { weights, rowWords, first }: RowPlace,
  told: (share: number) => void,
): Promise<void> {
  const { stored, out, in: width, firstOut } = matrix
  const [values, xColumns] =
    stored.kind === 'float'
      ? [stored.values, stored.values.shape[1] ?? 0]
      : [stored.codes, stored.columnStride]
  const fromBits = ELEMENT_BITS[values.dataType]
  const toBits = form.kind === 'blocks' ? form.bits : fromBits
  const lineBytes = (xColumns * fromBits) / 8
  const step = Math.max(1, Math.floor(PIECE_BYTES / lineBytes / LINE_STEP)) * LINE_STEP
  const staged = createTensor(device, [Math.ceil((Math.min(step, width) * lineBytes) / 4)], 'as stored')
  for (let k = 0; k < width; k += step) {
    const lines = Math.min(step, width - k)
    write(device, staged.buffer, 0, await read(values, k * lineBytes, Math.ceil(lines * lineBytes)))
    const firstWord = (k * toBits) / 32
    const words = k + lines < width ? (lines * toBits) / 32 : rowWords - firstWord
    const shape = { lines, xColumns, firstColumn: firstOut, out, firstOut: first, rowWords, firstWord, words }
    const turned = await transpose(device, { x: staged, y: weights }, { ...shape, fromBits, toBits })
    submit(device, [turned], out)
    await countUpload(device, staged.buffer.size)
    told((k + lines) / width)
  }
  // Destroying after the submit is allowed: the queue keeps the buffer until the work is done.
  staged.buffer.destroy()
}
