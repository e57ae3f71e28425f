import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { Adapter } from '../adapter/adapter.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { planForward, planPair } from './forwardPlan.ts'
import type { ForwardPlan, PairPlan, PlanParts } from './forwardPlan.ts'
import type { GpuWeights } from './gpuWeights.ts'
import { createSampler } from './sampler.ts'
import type { Sampler } from './sampler.ts'
import { CHUNK_ROWS } from '../../core/graphicsMemory.ts'
import type { CacheForm } from '../../core/graphicsMemory.ts'
import { createWorkspace, tensorsOfWorkspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'

/** What an adapter's kernels are bound to beside it. */
export interface SharedParts {
  readonly gpu: TunedDevice
  readonly decoder: Decoder
  readonly weights: GpuWeights
  /** Of each of the decoder's rotaries. */
  readonly angles: readonly Tensor[]
  readonly caches: readonly Tensor[]
  readonly form: CacheForm
  /** The most positions that the caches may grow to. */
  readonly context: number
}

/** An adapter with all that computes as it says. */
export interface AttachedAdapter {
  readonly adapter: Adapter
  readonly workspace: Workspace
  readonly plan: ForwardPlan
  /** Where the caches hold two sequences. */
  readonly pair: PairPlan | null
  readonly sampler: Sampler
}

async function plansOf(
  { gpu, decoder, weights, angles, caches }: SharedParts,
  { adapter, workspace }: Pick<AttachedAdapter, 'adapter' | 'workspace'>,
): Promise<Pick<AttachedAdapter, 'plan' | 'pair'>> {
  const parts: PlanParts = {
    gpu,
    shape: decoder,
    weights,
    workspace,
    adapter: adapter.placed,
    angles,
    caches,
    capacity: caches[0]?.shape[3] ?? 0,
  }
  const isPaired = (caches[0]?.shape[0] ?? 1) > 1
  return { plan: await planForward(parts), pair: isPaired ? await planPair(parts) : null }
}

/** Workspace, bound kernels and sampler for an adapter's rank. */
export async function attachAdapter(shared: SharedParts, adapter: Adapter): Promise<AttachedAdapter> {
  const { gpu, decoder, weights, context } = shared
  const { device } = gpu
  const workspace = createWorkspace(device, decoder, weights, adapter.placed.binding.paddedRank, CHUNK_ROWS)
  const plans = await plansOf(shared, { adapter, workspace })
  return { adapter, workspace, ...plans, sampler: await createSampler(device, workspace, context) }
}

/** The same with its kernels bound to other caches, or to other slots of its adapter. */
export async function bindAnew(shared: SharedParts, attached: AttachedAdapter): Promise<AttachedAdapter> {
  return { ...attached, ...(await plansOf(shared, attached)) }
}

/** Frees the adapter and what is bound to it. */
export function destroyAttached({ adapter, workspace, sampler }: AttachedAdapter): void {
  adapter.destroy()
  sampler.destroy()
  for (const { buffer } of tensorsOfWorkspace(workspace)) buffer.destroy()
}
