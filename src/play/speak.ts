import type { AnswerEnd, StopReason, Turn } from '../core/dialogue.ts'
import type { Sampling } from '../core/sampling.ts'
import type { Backbone, Casting } from '../model/decoder/backbone.ts'
import { filterThoughts, withoutThoughts } from '../formats/thoughts.ts'
import { codecOf } from '../model/chatModel.ts'
import type { TextModel } from '../model/chatModel.ts'
import { buildPrompt, cutText } from '../model/prompt.ts'
import type { Prompt } from '../model/prompt.ts'
import { findLoop } from './findLoop.ts'

/** A backbone that reads and writes text. */
export interface Voice {
  /** For messages. */
  readonly name: string
  readonly model: TextModel
  readonly backbone: Backbone
}

/** What is to be answered, or carried on. */
export interface Cue {
  /** The system text; null means no system turn at all. */
  readonly system: string | null
  readonly turns: readonly Turn[]
  /** The last turn is the role's own and is carried on. */
  readonly continueLast?: boolean
}

/** How it is to be answered. */
export interface Delivery {
  /** Who plays; null is the bare backbone. */
  readonly casting: Casting | null
  readonly sampling: Sampling
  readonly maxTokens: number
  /** Tokens of this very answer that were said before it was interrupted; it goes on behind them. */
  readonly said?: readonly number[]
  readonly signal?: AbortSignal
}

/** A token of an answer, and the text that it completes; none while the model thinks. */
export interface Piece {
  readonly id: number
  readonly text: string
}

/** An answer, from its first token; what was thought and a loop at its end are left out of the text. */
export interface Answer {
  readonly text: string
  readonly tokens: readonly number[]
  readonly stop: AnswerEnd
}

/** The share of the prompt that the system text may take. */
const SYSTEM_SHARE = 0.5

/** The share of the context that a long chat leaves free for the answer. */
const ANSWER_SHARE = 0.25

/**
 * What a backbone reads before it answers: the newest turns that find room. A long chat leaves the answer a share of the
 * context, or all that it may have where that is less; a long system text makes room for the chat.
 *
 * @param maxTokens of the answer; left out, it is not known yet.
 * @throws HycoraError `format-invalid` where the backbone cannot read text, `usage` when even the last turn does not fit.
 */
export function promptFor(voice: Voice, cue: Cue, maxTokens = Infinity): Prompt {
  const { tokenizer, template } = codecOf(voice.model, voice.name)
  const { context } = voice.backbone
  const room = Math.floor(Math.max(1, context - maxTokens, context * (1 - ANSWER_SHARE)))
  const system = cue.system && cutText(tokenizer, cue.system, Math.floor(room * SYSTEM_SHARE))
  const { turns, continueLast = false } = cue
  return buildPrompt(template, tokenizer, { system, turns, continueLast }, room)
}

/**
 * Gives somebody the word: answers a cue token by token, until the model ends its turn, the most tokens are said, or it
 * begins to say the same over and over.
 *
 * @throws HycoraError as `promptFor`, and what the backbone throws.
 */
export function speak(voice: Voice, cue: Cue, delivery: Delivery): AsyncGenerator<Piece, Answer> {
  return utter(voice, promptFor(voice, cue, delivery.maxTokens).ids, delivery)
}

/** Speaks on behind token ids, whatever they are; what the model thinks is not said. @throws HycoraError as `speak`. */
export async function* utter(
  { model, backbone, name }: Voice,
  ids: readonly number[],
  { casting, sampling, maxTokens, said = [], signal }: Delivery,
): AsyncGenerator<Piece, Answer> {
  const { tokenizer } = codecOf(model, name)
  const stream = tokenizer.stream()
  const aloud = filterThoughts()
  const tokens = [...said]
  for (const id of said) aloud.push(stream.push(id))
  const words = backbone.generate({
    ids: [...ids, ...said],
    casting,
    sampling,
    maxTokens: maxTokens - said.length,
    stopIds: model.stopIds,
    ...(signal && { signal }),
  })
  for (;;) {
    const { done, value } = await words.next()
    if (done) return { text: withoutThoughts(tokenizer.decode(tokens)), tokens, stop: value }
    tokens.push(value)
    yield { id: value, text: aloud.push(stream.push(value)) }
    const kept = findLoop(tokens)
    if (kept === null) continue
    await words.return('cancelled' satisfies StopReason)
    return { text: withoutThoughts(tokenizer.decode(tokens.slice(0, kept))), tokens, stop: 'loop' }
  }
}

/** The whole answer of `speak`, or of `utter`. */
export async function wholeAnswer(speech: AsyncGenerator<Piece, Answer>): Promise<Answer> {
  for (;;) {
    const { done, value } = await speech.next()
    if (done) return value
  }
}
