import { createTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { paddedWidth, widestBlock } from '../../kernels/operands/packedMatrix.ts'
import { stepWords } from '../../kernels/operands/stepRows.ts'
import type { DecoderShape } from '../decoder/decoder.ts'
import { multipliedMatrices } from './gpuWeights.ts'
import type { GpuWeights } from './gpuWeights.ts'

/** The buffers of one forward pass, sized once; activations of `rows` tokens with their padding and room for u. */
export interface Workspace {
  readonly tokens: Tensor
  /** What `packRows` gives. */
  readonly step: Tensor
  readonly residual: Tensor
  readonly normed: Tensor
  readonly qkv: Tensor
  /** Queries, keys and values behind the norms of heads; null where there are none. */
  readonly heads: Tensor | null
  readonly query: Tensor
  readonly attended: Tensor
  readonly projected: Tensor
  /** `projected` behind its norm; null where there is none. */
  readonly added: Tensor | null
  readonly gateUp: Tensor
  readonly activated: Tensor
  readonly logits: Tensor
}

/** Creates the workspace for an adapter's padded rank (0 without one). */
export function createWorkspace(
  device: GPUDevice,
  shape: DecoderShape,
  weights: GpuWeights,
  paddedRank: number,
  rows: number,
): Workspace {
  const { hidden, heads, kvHeads, headDim, ffn, vocabulary } = shape
  const block = widestBlock(multipliedMatrices(weights))
  const create = (name: string, columns: number): Tensor => createTensor(device, [rows, columns], name)
  return {
    tokens: createTensor(device, [rows], 'tokens'),
    step: createTensor(device, [stepWords(rows)], 'step'),
    residual: create('residual', hidden),
    normed: create('normed', paddedWidth(hidden, block)),
    qkv: create('qkv', (heads + 2 * kvHeads) * headDim + 3 * paddedRank),
    heads: weights.blocks.some(({ headNorms }) => headNorms)
      ? create('heads', (heads + 2 * kvHeads) * headDim)
      : null,
    query: create('query', heads * headDim),
    attended: create('attended', paddedWidth(heads * headDim, block)),
    projected: create('projected', hidden + paddedRank),
    added: weights.blocks.some(({ outputNorms }) => outputNorms) ? create('added', hidden) : null,
    gateUp: create('gate and up', 2 * (ffn + paddedRank)),
    activated: create('activated', paddedWidth(ffn, block)),
    // Those of a second sequence, too.
    logits: createTensor(device, [2, vocabulary], 'logits'),
  }
}

/** All tensors of a workspace. */
export function tensorsOfWorkspace(workspace: Workspace): Tensor[] {
  return Object.values(workspace).filter((tensor) => tensor !== null)
}

/** Bytes of GPU memory that tensors take. */
export function bytesOfTensors(tensors: Iterable<Tensor>): number {
  let sum = 0
  for (const { buffer } of tensors) sum += buffer.size
  return sum
}
