import type { Backbone, Casting, GenerateRequest } from '../../src/model/decoder/backbone.ts'
import type { DecoderShape } from '../../src/model/decoder/decoder.ts'

export interface ToyWords {
  /** For each role of the pack the tokens it favours. */
  readonly favoured: readonly ReadonlySet<number>[]
  /** For each role the ids it answers with; the last list is the bare backbone's. */
  readonly answers: readonly (readonly number[])[]
  readonly vocabulary: number
  readonly context?: number
}

/** A language model without weights: every token is as likely as any other, a role's favoured ones e² times as likely. */
export class ToyBackbone implements Backbone {
  readonly shape: DecoderShape
  readonly context: number
  readonly affordsGuidance = true
  /** The prompts that were answered. */
  readonly prompts: (readonly number[])[] = []
  readonly requests: GenerateRequest[] = []
  private readonly words: ToyWords

  constructor(words: ToyWords) {
    this.words = words
    this.context = words.context ?? 512
    this.shape = { vocabulary: words.vocabulary } as DecoderShape
  }

  gpuBytes() {
    return { weights: 0, cache: 0, adapter: 0, workspace: 0 }
  }

  async attach(): Promise<void> {}

  async logits(ids: readonly number[], casting: Casting | null): Promise<Float32Array> {
    if (ids.length > this.context) throw new Error(`${ids.length} tokens in a context of ${this.context}`)
    const { vocabulary, favoured } = this.words
    const row = new Float32Array(vocabulary)
    for (const id of favoured[casting?.parts[0]?.role ?? -1] ?? []) row[id] = 2
    const result = new Float32Array(ids.length * vocabulary)
    for (let index = 0; index < ids.length; index++) result.set(row, index * vocabulary)
    return result
  }

  step(id: number): Promise<Float32Array> {
    return this.logits([id], null)
  }

  async *generate(request: GenerateRequest): AsyncGenerator<number, 'end'> {
    const { ids, casting, maxTokens } = request
    this.prompts.push(ids)
    this.requests.push(request)
    const { answers } = this.words
    const answer = (casting ? answers[casting.parts[0]!.role] : answers.at(-1)) ?? []
    yield* answer.slice(0, maxTokens)
    return 'end'
  }

  destroy(): void {}
}
