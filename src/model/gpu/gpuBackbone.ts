import type { StopReason } from '../../core/dialogue.ts'
import { HycoraError, asHycoraError } from '../../core/errors.ts'
import type { Pack } from '../../formats/pack.ts'
import { forgetFaults } from '../../gpu/deviceFaults.ts'
import { encode, submit } from '../../gpu/kernel.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, readBuffer, readTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { project } from '../../kernels/project.ts'
import { packRows } from '../../kernels/operands/stepRows.ts'
import { createAdapter, emptyAdapter } from '../adapter/adapter.ts'
import type { Adapter } from '../adapter/adapter.ts'
import type { Backbone, Casting, GenerateRequest, GpuBytes } from '../decoder/backbone.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { withDeviceErrors } from './deviceErrors.ts'
import { planForward } from './forwardPlan.ts'
import type { ForwardPlan } from './forwardPlan.ts'
import { bytesOf, destroyWeights, loadWeights } from './gpuWeights.ts'
import type { GpuWeights } from './gpuWeights.ts'
import type { ReportBytes } from './loadMatrix.ts'
import { PrefixCache } from '../decoder/prefixCache.ts'
import { rotaryAngles } from '../decoder/rotary.ts'
import { createSampler } from './sampler.ts'
import type { Sampler } from './sampler.ts'
import { askedTokens } from '../decoder/score.ts'
import { createScorer } from './scorer.ts'
import type { Scorer } from './scorer.ts'
import { CHUNK_ROWS, bytesOfTensors, createWorkspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'

/** Up to so many rows the kernels for few are the faster ones. */
const FEW_ROWS = 4

export interface GpuBackboneOptions {
  /** Bytes that the cache of keys and values may take; the context is cut to what fits. */
  readonly cacheBytes?: number
  readonly onBytes?: ReportBytes
}

const DEFAULT_CACHE_BYTES = 512 * 2 ** 20

function nothing(): void {}

interface Attached {
  readonly adapter: Adapter
  readonly workspace: Workspace
  readonly plan: ForwardPlan
  readonly sampler: Sampler
}

/** A decoder computed by our kernels on one device. */
export class GpuBackbone implements Backbone {
  readonly shape: Decoder
  readonly context: number
  readonly gpu: TunedDevice
  /** On the device, frozen: training reads them too. */
  readonly weights: GpuWeights
  private readonly angles: Tensor
  private readonly caches: readonly Tensor[]
  private attached: Attached
  /** What the caches hold. */
  private readonly prefix: PrefixCache
  private casting: Casting | null = null
  /** Made when first asked for; it belongs to the attached workspace. */
  private scorer: Scorer | null = null

  private constructor(
    gpu: TunedDevice,
    decoder: Decoder,
    parts: { weights: GpuWeights; angles: Tensor; caches: readonly Tensor[]; attached: Attached },
    context: number,
  ) {
    this.gpu = gpu
    this.shape = decoder
    this.weights = parts.weights
    this.angles = parts.angles
    this.caches = parts.caches
    this.attached = parts.attached
    this.context = context
    this.prefix = new PrefixCache(context, decoder.vocabulary)
  }

  /**
   * Brings a recognised decoder to a device: weights piece by piece, cache, workspace, compiled kernels.
   *
   * @throws HycoraError `out-of-memory` when it does not fit, `format-invalid` when a file is damaged.
   */
  static create(gpu: TunedDevice, decoder: Decoder, options: GpuBackboneOptions = {}): Promise<GpuBackbone> {
    const { device } = gpu
    return withDeviceErrors(device, 'the backbone', async () => {
      const { layers, kvHeads, headDim, maxPositions } = decoder
      const positionBytes = 2 * kvHeads * headDim * 4
      const fitting = Math.floor((options.cacheBytes ?? DEFAULT_CACHE_BYTES) / (layers * positionBytes))
      const bindable = Math.floor(device.limits.maxStorageBufferBindingSize / positionBytes)
      const context = Math.min(maxPositions, fitting, bindable)
      const weights = await loadWeights(device, decoder, options.onBytes ?? (() => undefined))
      const table = await rotaryAngles(decoder.rotary, context, headDim)
      const angles = uploadTensor(device, [context, headDim / 2, 2], table, 'rotary angles')
      const caches = decoder.blocks.map((_, layer) =>
        createTensor(device, [2, kvHeads, context, headDim], `layer ${layer} cache`),
      )
      const shared = { gpu, decoder, weights, angles, caches, context }
      const attached = await attachAdapter(shared, emptyAdapter(device))
      return new GpuBackbone(gpu, decoder, { weights, angles, caches, attached }, context)
    })
  }

  private get device(): GPUDevice {
    return this.gpu.device
  }

  gpuBytes(): GpuBytes {
    const { workspace, adapter } = this.attached
    return {
      weights: bytesOf(this.weights),
      cache: bytesOfTensors(this.caches),
      adapter: adapter.bytes,
      workspace: bytesOfTensors([...Object.values(workspace), this.angles]) + (this.scorer?.bytes ?? 0),
    }
  }

  /** Dispatches that one decoded token takes, sampling included. */
  dispatchesPerToken(): number {
    const { plan, sampler } = this.attached
    return plan.few.length + 1 + sampler.dispatches.length
  }

  async attach(pack: Pack | null): Promise<void> {
    const { gpu, shape: decoder, weights, angles, caches, context } = this
    const { device } = gpu
    const attached = await withDeviceErrors(device, 'the persona pack', async () => {
      const adapter = pack ? await createAdapter(gpu, decoder, pack) : emptyAdapter(device)
      return attachAdapter({ gpu, decoder, weights, angles, caches, context }, adapter)
    })
    this.dropScorer()
    destroyAttached(this.attached)
    this.attached = attached
    this.prefix.clear()
  }

  logits(ids: readonly number[], casting: Casting | null): Promise<Float32Array> {
    return this.orGiveUp(() => this.readLogits(ids, casting))
  }

  private async readLogits(ids: readonly number[], casting: Casting | null): Promise<Float32Array> {
    const { vocabulary } = this.shape
    this.startAt(0, casting)
    const result = new Float32Array(ids.length * vocabulary)
    // A logits row is as wide as the vocabulary: a few rows at a time keep the buffer small.
    const rows = 16
    const { workspace, adapter } = this.attached
    const all = createTensor(this.device, [rows, vocabulary], 'all logits')
    const noParts = { adapter: adapter.placed.binding, count: 0, aOffset: 0, aPartStride: 0 }
    const head = await project(
      this.gpu,
      this.weights.head,
      noParts,
      { step: workspace.step, x: workspace.normed, y: all },
      { rows: 'many' },
    )
    try {
      for (let first = 0; first < ids.length; first += rows) {
        const chunk = ids.slice(first, first + rows)
        this.feed(chunk)
        submit(this.device, [head], chunk.length)
        const values = await readBuffer(this.device, all.buffer, 0, chunk.length * vocabulary * 4)
        result.set(new Float32Array(values), first * vocabulary)
      }
    } finally {
      all.buffer.destroy()
    }
    return result
  }

  score(ids: readonly number[], isReply: readonly boolean[], casting: Casting | null): Promise<Float32Array> {
    return this.orGiveUp(() => this.readScores(ids, isReply, casting))
  }

  private async readScores(
    ids: readonly number[],
    isReply: readonly boolean[],
    casting: Casting | null,
  ): Promise<Float32Array> {
    const asked = askedTokens(ids, isReply)
    const last = asked.at(-1)?.index ?? 0
    const scorer = (this.scorer ??= await this.createScorer())
    const start = Math.min(this.prefix.common(ids, casting), (asked[0]?.index ?? 1) - 1)
    this.startAt(start, casting)
    for (let first = start; first < last; first += CHUNK_ROWS) {
      const end = Math.min(first + CHUNK_ROWS, last)
      this.feed(ids.slice(first, end))
      const inChunk = asked.filter(({ index }) => index > first && index <= end)
      scorer.add(inChunk.map(({ index, target }) => ({ row: index - 1 - first, target })))
    }
    return scorer.read()
  }

  step(id: number): Promise<Float32Array> {
    return this.orGiveUp(() => {
      this.feed([id])
      submit(this.device, [this.attached.plan.head], 1)
      return readTensor(this.device, this.attached.workspace.logits)
    })
  }

  async *generate(request: GenerateRequest): AsyncGenerator<number, StopReason> {
    const { ids, sampling, stopIds, signal } = request
    this.prefix.expectPrompt(ids)
    if (!(await this.readPrompt(ids, request.casting, signal))) return 'cancelled'
    const { sampler } = this.attached
    sampler.start(sampling, ids)
    const limit = Math.min(request.maxTokens, this.context - ids.length)
    const pending: Promise<number>[] = []
    let submitted = 0
    try {
      for (let count = 0; count < limit; count++) {
        while (submitted < limit && pending.length < this.gpu.tuning.stepsAhead) {
          const token = this.submitToken(submitted === 0)
          // It may fail before anybody waits for it.
          token.catch(nothing)
          pending.push(token)
          submitted++
        }
        const id = await pending.shift()
        if (id === undefined) break
        if (stopIds.includes(id)) return 'end'
        this.prefix.take([id])
        yield id
        if (signal?.aborted) return 'cancelled'
      }
      return limit < request.maxTokens ? 'context' : 'length'
    } catch (error) {
      await this.giveUp(pending)
      throw error
    } finally {
      // The last id was sampled but maybe not fed: only what was fed counts as cached.
      await Promise.allSettled(pending)
      this.prefix.cut(ids.length + Math.max(0, submitted - 1))
    }
  }

  destroy(): void {
    this.dropScorer()
    destroyAttached(this.attached)
    destroyWeights(this.weights)
    this.angles.buffer.destroy()
    for (const { buffer } of this.caches) buffer.destroy()
  }

  /** What `work` reads; where it fails, nothing that it left in the cache is used again. */
  private async orGiveUp<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      await this.giveUp([])
      throw error
    }
  }

  /** After a failure nothing that was read counts, and what followed from it on the device is not told again. */
  private async giveUp(pending: readonly Promise<unknown>[]): Promise<void> {
    await Promise.allSettled(pending)
    this.prefix.clear()
    forgetFaults(this.device)
  }

  private dropScorer(): void {
    this.scorer?.destroy()
    this.scorer = null
  }

  /**
   * Feeds what of the prompt is not in the cache yet, then computes the logits of its last token. No more than two chunks
   * wait on the device, so that the signal is heard in the middle of a long prompt.
   *
   * @returns false where the signal came first.
   */
  private async readPrompt(
    ids: readonly number[],
    casting: Casting | null,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const common = Math.min(this.prefix.common(ids, casting), ids.length - 1)
    this.startAt(common, casting)
    let chunkBefore: Promise<void> | undefined
    for (let first = common; first < ids.length; first += CHUNK_ROWS) {
      if (signal?.aborted) return false
      this.feed(ids.slice(first, first + CHUNK_ROWS))
      const chunk = this.submittedWork()
      await chunkBefore
      chunkBefore = chunk
    }
    submit(this.device, [this.attached.plan.head], 1)
    this.writeStep([this.prefix.length - 1])
    return true
  }

  /** Resolves when the device has done what it was given, or is lost: whoever reads a result next hears of that. */
  private submittedWork(): Promise<void> {
    return this.device.queue.onSubmittedWorkDone().then(nothing, nothing)
  }

  private createScorer(): Promise<Scorer> {
    const { gpu, weights, context } = this
    const { adapter, workspace } = this.attached
    const { hidden, vocabulary } = this.shape
    return createScorer({
      gpu,
      head: weights.head,
      adapter: adapter.placed,
      workspace,
      hidden,
      vocabulary,
      capacity: context,
    })
  }

  /** Forgets the cache from a position on and takes up a casting. */
  private startAt(position: number, casting: Casting | null): void {
    this.prefix.startAt(position, casting)
    this.casting = casting
  }

  /** Runs at most `CHUNK_ROWS` tokens through the decoder, after what is in the cache. */
  private feed(ids: readonly number[]): void {
    const first = this.prefix.take(ids)
    const { workspace, plan } = this.attached
    this.device.queue.writeBuffer(workspace.tokens.buffer, 0, Uint32Array.from(ids))
    this.writeStep(ids.map((_, index) => first + index))
    submit(this.device, ids.length <= FEW_ROWS ? plan.few : plan.many, ids.length)
  }

  /** Tells the kernels which rows come: positions of the only sequence, and slot and scale of whoever plays. */
  private writeStep(positions: readonly number[]): void {
    const { workspace, adapter } = this.attached
    const slot = this.casting ? adapter.slotFor(this.casting) : 0
    const scale = this.casting ? adapter.scaling * this.casting.strength : 0
    const rows = positions.map((position) => ({ position, slot, scale }))
    this.device.queue.writeBuffer(workspace.step.buffer, 0, packRows(rows))
  }

  /** One submit: the forward pass of the token sampled last (but for the first), sampling, the token's way back. */
  private submitToken(isFirst: boolean): Promise<number> {
    const { plan, sampler } = this.attached
    const encoder = this.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    const run = (dispatches: readonly Dispatch[]): void => {
      for (const dispatch of dispatches) encode(pass, dispatch, 1)
    }
    if (!isFirst) {
      run(plan.few)
      encode(pass, plan.head, 1)
    }
    run(sampler.dispatches)
    pass.end()
    const result = sampler.copyResult(encoder)
    this.device.queue.submit([encoder.finish()])
    return result().catch((error: unknown) => {
      throw error instanceof HycoraError
        ? error
        : new HycoraError('device-lost', asHycoraError(error, 'device-lost').message)
    })
  }
}

interface SharedParts {
  readonly gpu: TunedDevice
  readonly decoder: Decoder
  readonly weights: GpuWeights
  readonly angles: Tensor
  readonly caches: readonly Tensor[]
  readonly context: number
}

/** Workspace, bound kernels and sampler for an adapter's rank. */
async function attachAdapter(shared: SharedParts, adapter: Adapter): Promise<Attached> {
  const { gpu, decoder, weights, angles, caches, context } = shared
  const { device } = gpu
  const workspace = createWorkspace(device, decoder, weights, adapter.placed.binding.paddedRank, CHUNK_ROWS)
  const plan = await planForward({
    gpu,
    shape: decoder,
    weights,
    workspace,
    adapter: adapter.placed,
    angles,
    caches,
    capacity: context,
  })
  const sampler = await createSampler(device, workspace, context)
  return { adapter, workspace, plan, sampler }
}

function destroyAttached({ adapter, workspace, sampler }: Attached): void {
  adapter.destroy()
  sampler.destroy()
  for (const { buffer } of Object.values(workspace) as Tensor[]) buffer.destroy()
}
