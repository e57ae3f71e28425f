import { addRmsNorm } from '../../kernels/addRmsNorm.ts'
import { attention } from '../../kernels/attention.ts'
import { gated } from '../../kernels/gated.ts'
import { project } from '../../kernels/project.ts'
import type { ProjectOptions } from '../../kernels/project.ts'
import type { ProjectedParts } from '../../kernels/operands/adapterBinding.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import type { AttentionShape } from '../../kernels/rotaryAppend.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { PlacedAdapter } from '../adapter/adapter.ts'
import { aOffset, bOffset } from '../adapter/adapterLayout.ts'
import { unitsOfStream } from '../decoder/decoder.ts'
import type { Decoder, DecoderShape, Projection } from '../decoder/decoder.ts'
import { embedBands, projectBands } from './bands.ts'
import type { GpuWeights } from './gpuWeights.ts'
import { attentionShapeOf, planHeads } from './headsPlan.ts'
import { additionOf, planOutputNorm } from './outputsPlan.ts'
import type { Workspace } from './workspace.ts'

/** The dispatches of one pass from token ids to the normalised last hidden states, in order. */
export interface LayersPlan {
  /** For one or a few rows. */
  readonly few: readonly Dispatch[]
  /** For many rows. */
  readonly many: readonly Dispatch[]
}

export interface ForwardPlan extends LayersPlan {
  /** Head on the last row of the step, into row 0 of `logits`. */
  readonly head: readonly Dispatch[]
}

/** A pass of two rows, which may be of two sequences, that reads the weights once; then the head on both of them. */
export type PairPlan = readonly Dispatch[]

export interface PlanParts {
  readonly gpu: TunedDevice
  readonly shape: DecoderShape &
    Pick<Decoder, 'normEpsilon' | 'rotation' | 'multipliers' | 'activation' | 'scoreScale'>
  readonly weights: GpuWeights
  readonly workspace: Workspace
  readonly adapter: PlacedAdapter
  /** Of each of the decoder's rotaries. */
  readonly angles: readonly Tensor[]
  /** Per layer [sequences, 2, kvHeads, capacity, headDim]. */
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

/** How a plan binds the operations that suit different numbers of rows in different ways. */
interface Binding<T> {
  projection(
    matrix: PackedMatrix,
    parts: ProjectedParts,
    tensors: { readonly x: Tensor; readonly y: Tensor },
  ): Promise<T>
  attention(shape: AttentionShape, tensors: Parameters<typeof attention>[2]): Promise<T>
  readonly same: (dispatch: Dispatch) => T
}

interface Step {
  readonly few: Dispatch
  readonly many: Dispatch
}

/** Few rows may be of different sequences; many are neighbours in one, or of different ones, too. */
function bindSteps({ gpu, workspace: { step } }: PlanParts, rows: 'neighbours' | 'mixed'): Binding<Step> {
  const plan = rows === 'mixed' ? 'row' : gpu.tuning.promptAttention
  return {
    async projection(matrix, parts, tensors) {
      const [few, many] = await Promise.all([
        project(gpu, matrix, parts, { step, ...tensors }, { rows: 'few' }),
        project(gpu, matrix, parts, { step, ...tensors }, { rows: 'many' }),
      ])
      return { few, many }
    },
    async attention(shape, tensors) {
      const [few, many] = await Promise.all([
        attention(gpu, shape, tensors, { plan: 'row' }),
        attention(gpu, shape, tensors, { plan }),
      ])
      return { few, many }
    },
    same: (dispatch) => ({ few: dispatch, many: dispatch }),
  }
}

function bindPairs({ gpu, workspace: { step } }: PlanParts): Binding<Dispatch> {
  return {
    projection: (matrix, parts, tensors) =>
      project(gpu, matrix, parts, { step, ...tensors }, { rows: 'pair' }),
    attention: (shape, tensors) => attention(gpu, shape, tensors, { plan: 'row' }),
    same: (dispatch) => dispatch,
  }
}

/** What a layer's attention or MLP adds to the residual stream; null in front of the first layer. */
function addedBy(
  { weights, adapter, workspace: { projected, added } }: PlanParts,
  name: 'o' | 'down',
  layer: number,
): ReturnType<typeof additionOf> | null {
  const block = weights.blocks[layer]
  if (!block) return null
  const place = { block, name, bOffset: placeB(adapter, name, layer) }
  return additionOf(adapter.binding, place, { output: projected, added })
}

/** The norm of what a layer's attention or MLP gives. */
function outputNorm(
  { gpu, shape, weights, adapter, workspace: { step, projected, added } }: PlanParts,
  name: 'o' | 'down',
  layer: number,
): readonly Promise<Dispatch>[] {
  const block = weights.blocks[layer]
  if (!block) return []
  return planOutputNorm(
    { gpu, epsilon: shape.normEpsilon, adapter: adapter.binding },
    { block, name, bOffset: placeB(adapter, name, layer) },
    { step, output: projected, added },
  )
}

/** The dispatches of one block: norms stand with the addition before them, so a block ends before its last addition. */
function planBlock<T>(parts: PlanParts, binding: Binding<T>, layer: number): Promise<T>[] {
  const { gpu, shape, weights, workspace, adapter, angles, caches, capacity } = parts
  const { device } = gpu
  const block = weights.blocks[layer]
  const cache = caches[layer]
  if (!block || !cache) return []
  const { step, residual, normed, qkv, heads, query, attended, projected, gateUp, activated } = workspace
  const { same } = binding
  const { epsilon } = unitsOfStream(shape)
  const attentionShape = attentionShapeOf(shape, block, capacity)
  const place = (name: Projection): number => placeB(adapter, name, layer)
  const before = addedBy(parts, 'down', layer - 1)
  const behindAttention = addedBy(parts, 'o', layer)
  return [
    addRmsNorm(
      gpu,
      before?.adapter ?? adapter.binding,
      { step, gain: block.inputNorm, residual, y: normed },
      before?.added ?? null,
      { epsilon },
    ).then(same),
    binding.projection(block.qkv.matrix, partsOf(adapter, ['q', 'k', 'v'], layer), { x: normed, y: qkv }),
    ...planHeads(
      { gpu, shape: attentionShape, epsilon: shape.normEpsilon, adapter: adapter.binding },
      block,
      { step, qkv, heads, angles, query, cache },
      { q: place('q'), k: place('k'), v: place('v') },
    ).map((dispatch) => dispatch.then(same)),
    binding.attention(attentionShape, { step, query, cache, y: attended }),
    binding.projection(block.o.matrix, partsOf(adapter, ['o'], layer), { x: attended, y: projected }),
    ...outputNorm(parts, 'o', layer).map((dispatch) => dispatch.then(same)),
    addRmsNorm(
      gpu,
      behindAttention?.adapter ?? adapter.binding,
      { step, gain: block.postAttentionNorm, residual, y: normed },
      behindAttention?.added ?? null,
      { epsilon },
    ).then(same),
    binding.projection(block.gateUp.matrix, partsOf(adapter, ['gate', 'up'], layer), {
      x: normed,
      y: gateUp,
    }),
    gated(
      device,
      shape.activation,
      adapter.binding,
      { step, gate_up: gateUp, bias: block.gateUp.bias, y: activated },
      { gate: place('gate'), up: place('up') },
    ).then(same),
    binding.projection(block.down.matrix, partsOf(adapter, ['down'], layer), {
      x: activated,
      y: projected,
    }),
    ...outputNorm(parts, 'down', layer).map((dispatch) => dispatch.then(same)),
  ]
}

/** Nine dispatches a layer, one more for norms of heads and two for norms of outputs, with or without an adapter, and two around them (embedding, final norm). */
function planLayers<T>(parts: PlanParts, binding: Binding<T>): Promise<T[]> {
  const { gpu, shape, weights, workspace, adapter } = parts
  const { device } = gpu
  const { step, tokens, residual, normed } = workspace
  const units = unitsOfStream(shape)
  const last = addedBy(parts, 'down', weights.blocks.length - 1)
  return Promise.all([
    ...embedBands(device, weights.embedding, { tokens, y: residual }, units.embedding).map((dispatch) =>
      dispatch.then(binding.same),
    ),
    ...weights.blocks.flatMap((_, layer) => planBlock(parts, binding, layer)),
    addRmsNorm(
      gpu,
      last?.adapter ?? adapter.binding,
      { step, gain: weights.finalNorm, residual, y: normed },
      last?.added ?? null,
      { epsilon: units.epsilon },
    ).then(binding.same),
  ])
}

function planHead(
  { gpu, weights, adapter, workspace: { step, normed, logits } }: PlanParts,
  options: ProjectOptions,
): Promise<readonly Dispatch[]> {
  const noParts = { adapter: adapter.binding, count: 0, aOffset: 0, aPartStride: 0 }
  return projectBands(gpu, weights.head, noParts, { step, x: normed, y: logits }, options)
}

/**
 * Binds every kernel of a forward pass, once; pipelines compile in parallel.
 *
 * @throws HycoraError `shader-invalid` when a kernel does not compile on the device.
 */
export async function planForward(parts: PlanParts): Promise<ForwardPlan> {
  const head = planHead(parts, { rows: 'few', lastRowOnly: true })
  return { ...byRows(await planLayers(parts, bindSteps(parts, 'neighbours'))), head: await head }
}

function byRows(steps: readonly Step[]): LayersPlan {
  return { few: steps.map(({ few }) => few), many: steps.map(({ many }) => many) }
}

/**
 * Binds a forward pass of two rows.
 *
 * @throws HycoraError as `planForward`.
 */
export async function planPair(parts: PlanParts): Promise<PairPlan> {
  return [...(await planLayers(parts, bindPairs(parts))), ...(await planHead(parts, { rows: 'pair' }))]
}

/**
 * Binds a forward pass of rows of whatever sequence and role each.
 *
 * @throws HycoraError as `planForward`.
 */
export async function planChorus(parts: PlanParts): Promise<LayersPlan> {
  return byRows(await planLayers(parts, bindSteps(parts, 'mixed')))
}
