import type { AnswerEnd, StopReason, Turn } from '../core/dialogue.ts'
import { remark } from '../core/remarks.ts'
import type { Remark } from '../core/remarks.ts'
import type { Sampling } from '../core/sampling.ts'
import type { Backbone, Casting } from '../model/decoder/backbone.ts'
import { filterThoughts, withoutThoughts } from '../formats/thoughts.ts'
import type { Tokenizer } from '../formats/tokenizer.ts'
import { codecOf } from '../model/chatModel.ts'
import type { TextModel } from '../model/chatModel.ts'
import { buildPrompt, cutText, renderPrompt, sizeOfTurn } from '../model/prompt.ts'
import type { Aside, Prompt, PromptInput } from '../model/prompt.ts'
import { findLoop } from './findLoop.ts'
import { sentenceEndsOf } from './sentenceEnds.ts'
import { filterStops, textBefore } from './stopStrings.ts'

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
  /** What stands among the turns and is none of them; it goes where the last turn needs the room. */
  readonly asides?: readonly Aside[]
}

/** How it is to be answered. */
export interface Delivery {
  /** Who plays; null is the bare backbone. */
  readonly casting: Casting | null
  readonly sampling: Sampling
  readonly maxTokens: number
  /** Strings before which the answer ends. */
  readonly stops?: readonly string[]
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
export const SYSTEM_SHARE = 0.5

/** Tokens that a template may spend around all turns. */
const SPARE_TOKENS = 32

/** The share of the context that a long chat leaves free for the answer. */
const ANSWER_SHARE = 0.25

/** Tokens that a chat may take of a context, where the answer is not known to be shorter than its share. */
export function roomOf(context: number, maxTokens = Infinity): number {
  return Math.floor(Math.max(1, context - maxTokens, context * (1 - ANSWER_SHARE)))
}

/**
 * What a backbone reads before it answers: the newest turns that find room. A long chat leaves the answer a share of the
 * context, or all that it may have where that is less; a long system text makes room for the chat.
 *
 * @param maxTokens of the answer; left out, it is not known yet.
 * @throws HycoraError `format-invalid` where the backbone cannot read text, `usage` when even the last turn does not fit.
 */
export function promptFor(voice: Voice, cue: Cue, maxTokens = Infinity): Prompt {
  return promptsFor(voice, cue, maxTokens).prompt
}

/** What is read before an answer. */
export interface Prompts {
  readonly prompt: Prompt
  /**
   * The same chat with another last message of the visitor's and without what that called, which guidance leads away from;
   * null where there is none to replace.
   */
  readonly beside: Prompt | null
  /** What it was made of: as much of the cue as finds room. */
  readonly input: PromptInput
  /** What found no room. */
  readonly leftOut: readonly Remark[]
}

/** What stands in place of the visitor's last message: whatever it was, it was not this that was to be answered. */
const NEUTRAL = 'Go on.'

/** What a backbone reads before it answers with guidance. @throws HycoraError as `promptFor`. */
export function promptsFor(voice: Voice, cue: Cue, maxTokens = Infinity): Prompts {
  const { tokenizer, template } = codecOf(voice.model, voice.name)
  const { context } = voice.backbone
  const room = roomOf(context, maxTokens)
  const { turns, continueLast = false, asides = [] } = cue
  const sizeOf = (texts: readonly { readonly text: string }[]): number =>
    texts.reduce((size, { text }) => size + sizeOfTurn(tokenizer, text), 0)
  // Whatever else there is, the last turn is read.
  const spare = Math.max(0, room - sizeOf(turns.slice(-1)) - SPARE_TOKENS)
  const kept = sizeOf(asides) <= spare ? asides : []
  const most = Math.min(Math.floor(room * SYSTEM_SHARE), spare - sizeOf(kept))
  const system = cue.system && cutText(tokenizer, cue.system, most)
  const input = { system, turns, continueLast, asides: kept }
  const prompt = buildPrompt(template, tokenizer, input, room)
  const leftOut = [
    ...(system === cue.system ? [] : [remark('room.system')]),
    ...(kept === asides ? [] : [remark('room.asides')]),
  ]
  const asked = turns.findLastIndex(({ speaker }) => speaker === 'user')
  if (asked < prompt.firstTurn) return { prompt, beside: null, input, leftOut }
  const others = turns.with(asked, { speaker: 'user', text: NEUTRAL })
  const uncalled = kept.filter(({ isCalled }) => !isCalled)
  const away = { ...input, turns: others, asides: uncalled }
  const beside = renderPrompt(template, tokenizer, away, prompt.firstTurn)
  const isOther = beside.text !== prompt.text && beside.ids.length < context
  return { prompt, beside: isOther ? beside : null, input, leftOut }
}

/**
 * Gives somebody the word: answers a cue token by token, until the model ends its turn, the most tokens are said, it comes to
 * a string that ends the answer, or it begins to say the same over and over.
 *
 * @throws HycoraError as `promptFor`, and what the backbone throws.
 */
export function speak(voice: Voice, cue: Cue, delivery: Delivery): AsyncGenerator<Piece, Answer> {
  const { prompt, beside } = promptsFor(voice, cue, delivery.maxTokens)
  return utter(voice, prompt.ids, delivery, beside?.ids)
}

/**
 * Speaks on behind token ids, whatever they are; what the model thinks is not said.
 *
 * @param beside what guidance leads away from; without it there is none.
 * @throws HycoraError as `speak`.
 */
export async function* utter(
  { model, backbone, name }: Voice,
  ids: readonly number[],
  { casting, sampling, maxTokens, stops = [], said = [], signal }: Delivery,
  beside?: readonly number[],
): AsyncGenerator<Piece, Answer> {
  const { tokenizer } = codecOf(model, name)
  const speech = openUtterance(tokenizer, said, stops)
  const words = backbone.generate({
    ids: [...ids, ...said],
    casting,
    sampling: { ...sampling, endAfter: Math.max(0, sampling.endAfter - said.length) },
    ...(beside && { beside: [...beside, ...said] }),
    ...(sampling.endBonus !== 0 && { sentenceEnds: sentenceEndsOf(tokenizer) }),
    maxTokens: maxTokens - said.length,
    stopIds: model.stopIds,
    ...(signal && { signal }),
  })
  for (;;) {
    const { done, value } = await words.next()
    if (done) return speech.end(value)
    yield speech.take(value)
    const whole = speech.over()
    if (!whole) continue
    await words.return('cancelled' satisfies StopReason)
    return whole
  }
}

/** What is said of an answer, token by token. */
export interface Utterance {
  take(id: number): Piece
  /** The answer as it is, where it has come to a string that ends it, or has begun to say the same over and over. */
  over(): Answer | null
  end(stop: AnswerEnd): Answer
}

/** Begins an answer, or goes on behind tokens of it; what the model thinks is not said. */
export function openUtterance(
  tokenizer: Tokenizer,
  said: readonly number[],
  stops: readonly string[],
): Utterance {
  const stream = tokenizer.stream()
  const aloud = filterThoughts()
  const upTo = filterStops(stops)
  const tokens = [...said]
  for (const id of said) upTo.push(aloud.push(stream.push(id)))
  const answer = (length: number, stop: AnswerEnd): Answer => {
    const text = withoutThoughts(tokenizer.decode(tokens.slice(0, length)))
    const before = textBefore(text, stops)
    return { text: before ?? text, tokens, stop: before === null ? stop : 'stop' }
  }
  return {
    take(id) {
      tokens.push(id)
      return { id, text: upTo.push(aloud.push(stream.push(id))) }
    },
    over() {
      if (upTo.isOver) return answer(tokens.length, 'stop')
      const kept = findLoop(tokens)
      return kept === null ? null : answer(kept, 'loop')
    },
    end: (stop) => answer(tokens.length, stop),
  }
}

/** The whole answer of `speak`, or of `utter`. */
export async function wholeAnswer(speech: AsyncGenerator<Piece, Answer>): Promise<Answer> {
  for (;;) {
    const { done, value } = await speech.next()
    if (done) return value
  }
}
