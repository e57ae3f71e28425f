import type { Dispatch } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { addRmsNorm } from '../../kernels/addRmsNorm.ts'
import { attention } from '../../kernels/attention.ts'
import { attentionBackwardCache } from '../../kernels/attentionBackwardCache.ts'
import { attentionBackwardQuery } from '../../kernels/attentionBackwardQuery.ts'
import { gated } from '../../kernels/gated.ts'
import { gatedBackward } from '../../kernels/gatedBackward.ts'
import { projectionNormBackward } from '../../kernels/projectionNormBackward.ts'
import { rmsNormBackward } from '../../kernels/rmsNormBackward.ts'
import { bOffset } from '../../model/adapter/adapterLayout.ts'
import { unitsOfStream } from '../../model/decoder/decoder.ts'
import type { Projection } from '../../model/decoder/decoder.ts'
import type { GpuBlock } from '../../model/gpu/gpuWeights.ts'
import { attentionShapeOf, planHeads } from '../../model/gpu/headsPlan.ts'
import { additionOf, outputGain, outputNormShape, planOutputNorm } from '../../model/gpu/outputsPlan.ts'
import type { OutputContext, OutputPlace } from '../../model/gpu/outputsPlan.ts'
import { planHeadsBackward } from './headsTraining.ts'
import { backwardOf, downOf, forwardOf, groupsOf } from './groupTraining.ts'
import type { BlockContext, TrainedGroups } from './groupTraining.ts'
import { layerBuffers } from './trainingBuffers.ts'

/** A layer's dispatches: its norm in front (which also adds what the layer before left), its body, its gradient. */
export interface BlockTraining {
  readonly enter: Dispatch
  /** The norm in front alone, from a checkpoint. */
  readonly reenter: Dispatch
  /** Up to the norm in front of the FFN, which has added what attention left. */
  readonly attention: readonly Dispatch[]
  readonly ffn: readonly Dispatch[]
  /** As `ffn`, without the output: only what the gradient reads. */
  readonly ffnAgain: readonly Dispatch[]
  readonly backward: readonly Dispatch[]
}

function planAttention(
  context: BlockContext,
  block: GpuBlock,
  layer: number,
  groups: TrainedGroups,
): Promise<Dispatch>[] {
  const { gpu, shape, buffers, adapter, angles, limits } = context
  const { step, qkv, heads, query, cache, attended, attentionOutput, added, residual, ffnInput } = buffers
  const { binding, layout } = adapter
  const output: OutputPlace = { block, name: 'o', bOffset: bOffset(layout, 'o', layer) }
  const addition = additionOf(binding, output, { output: attentionOutput, added })
  const attentionShape = attentionShapeOf(shape, block, limits.tokens)
  const attentionPlan = { plan: gpu.tuning.batchAttention }
  const place = (name: Projection): number => bOffset(layout, name, layer)
  return [
    ...forwardOf(context, groups.qkv),
    ...planHeads(
      { gpu, shape: attentionShape, epsilon: shape.normEpsilon, adapter: binding },
      block,
      { step, qkv, heads, angles, query, cache },
      { q: place('q'), k: place('k'), v: place('v') },
    ),
    attention(gpu, attentionShape, { step, query, cache, y: attended }, attentionPlan),
    ...forwardOf(context, groups.o),
    ...planOutputNorm(outputContext(context), output, { step, output: attentionOutput, added }),
    addRmsNorm(
      gpu,
      addition.adapter,
      { step, gain: block.postAttentionNorm, residual, y: ffnInput },
      addition.added,
      { epsilon: unitsOfStream(shape).epsilon },
    ),
  ]
}

function planActivation(
  context: BlockContext,
  block: GpuBlock,
  layer: number,
  groups: TrainedGroups,
): Promise<Dispatch>[] {
  const { gpu, shape, buffers, adapter } = context
  const { step, gateUp, activated } = buffers
  const { binding, layout } = adapter
  return [
    ...forwardOf(context, groups.gateUp),
    gated(
      gpu.device,
      shape.activation,
      binding,
      { step, gate_up: gateUp, bias: block.gateUp.bias, y: activated },
      { gate: bOffset(layout, 'gate', layer), up: bOffset(layout, 'up', layer) },
    ),
  ]
}

function outputContext({ gpu, shape, adapter }: BlockContext): OutputContext {
  return { gpu, epsilon: shape.normEpsilon, adapter: adapter.binding }
}

/** From the gradient of the residual stream to that of an output before its norm; nothing where it has none. */
function planOutputBackward(
  { gpu, shape, buffers, adapter }: BlockContext,
  place: OutputPlace,
  output: Tensor,
): readonly Promise<Dispatch>[] {
  const { step, dResidual, dOutput } = buffers
  const gain = outputGain(place)
  if (!gain || !dOutput) return []
  const norm = outputNormShape(gain.shape[0] ?? 0, shape.normEpsilon)
  const { bias } = place.block[place.name]
  const tensors = { step, qkv: output, bias, gain, dy: dResidual, dqkv: dOutput }
  return [projectionNormBackward(gpu, norm, adapter.binding, tensors, { q: place.bOffset, k: 0, v: 0 })]
}

function planFfnBackward(
  context: BlockContext,
  block: GpuBlock,
  layer: number,
  groups: TrainedGroups,
): Promise<Dispatch>[] {
  const { gpu, shape, buffers, adapter } = context
  const { step, between, gateUp, dResidual, dNormed, dActivated, dGateUp } = buffers
  const { binding, layout } = adapter
  const output: OutputPlace = { block, name: 'down', bOffset: bOffset(layout, 'down', layer) }
  return [
    ...planOutputBackward(context, output, buffers.ffnOutput),
    ...backwardOf(context, groups.down),
    gatedBackward(
      gpu.device,
      shape.activation,
      binding,
      { step, gate_up: gateUp, bias: block.gateUp.bias, dy: dActivated, dgate_up: dGateUp },
      { gate: bOffset(layout, 'gate', layer), up: bOffset(layout, 'up', layer) },
    ),
    ...backwardOf(context, groups.gateUp),
    rmsNormBackward(
      gpu.device,
      { dy: dNormed, x: between, gain: block.postAttentionNorm, dx: dResidual },
      { epsilon: unitsOfStream(shape).epsilon, accumulate: true },
    ),
  ]
}

function planAttentionBackward(
  context: BlockContext,
  block: GpuBlock,
  layer: number,
  groups: TrainedGroups,
): Promise<Dispatch>[] {
  const { gpu, shape, buffers, adapter, angles, limits } = context
  const { step, query, cache, between, dResidual, dNormed, attentionStats } = buffers
  const { qkv, dAttended, dQuery, dCache, dHeads, dQkv } = buffers
  const { binding, layout } = adapter
  const attentionShape = attentionShapeOf(shape, block, limits.tokens)
  const checkpoint = buffers.checkpoints[layer] ?? between
  // Nothing in front of the first layer learns.
  const isFirst = layer === 0
  const place = (name: Projection): number => bOffset(layout, name, layer)
  const output: OutputPlace = { block, name: 'o', bOffset: place('o') }
  return [
    ...planOutputBackward(context, output, buffers.attentionOutput),
    ...backwardOf(context, groups.o),
    attentionBackwardQuery(gpu, attentionShape, {
      step,
      query,
      cache,
      y: buffers.attended,
      dy: dAttended,
      dquery: dQuery,
      stats: attentionStats,
    }),
    attentionBackwardCache(gpu, attentionShape, {
      step,
      query,
      cache,
      dy: dAttended,
      stats: attentionStats,
      dcache: dCache,
    }),
    ...planHeadsBackward(
      { gpu, shape: attentionShape, epsilon: shape.normEpsilon, adapter: binding },
      block,
      { step, qkv, angles, dQuery, dCache, dHeads, dQkv },
      { q: place('q'), k: place('k'), v: place('v') },
    ),
    ...backwardOf(context, groups.qkv, !isFirst),
    ...(isFirst
      ? []
      : [
          rmsNormBackward(
            gpu.device,
            { dy: dNormed, x: checkpoint, gain: block.inputNorm, dx: dResidual },
            { epsilon: unitsOfStream(shape).epsilon, accumulate: true },
          ),
        ]),
  ]
}

/** What a layer's MLP leaves for the norm behind it to add to the residual stream; null for no layer. */
export function planAddition(
  block: GpuBlock | null,
  layer: number,
  { adapter: { binding, layout }, buffers }: Pick<BlockContext, 'adapter' | 'buffers'>,
): ReturnType<typeof additionOf> | null {
  if (!block) return null
  const { ffnOutput, added } = layerBuffers(buffers, layer)
  const place: OutputPlace = { block, name: 'down', bOffset: bOffset(layout, 'down', layer) }
  return additionOf(binding, place, { output: ffnOutput, added })
}

/**
 * Binds one layer's kernels for training. The backward dispatches expect what the layer's forward dispatches have written:
 * either the layer keeps its activations, or they have just run again from its checkpoint. `residual` is to be copied to
 * `between` behind `attention`.
 */
export async function planBlockTraining(
  shared: BlockContext,
  block: GpuBlock,
  layer: number,
  previous: GpuBlock | null,
): Promise<BlockTraining> {
  const buffers = layerBuffers(shared.buffers, layer)
  const context = { ...shared, buffers }
  const { gpu, shape, adapter } = context
  const groups = groupsOf(context, block, layer)
  const { layout, binding } = adapter
  const before = planAddition(previous, layer - 1, shared)
  const enter = (isFirst: boolean): Promise<Dispatch> =>
    addRmsNorm(
      gpu,
      isFirst ? binding : (before?.adapter ?? binding),
      { step: buffers.step, gain: block.inputNorm, residual: buffers.residual, y: buffers.attentionInput },
      isFirst ? null : (before?.added ?? null),
      { epsilon: unitsOfStream(shape).epsilon },
    )
  const output: OutputPlace = { block, name: 'down', bOffset: bOffset(layout, 'down', layer) }
  const { step, ffnOutput, added } = buffers
  const [entering, reentering, ahead, activation, down, downAgain, behindDown, backward] = await Promise.all([
    enter(false),
    enter(true),
    Promise.all(planAttention(context, block, layer, groups)),
    Promise.all(planActivation(context, block, layer, groups)),
    Promise.all(forwardOf(context, groups.down)),
    // The backward of a norm reads what was normalised.
    block.outputNorms ? null : downOf(context, groups.down),
    Promise.all(planOutputNorm(outputContext(context), output, { step, output: ffnOutput, added })),
    Promise.all([
      ...planFfnBackward(context, block, layer, groups),
      ...planAttentionBackward(context, block, layer, groups),
    ]),
  ])
  return {
    enter: entering,
    reenter: reentering,
    attention: ahead,
    ffn: [...activation, ...down, ...behindDown],
    ffnAgain: [...activation, ...(downAgain ? [downAgain] : down)],
    backward,
  }
}
