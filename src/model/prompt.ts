import type { Turn } from '../core/dialogue.ts'
import { HycoraError } from '../core/errors.ts'
import type { ChatMessage } from '../formats/chatRepair.ts'
import type { ChatTemplate } from '../formats/chatTemplate.ts'
import { withoutThoughts } from '../formats/thoughts.ts'
import type { Tokenizer } from '../formats/tokenizer.ts'

/** A text among the turns that is no turn of the chat. */
export interface Aside {
  /** The turn before which it stands; their number for the end. */
  readonly index: number
  readonly role: ChatMessage['role']
  readonly text: string
  /** Whether what was said called it: guidance then leads to it, away from the same chat without it. */
  readonly isCalled?: boolean
}

export interface PromptInput {
  /** The system text; null means no system turn at all. */
  readonly system: string | null
  readonly turns: readonly Turn[]
  /** The last turn is the role's own and is carried on. */
  readonly continueLast: boolean
  /** In their order; those before the first turn that finds room stand before it. */
  readonly asides?: readonly Aside[]
}

export interface Prompt {
  readonly text: string
  readonly ids: readonly number[]
  /** Index of the first turn that found room. */
  readonly firstTurn: number
}

/** A chat from one of its turns on as the model reads it. */
export function renderPrompt(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  { system, turns, continueLast, asides = [] }: PromptInput,
  firstTurn: number,
): Prompt {
  const asidesAt = (place: number): readonly ChatMessage[] =>
    asides
      .filter(({ index }) => Math.max(firstTurn, index) === place)
      .map(({ role, text: content }) => ({ role, content: tokenizer.quote(content) }))
  // What the model thought before it spoke is no part of the chat.
  const spoken = turns.slice(firstTurn).flatMap(({ speaker, text }, at): readonly ChatMessage[] => {
    const content = tokenizer.quote(speaker === 'user' ? text : withoutThoughts(text))
    return [...asidesAt(firstTurn + at), { role: speaker === 'user' ? 'user' : 'assistant', content }]
  })
  const messages = [...spoken, ...asidesAt(Math.max(firstTurn, turns.length))]
  const text = template.render({
    messages,
    system: system === null ? null : tokenizer.quote(system),
    addGenerationPrompt: true,
    continueLast,
  })
  return { text: tokenizer.unquote(text), ids: tokenizer.encode(text), firstTurn }
}

/** Tokens that a template spends around a turn, roughly; what is sent is counted exactly in the end. */
const TURN_OVERHEAD = 8

/** About how many tokens a turn takes. */
export function sizeOfTurn(tokenizer: Tokenizer, text: string): number {
  return tokenizer.encode(tokenizer.quote(text)).length + TURN_OVERHEAD
}

/** The share of the room that stays filled after a cut. */
const KEPT_SHARE = 0.75

/**
 * Where a chat is cut, found by following it from its first turn: whenever it outgrows the room, the oldest turns go until
 * three quarters are left. So the cut stays where it is for several turns, and what the model has read of the rest need
 * not be computed again each time.
 */
function findCut(sizes: readonly number[], room: number): number {
  let first = 0
  let filled = 0
  for (const [index, size] of sizes.entries()) {
    filled += size
    if (filled <= room) continue
    while (first < index && filled > room * KEPT_SHARE) filled -= sizes[first++] ?? 0
  }
  return first
}

/** What counts and cuts texts. */
export type TextCounter = Pick<Tokenizer, 'encode' | 'decode' | 'quote'>

/** The beginning of a text that has at most so many tokens, without half a character at its end. */
export function cutText(tokenizer: TextCounter, text: string, most: number): string {
  const ids = tokenizer.encode(tokenizer.quote(text))
  return ids.length <= most ? text : tokenizer.decode(ids.slice(0, most)).replace(/\uFFFD+$/, '')
}

/**
 * The prompt for a chat, its oldest turns left out, whole, until it has at most `room` tokens.
 *
 * @throws HycoraError `usage` when even the last turn alone does not fit.
 */
export function buildPrompt(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  input: PromptInput,
  room: number,
): Prompt {
  const whole = renderPrompt(template, tokenizer, input, 0)
  if (whole.ids.length <= room) return whole
  const { turns, system, asides = [] } = input
  const sizes = turns.map(({ text }) => sizeOfTurn(tokenizer, text))
  const base = [system ?? '', ...asides.map(({ text }) => text)]
    .map((text) => sizeOfTurn(tokenizer, text))
    .reduce((sum, size) => sum + size, 0)
  let firstTurn = findCut(sizes, Math.max(0, room - base))
  let cut = renderPrompt(template, tokenizer, input, firstTurn)
  while (cut.ids.length > room && firstTurn < turns.length - 1) {
    firstTurn++
    cut = renderPrompt(template, tokenizer, input, firstTurn)
  }
  if (cut.ids.length > room) {
    throw new HycoraError(
      'usage',
      `the last message has ${cut.ids.length} tokens, there is room for ${room}: shorten it`,
    )
  }
  return cut
}
