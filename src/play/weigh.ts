import { check } from '../core/errors.ts'
import type { Tokenizer } from '../formats/tokenizer.ts'
import { codecOf } from '../model/chatModel.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import { nextLogits } from '../model/decoder/nextLogits.ts'
import { logProbability, scoreTokens } from '../model/decoder/score.ts'
import { renderPrompt } from '../model/prompt.ts'
import { promptsFor } from './speak.ts'
import type { Cue, Voice } from './speak.ts'

/** A token of a text, as far as it writes anything, and ln p(token | all before it). */
export interface WeighedPiece {
  readonly text: string
  readonly logProbability: number
}

/** A token that might stand in a place. */
export interface Candidate {
  readonly text: string
  readonly probability: number
}

/** A text behind a cue: the token ids of both, and where the text begins. */
interface Saying {
  readonly ids: readonly number[]
  readonly first: number
}

/**
 * A text as the words with which a cue is answered; what the context has no room for is left out.
 *
 * @throws HycoraError `usage` where no word of it is left, and as `promptFor`.
 */
function sayingOf(voice: Voice, cue: Cue, text: string): Saying {
  const { tokenizer, template } = codecOf(voice.model, voice.name)
  const { prompt, input } = promptsFor(voice, cue)
  const turns = [...cue.turns, { speaker: 'role' as const, text }]
  const { ids } = renderPrompt(template, tokenizer, { ...input, turns, continueLast: true }, prompt.firstTurn)
  const differs = ids.findIndex((id, index) => id !== prompt.ids[index])
  const first = differs < 0 ? ids.length : differs
  const kept = ids.slice(0, voice.backbone.context)
  check(first > 0 && first < kept.length, 'usage', () => 'there are no words to weigh, expected at least one')
  return { ids: kept, first }
}

/**
 * How likely somebody is to answer a cue with a text: ln p of each of its tokens.
 *
 * @param casting who would say it; null is the bare backbone.
 * @throws HycoraError `usage` where there are no words, as `promptFor`, and what the backbone throws.
 */
export async function weighWords(
  voice: Voice,
  cue: Cue,
  text: string,
  casting: Casting | null,
): Promise<WeighedPiece[]> {
  const { ids, first } = sayingOf(voice, cue, text)
  const scores = await scoreTokens(
    voice.backbone,
    ids,
    ids.map((_, index) => index >= first),
    casting,
  )
  const stream = codecOf(voice.model, voice.name).tokenizer.stream()
  return ids.slice(first).map((id, index) => ({
    text: stream.push(id),
    logProbability: scores[index] ?? 0,
  }))
}

/**
 * What somebody would rather have said in a place of a text: its likeliest tokens, the likeliest first.
 *
 * @param piece the place, as `weighWords` counts.
 * @throws HycoraError `usage` where the text has no such place, as `promptFor`, and what the backbone throws.
 */
export async function likeliestAt(
  voice: Voice,
  cue: Cue,
  { text, piece, most }: { readonly text: string; readonly piece: number; readonly most: number },
  casting: Casting | null,
): Promise<Candidate[]> {
  const { ids, first } = sayingOf(voice, cue, text)
  check(piece >= 0 && first + piece < ids.length, 'usage', () => {
    return `the text has ${ids.length - first} tokens, there is none of number ${piece}`
  })
  const logits = await nextLogits(voice.backbone, ids.slice(0, first + piece), casting)
  const { tokenizer } = codecOf(voice.model, voice.name)
  return likeliest(logits, most).map((id) => ({
    text: textOf(tokenizer, id),
    probability: Math.exp(logProbability(logits, id)),
  }))
}

/** Ids of the greatest logits, in falling order; of equal ones the lower id first. */
function likeliest(logits: Float32Array, most: number): number[] {
  const found: number[] = []
  for (const [id, value] of logits.entries()) {
    const place = found.findLastIndex((other) => (logits[other] ?? 0) >= value) + 1
    if (place >= most) continue
    found.splice(place, 0, id)
    found.length = Math.min(found.length, most)
  }
  return found
}

/** What a token writes in the middle of a text. */
function textOf(tokenizer: Tokenizer, id: number): string {
  return tokenizer.decode([id])
}
