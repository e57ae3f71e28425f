import { asHycoraError } from '../../core/errors.ts'
import { submit } from '../../gpu/kernel.ts'
import { hear } from '../../gpu/lateNews.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import { packRows } from '../../kernels/operands/stepRows.ts'
import { destroySlots, playing } from '../adapter/adapter.ts'
import type { Adapter, RoleSlots } from '../adapter/adapter.ts'
import type { Casting } from '../decoder/backbone.ts'
import type { Leading } from '../decoder/leading.ts'
import { PrefixCache } from '../decoder/prefixCache.ts'
import { attachAdapter, bindAnew, destroyAttached } from './attachedAdapter.ts'
import type { AttachedAdapter, SharedParts } from './attachedAdapter.ts'
import { withDeviceErrors } from './deviceErrors.ts'
import { CHUNK_ROWS, MAX_SEQUENCES } from '../../core/graphicsMemory.ts'
import { copyCaches, copyPositions, createCaches } from './sequenceCaches.ts'
import { bytesOfTensors } from './workspace.ts'

/** Up to so many rows the kernels for few are the faster ones. */
const FEW_ROWS = 4

/** The sequences: the chat that is answered, and the one that guidance leads away from. */
const CHAT = 0
const BESIDE = 1
type Sequence = typeof CHAT | typeof BESIDE

function nothing(): void {}

/** The texts that a decoder reads on a device: their keys and values, and the adapter and casting they are read with. */
export class Sequences {
  private readonly shared: Omit<SharedParts, 'caches'>
  /** Of one sequence until guidance first asks for a second, and for few positions until a text asks for more. */
  private caches: readonly Tensor[]
  private bound: AttachedAdapter
  /** What the caches hold, by sequence. */
  private readonly prefixes: readonly [PrefixCache, PrefixCache]
  /** Who reads them, by sequence. */
  private readonly castings: [Casting | null, Casting | null] = [null, null]
  /** How many others are bound to the slots of roles, which stay as long as there are any. */
  private holders = 0

  private constructor({ caches, ...shared }: SharedParts, bound: AttachedAdapter) {
    this.shared = shared
    this.caches = caches
    this.bound = bound
    const createPrefix = (): PrefixCache => new PrefixCache(shared.context, shared.decoder.vocabulary)
    this.prefixes = [createPrefix(), createPrefix()]
  }

  /** Room for the first positions of one sequence, read with an adapter. @throws HycoraError `out-of-memory`. */
  static async create(
    shared: Omit<SharedParts, 'caches'>,
    adapter: Adapter,
    positions: number,
  ): Promise<Sequences> {
    const caches = createCaches(shared.gpu.device, shared.decoder, shared.form, {
      capacity: Math.min(positions, shared.context),
      sequences: 1,
    })
    const parts = { ...shared, caches }
    return new Sequences(parts, await attachAdapter(parts, adapter))
  }

  /** The adapter and what is bound to it. */
  get attached(): AttachedAdapter {
    return this.bound
  }

  get chat(): PrefixCache {
    return this.prefixes[CHAT]
  }

  get beside(): PrefixCache {
    return this.prefixes[BESIDE]
  }

  get cacheBytes(): number {
    return bytesOfTensors(this.caches)
  }

  private get device(): GPUDevice {
    return this.shared.gpu.device
  }

  /**
   * Puts another adapter in the place of the one before; what was read with that is not used again.
   *
   * @throws HycoraError as `createAdapter`, `out-of-memory`; the one before stays then.
   */
  async attach(create: () => Adapter | Promise<Adapter>): Promise<void> {
    let made: AttachedAdapter | undefined
    const make = async (): Promise<AttachedAdapter> =>
      (made = await attachAdapter({ ...this.shared, caches: this.caches }, await create()))
    const bound = await withDeviceErrors(this.device, 'the persona pack', make).catch((error: unknown) => {
      if (made) destroyAttached(made)
      throw error
    })
    destroyAttached(this.bound)
    this.bound = bound
    this.forget()
  }

  /** Nothing that was read counts. */
  forget(): void {
    for (const prefix of this.prefixes) prefix.clear()
  }

  /** Forgets the chat from a position on and takes up a casting. */
  startAt(position: number, casting: Casting | null): void {
    this.begin(CHAT, position, casting)
  }

  /** Runs at most `CHUNK_ROWS` tokens through the decoder, after what is in the cache of their sequence. */
  feed(ids: readonly number[], sequence: Sequence = CHAT): void {
    const first = this.prefixes[sequence].take(ids)
    const { workspace, plan } = this.bound
    this.device.queue.writeBuffer(workspace.tokens.buffer, 0, Uint32Array.from(ids))
    this.writeStep(ids.map((_, index) => ({ position: first + index, sequence })))
    submit(this.device, ids.length <= FEW_ROWS ? plan.few : plan.many, ids.length)
  }

  /** Makes room for a second sequence, once. @throws HycoraError `out-of-memory`; `usage` as `PrefixCache.expectPrompt`. */
  async openBeside(ids: readonly number[]): Promise<void> {
    this.beside.expectPrompt(ids)
    await this.reserve(ids.length, MAX_SEQUENCES)
  }

  /**
   * Makes room for so many positions, or all there may be, of so many sequences; twice as many as before where those are not
   * enough, so that a text is copied few times. What was submitted before goes on with the caches that it knows.
   *
   * @throws HycoraError `out-of-memory`; all stays as it was then.
   */
  async reserve(positions: number, sequences = 1): Promise<void> {
    const { device, caches } = this
    const { decoder, form, context } = this.shared
    const [before = 1, , , positionsBefore = 0] = caches[0]?.shape ?? []
    const wanted = Math.min(positions, context)
    if (wanted <= positionsBefore && sequences <= before) return
    const capacity =
      wanted <= positionsBefore ? positionsBefore : Math.min(context, Math.max(wanted, 2 * positionsBefore))
    const larger: Tensor[] = []
    try {
      this.bound = await withDeviceErrors(device, 'a longer chat, or a second reading of it,', () => {
        const room = { capacity, sequences: Math.max(sequences, before) }
        larger.push(...createCaches(device, decoder, form, room))
        copyCaches(device, caches, larger)
        return bindAnew({ ...this.shared, caches: larger }, this.bound)
      })
    } catch (error) {
      for (const { buffer } of larger) buffer.destroy()
      throw error
    }
    this.caches = larger
    for (const { buffer } of caches) buffer.destroy()
  }

  /** Keeps the slots of roles where they are until what it gives is called. */
  holdSlots(): () => void {
    this.holders++
    return () => {
      this.holders--
    }
  }

  /** Makes room for castings' matrices beside those of who has played; @returns as `reserveSlots`. */
  async reserveFor(castings: readonly (Casting | null)[]): Promise<boolean> {
    return this.reserveSlots(this.bound.adapter.slotsFor(castings.filter((casting) => casting !== null)))
  }

  /**
   * Makes room for the matrices of so many castings, as far as there may be so many. Where the device gives no more, the
   * least recently played makes room instead.
   *
   * @returns whether the adapter's buffers are others than before.
   */
  async reserveSlots(count: number): Promise<boolean> {
    const { device, caches } = this
    const { adapter } = this.bound
    if (this.holders > 0 || count <= adapter.room || adapter.room === adapter.slots) return false
    let before: RoleSlots | undefined
    try {
      this.bound = await withDeviceErrors(device, 'another role', () => {
        const more = adapter.createSlots(count)
        if (!more) return Promise.resolve(this.bound)
        before = adapter.useSlots(more)
        return bindAnew({ ...this.shared, caches }, this.bound)
      })
    } catch (error) {
      if (before) destroySlots(adapter.useSlots(before))
      if (asHycoraError(error, 'device-lost').code !== 'out-of-memory') throw error
      return false
    }
    if (before) destroySlots(before)
    return before !== undefined
  }

  /**
   * Reads what of the prompts is not in the caches yet; then, of one prompt, computes the logits of its last token, and of
   * two leaves the last tokens to the first step.
   *
   * @returns false where the signal came first.
   */
  async readPrompts(
    ids: readonly number[],
    leading: Leading | null,
    casting: Casting | null,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const [chat, other] = this.prefixes
    if (signal?.aborted) return false
    this.startAt(Math.min(chat.common(ids, casting), ids.length - 1), casting)
    if (!leading) {
      if (!(await this.read(ids, CHAT, signal))) return false
      submit(this.device, this.bound.plan.head, 1)
      this.writeStep([{ position: chat.length - 1, sequence: CHAT }])
      return true
    }
    if (!(await this.read(ids.slice(0, -1), CHAT, signal))) return false
    const { ids: beside, casting: reader } = leading
    this.begin(BESIDE, Math.min(other.common(beside, reader), beside.length - 1), reader)
    // What both have in common is read already, where the same reads it: keys and values hang on nothing that comes later.
    const shared = Math.min(chat.common(beside, reader), beside.length - 1)
    if (shared > other.length) {
      copyPositions(this.device, this.caches, other.length, shared)
      other.take(beside.slice(other.length, shared))
    }
    if (!(await this.read(beside.slice(0, -1), BESIDE, signal))) return false
    const last = [ids.slice(chat.length), beside.slice(other.length)]
    last.forEach((rest, sequence) => this.prefixes[sequence]?.take(rest))
    this.device.queue.writeBuffer(this.bound.workspace.tokens.buffer, 0, Uint32Array.from(last.flat()))
    this.writeStep([
      { position: ids.length - 1, sequence: CHAT },
      { position: beside.length - 1, sequence: BESIDE },
    ])
    return true
  }

  destroy(): void {
    destroyAttached(this.bound)
    for (const { buffer } of this.caches) buffer.destroy()
  }

  /**
   * Feeds a sequence's tokens behind those that are in the cache. No more than two chunks wait on the device, so that the
   * signal is heard in the middle of a long prompt.
   *
   * @returns false where the signal came first.
   */
  private async read(
    ids: readonly number[],
    sequence: Sequence,
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
    return hear(this.device, this.device.queue.onSubmittedWorkDone()).then(nothing, nothing)
  }

  /** Forgets a sequence from a position on; who reads it from there. */
  private begin(sequence: Sequence, position: number, casting: Casting | null): void {
    this.prefixes[sequence].startAt(position, casting)
    this.castings[sequence] = casting
  }

  /** Tells the kernels which rows come, with slot and scale of whoever plays. */
  private writeStep(places: readonly { readonly position: number; readonly sequence: Sequence }[]): void {
    const { workspace, adapter } = this.bound
    const rows = places.map((place) => ({ ...place, ...playing(adapter, this.castings[place.sequence]) }))
    this.device.queue.writeBuffer(workspace.step.buffer, 0, packRows(rows))
  }
}
