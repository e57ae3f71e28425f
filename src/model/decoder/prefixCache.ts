import { check } from '../../core/errors.ts'
import type { Casting } from './backbone.ts'

/** Which tokens a cache of keys and values holds, by position, and for whom they were computed. */
export class PrefixCache {
  /** The most positions. */
  readonly context: number
  private readonly vocabulary: number
  private readonly ids: number[] = []
  private owner = ''

  constructor(context: number, vocabulary: number) {
    this.context = context
    this.vocabulary = vocabulary
  }

  get length(): number {
    return this.ids.length
  }

  /** How many tokens of a text are here, computed for this casting. */
  common(ids: readonly number[], casting: Casting | null): number {
    if (this.owner !== JSON.stringify(casting)) return 0
    const differing = ids.findIndex((id, index) => this.ids[index] !== id)
    return differing < 0 ? ids.length : differing
  }

  /** Forgets what stands from a position on; what follows is computed for this casting. */
  startAt(position: number, casting: Casting | null): void {
    this.ids.length = position
    this.owner = JSON.stringify(casting)
  }

  /** Forgets what stands from a position on, where anything does. */
  cut(position: number): void {
    this.ids.length = Math.min(this.ids.length, position)
  }

  /** Forgets everything: whatever computes has changed. */
  clear(): void {
    this.startAt(0, null)
  }

  /**
   * Takes note of tokens that are read after those that are here.
   *
   * @returns the position of the first of them.
   * @throws HycoraError `usage` where there is no room for them, or one is no token of the vocabulary.
   */
  take(ids: readonly number[]): number {
    const first = this.ids.length
    const end = first + ids.length
    check(end <= this.context, 'usage', () => {
      return `${end} tokens were to be read, this backbone holds ${this.context} here`
    })
    const outside = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.vocabulary)
    check(outside === undefined, 'usage', () => {
      return `token id ${outside} is outside the vocabulary of ${this.vocabulary}`
    })
    this.ids.push(...ids)
    return first
  }

  /** @throws HycoraError `usage` for a prompt that is empty, or leaves no room for an answer. */
  expectPrompt(ids: readonly number[]): void {
    check(ids.length > 0, 'usage', () => 'the prompt is empty')
    check(ids.length < this.context, 'usage', () => {
      return `the prompt has ${ids.length} tokens, this backbone holds ${this.context} here`
    })
  }
}
