import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import type { BlockMatrix, WeightMatrix } from '../decoder/decoder.ts'
import { readBlockNumbers, readZeros, toFloats } from '../decoder/dequantise.ts'
import { BAND_ROWS } from './bands.ts'
import type { BandedMatrix } from './bands.ts'
import { commonForm } from './commonForm.ts'
import type { CommonForm } from './commonForm.ts'
import { holdsBfloats, placeRows } from './placeRows.ts'
import type { ReportBytes } from './placeRows.ts'

type BlockForm = Extract<CommonForm, { kind: 'blocks' }>
type Blocks = WeightMatrix & { readonly stored: BlockMatrix }

/** What a packed matrix has beside its weights. */
type BlockParts = Pick<
  PackedMatrix,
  'scales' | 'zeros' | 'halfScales' | 'zeroForm' | 'blockSize' | 'rowBlocks'
>

function withoutBlocks(device: GPUDevice): BlockParts {
  const none = createTensor(device, [4], 'no blocks')
  return { scales: none, zeros: none, halfScales: false, zeroForm: 'bytes', blockSize: 0, rowBlocks: 0 }
}

/** Numbers of one matrix's blocks, each repeated for the smaller blocks that it becomes. */
function spread<T extends Float32Array | Uint16Array>(
  from: T,
  into: T,
  rows: { readonly first: number; readonly count: number; readonly old: number; readonly now: number },
  { oldSize, nowSize }: { readonly oldSize: number; readonly nowSize: number },
): void {
  for (let row = 0; row < rows.count; row++) {
    for (let block = 0; block < rows.now; block++) {
      const old = row * rows.old + Math.floor((block * nowSize) / oldSize)
      into[(rows.first + row) * rows.now + block] = from[old] ?? 0
    }
  }
}

async function loadScales(
  device: GPUDevice,
  parts: readonly Blocks[],
  { blockSize, rowBlocks, out }: { blockSize: number; rowBlocks: number; out: number },
  label: string,
): Promise<{ scales: Tensor; halfScales: boolean }> {
  const halfScales = parts.every(({ stored }) => stored.scales.values.dataType === 'f16')
  const count = out * rowBlocks
  const halves = new Uint16Array(halfScales ? Math.ceil(count / 2) * 2 : 0)
  const floats = new Float32Array(halfScales ? 0 : count)
  let first = 0
  for (const part of parts) {
    const { stored } = part
    const old = Math.ceil(part.in / stored.blockSize)
    const raw = await readBlockNumbers(stored.scales, { first: part.firstOut, count: part.out, blocks: old })
    const rows = { first, count: part.out, old, now: rowBlocks }
    const sizes = { oldSize: stored.blockSize, nowSize: blockSize }
    if (halfScales && raw instanceof Uint16Array) spread(raw, halves, rows, sizes)
    else spread(toFloats(raw, stored.scales.values), floats, rows, sizes)
    first += part.out
  }
  const words = halfScales ? new Uint32Array(halves.buffer) : floats
  return { scales: uploadTensor(device, [words.length], words, `${label} scales`), halfScales }
}

async function loadZeros(
  device: GPUDevice,
  parts: readonly Blocks[],
  { blockSize, rowBlocks, out }: { blockSize: number; rowBlocks: number; out: number },
  label: string,
): Promise<{ zeros: Tensor; zeroForm: 'bytes' | 'floats' }> {
  const floats = new Float32Array(out * rowBlocks)
  let first = 0
  for (const part of parts) {
    const { stored } = part
    const old = Math.ceil(part.in / stored.blockSize)
    const zeros = await readZeros(stored.zeros, { first: part.firstOut, count: part.out, blocks: old })
    const rows = { first, count: part.out, old, now: rowBlocks }
    spread(zeros, floats, rows, { oldSize: stored.blockSize, nowSize: blockSize })
    first += part.out
  }
  const name = `${label} zero points`
  if (!parts.every(({ stored }) => isByte(stored.zeros)))
    return { zeros: uploadTensor(device, [floats.length], floats, name), zeroForm: 'floats' }
  const bytes = new Uint8Array(Math.ceil(floats.length / 4) * 4)
  bytes.set(floats)
  const words = new Uint32Array(bytes.buffer)
  return { zeros: uploadTensor(device, [words.length], words, name), zeroForm: 'bytes' }
}

function isByte(zeros: BlockMatrix['zeros']): boolean {
  return typeof zeros === 'number' || zeros.values.dataType.startsWith('u')
}

async function loadBlockParts(
  device: GPUDevice,
  parts: readonly Blocks[],
  { blockSize, levels }: BlockForm,
  label: string,
): Promise<BlockParts> {
  const rowBlocks = Math.ceil((parts[0]?.in ?? 0) / blockSize)
  const shape = { blockSize, rowBlocks, out: parts.reduce((sum, { out }) => sum + out, 0) }
  const scales = await loadScales(device, parts, shape, label)
  if (levels) {
    const zeros = uploadTensor(device, [levels.length], Float32Array.from(levels), `${label} levels`)
    return { ...scales, zeros, zeroForm: 'levels', blockSize, rowBlocks }
  }
  return { ...scales, ...(await loadZeros(device, parts, shape, label)), blockSize, rowBlocks }
}

function isBlocks(matrix: WeightMatrix): matrix is Blocks {
  return matrix.stored.kind === 'blocks'
}

/** Neighbouring rows of one stored matrix as one matrix, so that it is read once. */
function joined(matrices: readonly WeightMatrix[]): readonly WeightMatrix[] {
  const parts: WeightMatrix[] = []
  for (const matrix of matrices) {
    const last = parts.at(-1)
    if (last?.stored === matrix.stored && last.firstOut + last.out === matrix.firstOut)
      parts[parts.length - 1] = { ...last, out: last.out + matrix.out }
    else parts.push(matrix)
  }
  return parts
}

/** Words of a row, whole 16-byte vectors. */
function rowWordsOf(form: CommonForm, width: number): number {
  const bits = form.kind === 'blocks' ? form.bits : form.format === 'f32' ? 32 : 16
  const stored = form.kind === 'blocks' ? Math.ceil(width / form.blockSize) * form.blockSize : width
  return Math.ceil((stored * bits) / 128) * 4
}

/**
 * Brings matrices with the same input to the GPU as one [Σ out, in], packed as they are stored, or, where they are not
 * stored alike, in a form in which all of them are exact.
 *
 * @param report is told the bytes as they go over.
 * @param form where they are to lie in another that is exact, too.
 * @throws HycoraError `out-of-memory` when one buffer cannot hold them.
 */
export async function loadMatrix(
  device: GPUDevice,
  matrices: readonly WeightMatrix[],
  label: string,
  report: ReportBytes,
  form = commonForm(matrices),
): Promise<PackedMatrix> {
  const parts = joined(matrices)
  const shape = { out: parts.reduce((sum, { out }) => sum + out, 0), in: parts[0]?.in ?? 0 }
  const rowWords = rowWordsOf(form, shape.in)
  const weights = createTensor(device, [shape.out, rowWords], label)
  let first = 0
  for (const part of parts) {
    await placeRows(device, part, form, { weights, rowWords, first }, report)
    first += part.out
  }
  const isQuantised = form.kind === 'blocks' && parts.every(isBlocks)
  const blocks = isQuantised ? await loadBlockParts(device, parts, form, label) : withoutBlocks(device)
  return {
    format: form.kind === 'float' ? form.format : form.bits === 4 ? 'q4' : 'q8',
    ...shape,
    weights,
    rowWords,
    ...blocks,
  }
}

/**
 * The same of one matrix with a row for each token, in bands of at most `mostBytes`: a vocabulary may be larger than what the
 * device binds at once.
 *
 * @throws HycoraError as `loadMatrix`, where 64 rows are more than that.
 */
export async function loadTable(
  device: GPUDevice,
  matrix: WeightMatrix,
  label: string,
  report: ReportBytes,
  mostBytes: number,
): Promise<BandedMatrix> {
  const form: CommonForm = (await holdsBfloats(matrix))
    ? { kind: 'float', format: 'bf16' }
    : commonForm([matrix])
  const rowBytes = 4 * rowWordsOf(form, matrix.in)
  const fitting = Math.floor(mostBytes / rowBytes)
  const rows = fitting >= matrix.out ? matrix.out : Math.max(1, Math.floor(fitting / BAND_ROWS)) * BAND_ROWS
  const bands: PackedMatrix[] = []
  for (let first = 0; first < matrix.out; first += rows) {
    const band = { ...matrix, firstOut: matrix.firstOut + first, out: Math.min(rows, matrix.out - first) }
    bands.push(await loadMatrix(device, [band], label, report, form))
  }
  return bands
}
