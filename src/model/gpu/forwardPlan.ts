import { addRmsNorm } from '../../kernels/addRmsNorm.ts'
import { attention } from '../../kernels/attention.ts'
import { embedding } from '../../kernels/embedding.ts'
import { project } from '../../kernels/project.ts'
import type { ProjectedParts } from '../../kernels/operands/adapterBinding.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import type { AttentionShape } from '../../kernels/rotaryAppend.ts'
import { rotaryAppend } from '../../kernels/rotaryAppend.ts'
import { swiglu } from '../../kernels/swiglu.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { PlacedAdapter } from '../adapter/adapter.ts'
import { aOffset, bOffset } from '../adapter/adapterLayout.ts'
import type { DecoderShape, Projection } from '../decoder/decoder.ts'
import type { GpuWeights } from './gpuWeights.ts'
import type { Workspace } from './workspace.ts'

/** The dispatches of one pass from token ids to the normalised last hidden states, in order. */
export interface ForwardPlan {
  /** For one or a few rows. */
  readonly few: readonly Dispatch[]
  /** For many rows. */
  readonly many: readonly Dispatch[]
  /** Head on the last row of the step, into `logits`. */
  readonly head: Dispatch
}

interface PlanParts {
  readonly gpu: TunedDevice
  readonly shape: DecoderShape & { readonly normEpsilon: number }
  readonly weights: GpuWeights
  readonly workspace: Workspace
  readonly adapter: PlacedAdapter
  readonly angles: Tensor
  /** Per layer [2, kvHeads, capacity, headDim]. */
  readonly caches: readonly Tensor[]
  readonly capacity: number
}

/** Which A matrices a group of projections multiplies its input with. */
function partsOf(
  { binding, layout }: PlacedAdapter,
  projections: readonly Projection[],
  layer: number,
): ProjectedParts {
  const [first, second] = projections
  if (!layout || !first) return { adapter: binding, count: 0, aOffset: 0, aPartStride: 0 }
  const start = aOffset(layout, first, layer)
  return {
    adapter: binding,
    count: projections.length,
    aOffset: start,
    aPartStride: second ? aOffset(layout, second, layer) - start : 0,
  }
}

function placeB({ layout }: PlacedAdapter, projection: Projection, layer: number): number {
  return layout ? bOffset(layout, projection, layer) : 0
}

interface Step {
  readonly few: Dispatch
  readonly many: Dispatch
}

function same(dispatch: Dispatch): Step {
  return { few: dispatch, many: dispatch }
}

async function planProjection(
  { gpu, workspace: { step } }: PlanParts,
  matrix: PackedMatrix,
  parts: ProjectedParts,
  tensors: { readonly x: Tensor; readonly y: Tensor },
): Promise<Step> {
  const [few, many] = await Promise.all([
    project(gpu, matrix, parts, { step, ...tensors }, { rows: 'few' }),
    project(gpu, matrix, parts, { step, ...tensors }, { rows: 'many' }),
  ])
  return { few, many }
}

/** Few rows may belong to different sequences; many are neighbours in one. */
async function planAttention(
  { gpu }: PlanParts,
  shape: AttentionShape,
  tensors: Parameters<typeof attention>[2],
): Promise<Step> {
  const [few, many] = await Promise.all([
    attention(gpu, shape, tensors, { plan: 'row' }),
    attention(gpu, shape, tensors, { plan: gpu.tuning.promptAttention }),
  ])
  return { few, many }
}

/** The dispatches of one block: norms stand with the addition before them, so a block ends before its last addition. */
function planBlock(parts: PlanParts, layer: number, previousDown: Tensor | null): Promise<Step>[] {
  const { gpu, shape, weights, workspace, adapter, angles, caches, capacity } = parts
  const { device } = gpu
  const block = weights.blocks[layer]
  const cache = caches[layer]
  if (!block || !cache) return []
  const { step, residual, normed, qkv, query, attended, projected, gateUp, activated } = workspace
  const { binding } = adapter
  const epsilon = { epsilon: shape.normEpsilon }
  const attentionShape = { heads: shape.heads, kvHeads: shape.kvHeads, headDim: shape.headDim, capacity }
  const place = (name: Projection): number => placeB(adapter, name, layer)
  const added = previousDown
    ? { delta: projected, bias: previousDown, bOffset: placeB(adapter, 'down', layer - 1) }
    : null
  return [
    addRmsNorm(gpu, binding, { step, gain: block.inputNorm, residual, y: normed }, added, epsilon).then(same),
    planProjection(parts, block.qkv.matrix, partsOf(adapter, ['q', 'k', 'v'], layer), { x: normed, y: qkv }),
    rotaryAppend(
      device,
      attentionShape,
      binding,
      { step, qkv, bias: block.qkv.bias, angles, query, cache },
      { q: place('q'), k: place('k'), v: place('v') },
    ).then(same),
    planAttention(parts, attentionShape, { step, query, cache, y: attended }),
    planProjection(parts, block.o.matrix, partsOf(adapter, ['o'], layer), { x: attended, y: projected }),
    addRmsNorm(
      gpu,
      binding,
      { step, gain: block.postAttentionNorm, residual, y: normed },
      { delta: projected, bias: block.o.bias, bOffset: place('o') },
      epsilon,
    ).then(same),
    planProjection(parts, block.gateUp.matrix, partsOf(adapter, ['gate', 'up'], layer), {
      x: normed,
      y: gateUp,
    }),
    swiglu(
      device,
      binding,
      { step, gate_up: gateUp, bias: block.gateUp.bias, y: activated },
      { gate: place('gate'), up: place('up') },
    ).then(same),
    planProjection(parts, block.down.matrix, partsOf(adapter, ['down'], layer), {
      x: activated,
      y: projected,
    }),
  ]
}

/**
 * Binds every kernel of a forward pass, once; pipelines compile in parallel. Nine dispatches a layer, with or without an
 * adapter, and three around them (embedding, final norm, head).
 *
 * @throws HycoraError `shader-invalid` when a kernel does not compile on the device.
 */
export async function planForward(parts: PlanParts): Promise<ForwardPlan> {
  const { gpu, shape, weights, workspace, adapter } = parts
  const { step, tokens, residual, normed, projected, logits } = workspace
  const lastBlock = weights.blocks.at(-1)
  const lastLayer = weights.blocks.length - 1
  const steps = await Promise.all([
    embedding(gpu.device, weights.embedding, { tokens, y: residual }).then(same),
    ...weights.blocks.flatMap((_, layer) =>
      planBlock(parts, layer, weights.blocks[layer - 1]?.down.bias ?? null),
    ),
    addRmsNorm(
      gpu,
      adapter.binding,
      { step, gain: weights.finalNorm, residual, y: normed },
      lastBlock
        ? { delta: projected, bias: lastBlock.down.bias, bOffset: placeB(adapter, 'down', lastLayer) }
        : null,
      { epsilon: shape.normEpsilon },
    ).then(same),
  ])
  const noParts = { adapter: adapter.binding, count: 0, aOffset: 0, aPartStride: 0 }
  const head = await project(
    gpu,
    weights.head,
    noParts,
    { step, x: normed, y: logits },
    { rows: 'few', lastRowOnly: true },
  )
  return { few: steps.map(({ few }) => few), many: steps.map(({ many }) => many), head }
}
