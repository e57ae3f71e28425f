import type { StopReason } from '../../core/dialogue.ts'
import { HycoraError, asHycoraError } from '../../core/errors.ts'
import type { Pack } from '../../formats/pack.ts'
import { forgetFaults } from '../../gpu/deviceFaults.ts'
import { encode, submit } from '../../gpu/kernel.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, readBuffer, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { project } from '../../kernels/project.ts'
import { packRows } from '../../kernels/operands/stepRows.ts'
import type { StepRow } from '../../kernels/operands/stepRows.ts'
import { createAdapter, emptyAdapter } from '../adapter/adapter.ts'
import type { Backbone, Casting, GenerateRequest, GpuBytes } from '../decoder/backbone.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { attachAdapter, bindToCaches, destroyAttached } from './attachedAdapter.ts'
import type { AttachedAdapter, SharedParts } from './attachedAdapter.ts'
import { withDeviceErrors } from './deviceErrors.ts'
import { bytesOf, destroyWeights, loadWeights } from './gpuWeights.ts'
import type { GpuWeights } from './gpuWeights.ts'
import type { ReportBytes } from './loadMatrix.ts'
import { PrefixCache } from '../decoder/prefixCache.ts'
import { rotaryAngles } from '../decoder/rotary.ts'
import { askedTokens } from '../decoder/score.ts'
import { createScorer } from './scorer.ts'
import type { Scorer } from './scorer.ts'
import {
  MAX_SEQUENCES,
  copyFirstSequence,
  copyPositions,
  createCaches,
  positionBytes,
} from './sequenceCaches.ts'
import { CHUNK_ROWS, bytesOfTensors } from './workspace.ts'

/** Up to so many rows the kernels for few are the faster ones. */
const FEW_ROWS = 4

export interface GpuBackboneOptions {
  /** Bytes that the keys and values of two sequences may take; the context is cut to what fits. */
  readonly cacheBytes?: number
  readonly onBytes?: ReportBytes
}

const DEFAULT_CACHE_BYTES = 512 * 2 ** 20

function nothing(): void {}

/** The sequences of the caches: the chat that is answered, and the one that guidance leads away from. */
const CHAT = 0
const BESIDE = 1

/** A decoder computed by our kernels on one device. */
export class GpuBackbone implements Backbone {
  readonly shape: Decoder
  readonly context: number
  readonly affordsGuidance = true
  readonly gpu: TunedDevice
  /** On the device, frozen: training reads them too. */
  readonly weights: GpuWeights
  private readonly angles: Tensor
  /** Of one sequence, until guidance first asks for a second. */
  private caches: readonly Tensor[]
  private attached: AttachedAdapter
  /** What the caches hold, by sequence. */
  private readonly prefixes: readonly [PrefixCache, PrefixCache]
  private casting: Casting | null = null
  /** Made when first asked for; it belongs to the attached workspace. */
  private scorer: Scorer | null = null

  private constructor(
    gpu: TunedDevice,
    decoder: Decoder,
    parts: { weights: GpuWeights; angles: Tensor; caches: readonly Tensor[]; attached: AttachedAdapter },
    context: number,
  ) {
    this.gpu = gpu
    this.shape = decoder
    this.weights = parts.weights
    this.angles = parts.angles
    this.caches = parts.caches
    this.attached = parts.attached
    this.context = context
    const createPrefix = (): PrefixCache => new PrefixCache(context, decoder.vocabulary)
    this.prefixes = [createPrefix(), createPrefix()]
  }

  /**
   * Brings a recognised decoder to a device: weights piece by piece, cache, workspace, compiled kernels.
   *
   * @throws HycoraError `out-of-memory` when it does not fit, `format-invalid` when a file is damaged.
   */
  static create(gpu: TunedDevice, decoder: Decoder, options: GpuBackboneOptions = {}): Promise<GpuBackbone> {
    const { device } = gpu
    return withDeviceErrors(device, 'the backbone', async () => {
      const { layers, headDim, maxPositions } = decoder
      const rowBytes = MAX_SEQUENCES * positionBytes(decoder)
      const fitting = Math.floor((options.cacheBytes ?? DEFAULT_CACHE_BYTES) / (layers * rowBytes))
      const bindable = Math.floor(device.limits.maxStorageBufferBindingSize / rowBytes)
      const context = Math.min(maxPositions, fitting, bindable)
      const weights = await loadWeights(device, decoder, options.onBytes ?? (() => undefined))
      const table = await rotaryAngles(decoder.rotary, context, headDim)
      const angles = uploadTensor(device, [context, headDim / 2, 2], table, 'rotary angles')
      const caches = createCaches(device, decoder, context, 1)
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
    const { gpu, shape: decoder } = this
    const { device } = gpu
    const attached = await withDeviceErrors(device, 'the persona pack', async () => {
      const adapter = pack ? await createAdapter(gpu, decoder, pack) : emptyAdapter(device)
      return attachAdapter(this.sharedParts(), adapter)
    })
    this.dropScorer()
    destroyAttached(this.attached)
    this.attached = attached
    for (const prefix of this.prefixes) prefix.clear()
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
    const start = Math.min(this.prefixes[CHAT].common(ids, casting), (asked[0]?.index ?? 1) - 1)
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
    return this.orGiveUp(async () => {
      this.feed([id])
      submit(this.device, [this.attached.plan.head], 1)
      const { buffer } = this.attached.workspace.logits
      return new Float32Array(await readBuffer(this.device, buffer, 0, 4 * this.shape.vocabulary))
    })
  }

  async *generate(request: GenerateRequest): AsyncGenerator<number, StopReason> {
    const { ids, sampling, stopIds, sentenceEnds = new Set(), signal } = request
    const beside = sampling.guidance === 0 ? undefined : request.beside
    const chat = this.prefixes[CHAT]
    chat.expectPrompt(ids)
    if (beside) await this.openBeside(beside)
    if (!(await this.readPrompts(ids, beside, request.casting, signal))) return 'cancelled'
    const guidance = beside ? sampling.guidance : 0
    this.attached.sampler.start({ ...sampling, guidance }, ids, { sentence: sentenceEnds, turn: stopIds })
    const limit = Math.min(request.maxTokens, this.context - Math.max(ids.length, beside?.length ?? 0))
    const reading = beside ? this.prefixes : [chat]
    const pending: Promise<number>[] = []
    let submitted = 0
    try {
      for (let count = 0; count < limit; count++) {
        while (submitted < limit && pending.length < this.gpu.tuning.stepsAhead) {
          const token = this.submitToken(submitted === 0, beside !== undefined)
          // It may fail before anybody waits for it.
          token.catch(nothing)
          pending.push(token)
          submitted++
        }
        const id = await pending.shift()
        if (id === undefined) break
        if (stopIds.includes(id)) return 'end'
        for (const prefix of reading) prefix.take([id])
        yield id
        if (signal?.aborted) return 'cancelled'
      }
      return limit < request.maxTokens ? 'context' : 'length'
    } catch (error) {
      await this.giveUp(pending)
      throw error
    } finally {
      // The last id was sampled but maybe not fed, nor, of two readings, the prompt's: only what was fed counts as cached.
      await Promise.allSettled(pending)
      const fed = submitted - 1
      chat.cut(ids.length + (beside ? fed : Math.max(0, fed)))
      if (beside) this.prefixes[BESIDE].cut(beside.length + fed)
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
    for (const prefix of this.prefixes) prefix.clear()
    forgetFaults(this.device)
  }

  private sharedParts(): SharedParts {
    const { gpu, shape: decoder, weights, angles, caches, context } = this
    return { gpu, decoder, weights, angles, caches, context }
  }

  private dropScorer(): void {
    this.scorer?.destroy()
    this.scorer = null
  }

  /** Makes room for a second sequence, once. @throws HycoraError `out-of-memory`; `usage` as `PrefixCache.expectPrompt`. */
  private async openBeside(ids: readonly number[]): Promise<void> {
    this.prefixes[BESIDE].expectPrompt(ids)
    if (this.attached.pair) return
    const { shape, context, caches } = this
    const { device } = this.gpu
    const larger = createCaches(device, shape, context, MAX_SEQUENCES)
    try {
      this.attached = await withDeviceErrors(device, 'a second reading of the chat', () => {
        copyFirstSequence(device, caches, larger)
        return bindToCaches({ ...this.sharedParts(), caches: larger }, this.attached)
      })
    } catch (error) {
      for (const { buffer } of larger) buffer.destroy()
      throw error
    }
    this.caches = larger
    for (const { buffer } of caches) buffer.destroy()
  }

  /**
   * Reads what of the prompts is not in the caches yet; then, of one prompt, computes the logits of its last token, and of
   * two leaves the last tokens to the first step.
   *
   * @returns false where the signal came first.
   */
  private async readPrompts(
    ids: readonly number[],
    beside: readonly number[] | undefined,
    casting: Casting | null,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const [chat, other] = this.prefixes
    if (signal?.aborted) return false
    this.startAt(Math.min(chat.common(ids, casting), ids.length - 1), casting)
    if (!beside) {
      if (!(await this.read(ids, CHAT, signal))) return false
      submit(this.device, [this.attached.plan.head], 1)
      this.writeStep([{ position: chat.length - 1 }])
      return true
    }
    if (!(await this.read(ids.slice(0, -1), CHAT, signal))) return false
    other.startAt(Math.min(other.common(beside, casting), beside.length - 1), casting)
    // What both have in common is read already: keys and values hang on nothing that comes later.
    const shared = Math.min(chat.common(beside, casting), beside.length - 1)
    if (shared > other.length) {
      copyPositions(this.device, this.caches, other.length, shared)
      other.take(beside.slice(other.length, shared))
    }
    if (!(await this.read(beside.slice(0, -1), BESIDE, signal))) return false
    const last = [ids.slice(chat.length), beside.slice(other.length)]
    last.forEach((rest, sequence) => this.prefixes[sequence]?.take(rest))
    this.device.queue.writeBuffer(this.attached.workspace.tokens.buffer, 0, Uint32Array.from(last.flat()))
    this.writeStep([{ position: ids.length - 1 }, { position: beside.length - 1, sequence: BESIDE }])
    return true
  }

  /**
   * Feeds a sequence's tokens behind those that are in the cache. No more than two chunks wait on the device, so that the
   * signal is heard in the middle of a long prompt.
   *
   * @returns false where the signal came first.
   */
  private async read(
    ids: readonly number[],
    sequence: typeof CHAT | typeof BESIDE,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    let chunkBefore: Promise<void> | undefined
    for (let first = this.prefixes[sequence].length; first < ids.length; first += CHUNK_ROWS) {
      if (signal?.aborted) return false
      this.feed(ids.slice(first, first + CHUNK_ROWS), sequence)
      const chunk = this.submittedWork()
      await chunkBefore
      chunkBefore = chunk
    }
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

  /** Forgets the chat from a position on and takes up a casting. */
  private startAt(position: number, casting: Casting | null): void {
    this.prefixes[CHAT].startAt(position, casting)
    this.casting = casting
  }

  /** Runs at most `CHUNK_ROWS` tokens through the decoder, after what is in the cache of their sequence. */
  private feed(ids: readonly number[], sequence: typeof CHAT | typeof BESIDE = CHAT): void {
    const first = this.prefixes[sequence].take(ids)
    const { workspace, plan } = this.attached
    this.device.queue.writeBuffer(workspace.tokens.buffer, 0, Uint32Array.from(ids))
    this.writeStep(ids.map((_, index) => ({ position: first + index, sequence })))
    submit(this.device, ids.length <= FEW_ROWS ? plan.few : plan.many, ids.length)
  }

  /** Tells the kernels which rows come, with slot and scale of whoever plays. */
  private writeStep(places: readonly Pick<StepRow, 'position' | 'sequence'>[]): void {
    const { workspace, adapter } = this.attached
    const slot = this.casting ? adapter.slotFor(this.casting) : 0
    const scale = this.casting ? adapter.scaling * this.casting.strength : 0
    const rows = places.map((place) => ({ ...place, slot, scale }))
    this.device.queue.writeBuffer(workspace.step.buffer, 0, packRows(rows))
  }

  /**
   * One submit: the forward pass of the token sampled last, behind both readings where there are two (of one prompt the
   * first token's logits are there), sampling, the token's way back.
   */
  private submitToken(isFirst: boolean, isGuided: boolean): Promise<number> {
    const { plan, pair, sampler } = this.attached
    const encoder = this.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    const run = (dispatches: readonly Dispatch[], rows: number): void => {
      for (const dispatch of dispatches) encode(pass, dispatch, rows)
    }
    if (isGuided && pair) run(pair, 2)
    else if (!isFirst) run([...plan.few, plan.head], 1)
    run(sampler.dispatches, 1)
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
