import { submit } from '../../gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import { transpose } from '../../kernels/transpose.ts'
import { halvesToFloats } from '../../core/half.ts'
import type { BlockMatrix, FloatMatrix, StoredTensor, WeightMatrix } from '../decoder/decoder.ts'
import { storedAlike, storedBytes } from './storedAlike.ts'

/** Bytes that are in JavaScript's memory at once while a weight travels to the GPU. */
const SLICE_BYTES = 4 * 2 ** 20

export type ReportBytes = (bytes: number) => void

function nothing(): void {}

/** Reads part of a stored tensor. */
function read(tensor: StoredTensor, offset: number, length: number): Promise<Uint8Array> {
  return tensor.source.read(tensor.offset + offset, length)
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

/** Copies rows from a stored tensor into a buffer of wider rows, a slice at a time. */
async function copyRows(
  device: GPUDevice,
  stored: StoredTensor,
  target: Tensor,
  rows: { readonly first: number; readonly count: number; readonly into: number },
  bytes: { readonly row: number; readonly targetRow: number },
  report: ReportBytes,
): Promise<void> {
  const perSlice = Math.max(1, Math.floor(SLICE_BYTES / bytes.row))
  for (let done = 0; done < rows.count; done += perSlice) {
    const count = Math.min(perSlice, rows.count - done)
    let slice = await read(stored, (rows.first + done) * bytes.row, count * bytes.row)
    if (bytes.row !== bytes.targetRow) {
      const padded = new Uint8Array(count * bytes.targetRow)
      for (let i = 0; i < count; i++)
        padded.set(slice.subarray(i * bytes.row, (i + 1) * bytes.row), i * bytes.targetRow)
      slice = padded
    }
    write(device, target.buffer, (rows.into + done) * bytes.targetRow, slice)
    report(count * bytes.row)
  }
}

async function loadFloats(
  device: GPUDevice,
  parts: readonly (WeightMatrix & { readonly stored: FloatMatrix })[],
  shape: { readonly out: number; readonly in: number },
  label: string,
  report: ReportBytes,
): Promise<PackedMatrix> {
  const isHalf = parts[0]?.stored.values.dataType === 'f16'
  const size = isHalf ? 2 : 4
  const rowBytes = Math.ceil((shape.in * size) / 16) * 16
  const weights = createTensor(device, [shape.out, rowBytes / 4], label)
  let into = 0
  for (const { stored, out, firstOut } of parts) {
    const { values, layout } = stored
    if (layout === 'out-in') {
      const rows = { first: firstOut, count: out, into }
      await copyRows(device, values, weights, rows, { row: shape.in * size, targetRow: rowBytes }, report)
    } else {
      const columns = values.sizeBytes / size / shape.in
      const staged = createTensor(device, [Math.ceil(values.sizeBytes / 4)], `${label} as stored`)
      for (let done = 0; done < values.sizeBytes; done += SLICE_BYTES) {
        const length = Math.min(SLICE_BYTES, values.sizeBytes - done)
        write(device, staged.buffer, done, await read(values, done, length))
      }
      report(out * shape.in * size)
      const turned = await transpose(
        device,
        { x: staged, y: weights },
        {
          inFeatures: shape.in,
          xColumns: columns,
          firstColumn: firstOut,
          out,
          firstOut: into,
          rowWords: rowBytes / 4,
          isHalf,
        },
      )
      submit(device, [turned], out)
      // Destroying after the submit is allowed: the queue keeps the buffer until the work is done.
      staged.buffer.destroy()
    }
    into += out
  }
  const none = createTensor(device, [4], 'no blocks')
  return {
    format: isHalf ? 'f16' : 'f32',
    ...shape,
    weights,
    rowWords: rowBytes / 4,
    scales: none,
    zeros: none,
    halfScales: false,
    blockSize: 0,
    rowBlocks: 0,
  }
}

/** Zero points of some rows, one byte a block; without stored ones the middle of the code range. */
async function readZeros(
  { stored, out, firstOut }: WeightMatrix & { readonly stored: BlockMatrix },
  rowBlocks: number,
): Promise<Uint8Array> {
  const { bits, zeroPoints } = stored
  const zeros = new Uint8Array(out * rowBlocks)
  if (!zeroPoints) return zeros.fill(2 ** (bits - 1))
  const rowBytes = Math.ceil((rowBlocks * bits) / 8)
  const packed = await read(zeroPoints, firstOut * rowBytes, out * rowBytes)
  for (let n = 0; n < out; n++) {
    for (let block = 0; block < rowBlocks; block++) {
      const byte = packed[n * rowBytes + ((block * bits) >> 3)] ?? 0
      zeros[n * rowBlocks + block] = bits === 8 ? byte : (byte >> (4 * (block % 2))) & 15
    }
  }
  return zeros
}

/** Block scales of some rows as float32. */
async function readScales(
  { stored, out, firstOut }: WeightMatrix & { readonly stored: BlockMatrix },
  rowBlocks: number,
): Promise<{ bits: Uint16Array | null; floats: Float32Array }> {
  const size = stored.scales.dataType === 'f16' ? 2 : 4
  const bytes = (await read(stored.scales, firstOut * rowBlocks * size, out * rowBlocks * size)).slice()
  if (size === 4) return { bits: null, floats: new Float32Array(bytes.buffer) }
  const bits = new Uint16Array(bytes.buffer)
  return { bits, floats: halvesToFloats(bits) }
}

async function loadBlocks(
  device: GPUDevice,
  parts: readonly (WeightMatrix & { readonly stored: BlockMatrix })[],
  shape: { readonly out: number; readonly in: number },
  label: string,
  report: ReportBytes,
): Promise<PackedMatrix> {
  const { bits, blockSize } = parts[0]?.stored ?? { bits: 4, blockSize: 32 }
  const rowBlocks = Math.ceil(shape.in / blockSize)
  const row = (rowBlocks * blockSize * bits) / 8
  const targetRow = Math.ceil(row / 16) * 16
  const weights = createTensor(device, [shape.out, targetRow / 4], label)
  const zeros = new Uint8Array(Math.ceil((shape.out * rowBlocks) / 4) * 4)
  const floatScales = new Float32Array(shape.out * rowBlocks)
  const halfScales = new Uint16Array(Math.ceil((shape.out * rowBlocks) / 2) * 2)
  let allHalf = true
  let into = 0
  for (const part of parts) {
    const rows = { first: part.firstOut, count: part.out, into }
    await copyRows(device, part.stored.codes, weights, rows, { row, targetRow }, report)
    zeros.set(await readZeros(part, rowBlocks), into * rowBlocks)
    const scales = await readScales(part, rowBlocks)
    floatScales.set(scales.floats, into * rowBlocks)
    if (scales.bits) halfScales.set(scales.bits, into * rowBlocks)
    else allHalf = false
    into += part.out
  }
  const scaleWords = allHalf ? new Uint32Array(halfScales.buffer) : floatScales
  return {
    format: bits === 4 ? 'q4' : 'q8',
    ...shape,
    weights,
    rowWords: targetRow / 4,
    scales: uploadTensor(device, [scaleWords.length], scaleWords, `${label} scales`),
    zeros: uploadTensor(device, [zeros.length / 4], new Uint32Array(zeros.buffer), `${label} zero points`),
    halfScales: allHalf,
    blockSize,
    rowBlocks,
  }
}

function isFloat(matrix: WeightMatrix): matrix is WeightMatrix & { readonly stored: FloatMatrix } {
  return matrix.stored.kind === 'float'
}

function isBlocks(matrix: WeightMatrix): matrix is WeightMatrix & { readonly stored: BlockMatrix } {
  return matrix.stored.kind === 'blocks'
}

/**
 * Brings matrices with the same input to the GPU as one [Σ out, in], packed as they are stored, or, where they are not
 * stored alike, in a form in which all of them are exact.
 *
 * @param report is told the bytes as they go over.
 * @throws HycoraError `out-of-memory` when one buffer cannot hold them.
 */
export async function loadMatrix(
  device: GPUDevice,
  matrices: readonly WeightMatrix[],
  label: string,
  report: ReportBytes,
): Promise<PackedMatrix> {
  const shape = { out: matrices.reduce((sum, { out }) => sum + out, 0), in: matrices[0]?.in ?? 0 }
  const alike = await storedAlike(matrices)
  // Of what goes over in another form than it is stored in, the stored bytes are what was expected.
  const isChanged = alike !== matrices
  const told = isChanged ? nothing : report
  if (isChanged) for (const matrix of matrices) report(storedBytes(matrix))
  if (alike.every(isFloat)) return loadFloats(device, alike, shape, label, told)
  if (alike.every(isBlocks)) return loadBlocks(device, alike, shape, label, told)
  throw new RangeError(`${label} mixes floats and blocks`)
}
