import type { StopReason } from '../../core/dialogue.ts'
import { HycoraError, asHycoraError } from '../../core/errors.ts'
import {
  CACHE_BYTES,
  CHUNK_ROWS,
  FIRST_POSITIONS,
  contextOf,
  positionBytes,
} from '../../core/graphicsMemory.ts'
import type { CacheForm } from '../../core/graphicsMemory.ts'
import type { Pack } from '../../formats/pack.ts'
import { forgetFaults } from '../../gpu/deviceFaults.ts'
import { encode, submit } from '../../gpu/kernel.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, readBuffer } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { createAdapter, emptyAdapter } from '../adapter/adapter.ts'
import type { Backbone, Casting, ChorusRequest, GenerateRequest, GpuBytes } from '../decoder/backbone.ts'
import type { Chorus } from '../decoder/chorus.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { projectBands } from './bands.ts'
import { withDeviceErrors } from './deviceErrors.ts'
import { createChorus } from './gpuChorus.ts'
import { bytesOfWeights, destroyWeights, loadWeights } from './gpuWeights.ts'
import { uploadAngles } from './rotaryTensors.ts'
import type { GpuWeights } from './gpuWeights.ts'
import type { ReportBytes } from './placeRows.ts'
import { leadingOf } from '../decoder/leading.ts'
import { askedTokens } from '../decoder/score.ts'
import { createScorer } from './scorer.ts'
import type { Scorer } from './scorer.ts'
import { possibleForm } from './sequenceCaches.ts'
import { Sequences } from './sequences.ts'
import { bytesOfTensors, tensorsOfWorkspace } from './workspace.ts'

export interface GpuBackboneOptions {
  /** Bytes that the keys and values of two sequences may take; the context is cut to what fits. */
  readonly cacheBytes?: number
  /** `floats` where left out, as for all that is compared or measured; chats take `halves`, where these are possible. */
  readonly cacheForm?: CacheForm
  /** Positions that the cache begins with; 1,024 where left out. */
  readonly firstPositions?: number
  /** The most of the embedding, and of the head, in one binding; what the device allows where left out. */
  readonly bandBytes?: number
  readonly onBytes?: ReportBytes
}

function nothing(): void {}

/** A decoder computed by our kernels on one device. */
export class GpuBackbone implements Backbone {
  readonly shape: Decoder
  readonly context: number
  readonly affordsGuidance = true
  readonly gpu: TunedDevice
  /** On the device, frozen: training reads them too. */
  readonly weights: GpuWeights
  private readonly angles: readonly Tensor[]
  private readonly sequences: Sequences
  private readonly form: CacheForm
  /** Made when first asked for; it belongs to the attached workspace. */
  private scorer: Scorer | null = null

  private constructor(
    gpu: TunedDevice,
    decoder: Decoder,
    parts: { weights: GpuWeights; angles: readonly Tensor[]; sequences: Sequences; form: CacheForm },
    context: number,
  ) {
    this.gpu = gpu
    this.shape = decoder
    this.weights = parts.weights
    this.angles = parts.angles
    this.sequences = parts.sequences
    this.form = parts.form
    this.context = context
  }

  /**
   * Brings a recognised decoder to a device: weights piece by piece, cache, workspace, compiled kernels.
   *
   * @throws HycoraError `out-of-memory` when it does not fit, `format-invalid` when a file is damaged.
   */
  static create(gpu: TunedDevice, decoder: Decoder, options: GpuBackboneOptions = {}): Promise<GpuBackbone> {
    const { device } = gpu
    return withDeviceErrors(device, 'the backbone', async () => {
      const form = possibleForm(decoder, options.cacheForm ?? 'floats')
      const { cacheBytes = CACHE_BYTES } = options
      const context = contextOf(decoder, device.limits.maxStorageBufferBindingSize, { form, cacheBytes })
      const weights = await loadWeights(device, decoder, options.onBytes ?? nothing, options.bandBytes)
      const angles = await uploadAngles(device, decoder, context)
      const shared = { gpu, decoder, weights, angles, form, context }
      const first = options.firstPositions ?? FIRST_POSITIONS
      const sequences = await Sequences.create(shared, emptyAdapter(device), first)
      return new GpuBackbone(gpu, decoder, { weights, angles, sequences, form }, context)
    })
  }

  private get device(): GPUDevice {
    return this.gpu.device
  }

  gpuBytes(): GpuBytes {
    const { workspace, adapter, sampler } = this.sequences.attached
    const passes = bytesOfTensors([...tensorsOfWorkspace(workspace), ...this.angles])
    return {
      weights: bytesOfWeights(this.weights),
      cache: this.sequences.cacheBytes,
      adapter: adapter.bytes,
      workspace: passes + sampler.bytes + (this.scorer?.bytes ?? 0),
    }
  }

  /** What one decoded token takes, sampling included, in order; bound to what is attached and cached now. */
  tokenDispatches(): readonly Dispatch[] {
    const { plan, sampler } = this.sequences.attached
    return [...plan.few, ...plan.head, ...sampler.dispatches]
  }

  /** Dispatches that one decoded token takes, sampling included. */
  dispatchesPerToken(): number {
    return this.tokenDispatches().length
  }

  async attach(pack: Pack | null): Promise<void> {
    const { gpu, shape: decoder } = this
    await this.sequences.attach(() => (pack ? createAdapter(gpu, decoder, pack) : emptyAdapter(gpu.device)))
    this.dropScorer()
  }

  logits(ids: readonly number[], casting: Casting | null): Promise<Float32Array> {
    return this.orGiveUp(() => this.readLogits(ids, casting))
  }

  private async readLogits(ids: readonly number[], casting: Casting | null): Promise<Float32Array> {
    const { vocabulary } = this.shape
    await this.sequences.reserve(ids.length)
    await this.reserveFor(casting)
    this.sequences.startAt(0, casting)
    const result = new Float32Array(ids.length * vocabulary)
    // A logits row is as wide as the vocabulary: a few rows at a time keep the buffer small.
    const rows = 16
    const { workspace, adapter } = this.sequences.attached
    const all = createTensor(this.device, [rows, vocabulary], 'all logits')
    const noParts = { adapter: adapter.placed.binding, count: 0, aOffset: 0, aPartStride: 0 }
    const head = await projectBands(
      this.gpu,
      this.weights.head,
      noParts,
      { step: workspace.step, x: workspace.normed, y: all },
      { rows: 'many' },
    )
    try {
      for (let first = 0; first < ids.length; first += rows) {
        const chunk = ids.slice(first, first + rows)
        this.sequences.feed(chunk)
        submit(this.device, head, chunk.length)
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
    await this.sequences.reserve(last)
    await this.reserveFor(casting)
    const scorer = (this.scorer ??= await this.createScorer())
    const start = Math.min(this.sequences.chat.common(ids, casting), (asked[0]?.index ?? 1) - 1)
    this.sequences.startAt(start, casting)
    for (let first = start; first < last; first += CHUNK_ROWS) {
      const end = Math.min(first + CHUNK_ROWS, last)
      this.sequences.feed(ids.slice(first, end))
      const inChunk = asked.filter(({ index }) => index > first && index <= end)
      scorer.add(inChunk.map(({ index, target }) => ({ row: index - 1 - first, target })))
    }
    return scorer.read()
  }

  step(id: number): Promise<Float32Array> {
    return this.orGiveUp(async () => {
      await this.sequences.reserve(this.sequences.chat.length + 1)
      this.sequences.feed([id])
      submit(this.device, this.sequences.attached.plan.head, 1)
      const { buffer } = this.sequences.attached.workspace.logits
      return new Float32Array(await readBuffer(this.device, buffer, 0, 4 * this.shape.vocabulary))
    })
  }

  async openChorus({ castings, capacity }: ChorusRequest): Promise<Chorus | null> {
    const { gpu, weights, angles, form, shape: decoder } = this
    const { adapter } = this.sequences.attached
    const own = new Set(castings.flatMap((casting) => (casting ? [JSON.stringify(casting.parts)] : [])))
    const bytes = castings.length * capacity * positionBytes(decoder, form) * decoder.layers
    if (own.size > adapter.slots || capacity > this.context || bytes > CACHE_BYTES) return null
    if (await this.sequences.reserveSlots(own.size)) this.dropScorer()
    if (own.size > adapter.room) return null
    const create = (): Promise<Chorus> =>
      createChorus({ gpu, decoder, weights, angles, form }, adapter, { castings, capacity })
    const chorus = await withDeviceErrors(gpu.device, 'several answers at once', create)
    const release = this.sequences.holdSlots()
    return {
      read: (rows) => chorus.read(rows),
      destroy() {
        release()
        chorus.destroy()
      },
    }
  }

  async *generate(request: GenerateRequest): AsyncGenerator<number, StopReason> {
    const { ids, sampling, stopIds, sentenceEnds = new Set(), signal } = request
    const leading = leadingOf(request)
    const { chat, beside: other } = this.sequences
    chat.expectPrompt(ids)
    const longest = Math.max(ids.length, leading?.ids.length ?? 0)
    await this.sequences.reserve(longest)
    if (leading) await this.sequences.openBeside(leading.ids)
    await this.reserveFor(request.casting, leading?.casting ?? null)
    if (!(await this.sequences.readPrompts(ids, leading, request.casting, signal))) return 'cancelled'
    const guidance = leading?.guidance ?? 0
    this.sequences.attached.sampler.start({ ...sampling, guidance }, ids, {
      sentence: sentenceEnds,
      turn: stopIds,
    })
    const limit = Math.min(request.maxTokens, this.context - longest)
    const reading = leading ? [chat, other] : [chat]
    const pending: Promise<number>[] = []
    let submitted = 0
    try {
      for (let count = 0; count < limit; count++) {
        while (submitted < limit && pending.length < this.gpu.tuning.stepsAhead) {
          await this.sequences.reserve(longest + submitted)
          const token = this.submitToken(submitted === 0, leading !== null)
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
      chat.cut(ids.length + (leading ? fed : Math.max(0, fed)))
      if (leading) other.cut(leading.ids.length + fed)
    }
  }

  destroy(): void {
    this.dropScorer()
    this.sequences.destroy()
    destroyWeights(this.weights)
    for (const { buffer } of this.angles) buffer.destroy()
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
    this.sequences.forget()
    forgetFaults(this.device)
  }

  /** Makes room for castings' matrices; what is bound to those of others goes with them. */
  private async reserveFor(...castings: readonly (Casting | null)[]): Promise<void> {
    if (await this.sequences.reserveFor(castings)) this.dropScorer()
  }

  private dropScorer(): void {
    this.scorer?.destroy()
    this.scorer = null
  }

  private createScorer(): Promise<Scorer> {
    const { gpu, weights, context } = this
    const { adapter, workspace } = this.sequences.attached
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

  /**
   * One submit: the forward pass of the token sampled last, behind both readings where there are two (of one prompt the
   * first token's logits are there), sampling, the token's way back.
   */
  private submitToken(isFirst: boolean, isGuided: boolean): Promise<number> {
    const { plan, pair, sampler } = this.sequences.attached
    const encoder = this.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    const run = (dispatches: readonly Dispatch[], rows: number): void => {
      for (const dispatch of dispatches) encode(pass, dispatch, rows)
    }
    if (isGuided && pair) run(pair, 2)
    else if (!isFirst) run([...plan.few, ...plan.head], 1)
    run(isGuided ? sampler.guidedDispatches : sampler.dispatches, 1)
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
