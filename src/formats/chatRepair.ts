import { asHycoraError, HycoraError } from '../core/errors.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A template as it is. @throws HycoraError `template-refused` when it refuses the conversation. */
export type RenderMessages = (messages: readonly ChatMessage[], addGenerationPrompt: boolean) => string

export interface Conversation {
  readonly messages: readonly ChatMessage[]
  /** The system text; null, and one of white space alone, means no system turn at all. */
  readonly system: string | null
  readonly addGenerationPrompt: boolean
  /** The token that begins every text, or the empty string. */
  readonly begin: string
}

/** The visitor's first turn where a template wants one and the chat has none: silence, in any language. */
export const SILENCE = '…'

/**
 * A conversation through a template that may not take it as it is: system texts among the messages become the visitor's,
 * turns of one speaker in a row are joined, a first turn of the visitor's is made, and a system text goes before the first
 * message, whichever the template asks for by refusing the conversation or by leaving out a part of it. Of the ways to say
 * it the first is taken in which nothing is missing.
 *
 * @throws HycoraError `template-refused` in the template's words when it takes none of them.
 */
export function renderRepaired(render: RenderMessages, conversation: Conversation): string {
  const { messages, system, addGenerationPrompt } = conversation
  const line = system?.trim() ? system : null
  const bare = (turns: readonly ChatMessage[]) => () =>
    withoutSystem(render, { ...conversation, messages: turns })
  const behind = (content: string, turns: readonly ChatMessage[]) => () =>
    render([{ role: 'system', content }, ...turns], addGenerationPrompt)
  const told = messages.map((message) =>
    message.role === 'system' ? { ...message, role: 'user' as const } : message,
  )
  const asTheyAre = messages.some(({ role }) => role === 'system') ? [messages, told] : [messages]
  const ways =
    line === null
      ? [...asTheyAre.map(bare), bare(alternating(told))]
      : [
          ...asTheyAre.map((turns) => behind(line, turns)),
          behind(line, alternating(told)),
          bare(before(line, told)),
          bare(alternating(before(line, told))),
        ]
  const contents = [...messages.map(({ content }) => content), line ?? ''].map((content) => content.trim())
  let whole: string | undefined
  let refusal: HycoraError | undefined
  for (const way of ways) {
    try {
      const text = way()
      if (contents.every((content) => text.includes(content))) return text
      whole ??= text
    } catch (error) {
      refusal ??= asHycoraError(error, 'template-refused')
    }
  }
  if (whole !== undefined) return whole
  throw refusal ?? new HycoraError('template-refused', 'the chat template gives no text')
}

/**
 * The visitor first, then by turns; messages of one speaker in a row become one, a blank line between them, and those
 * that say nothing are left out.
 */
function alternating(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const said = messages.filter(({ content }) => content.trim() !== '')
  const turns: ChatMessage[] = said[0]?.role === 'user' ? [] : [{ role: 'user', content: SILENCE }]
  for (const message of said) {
    const last = turns.at(-1)
    if (last?.role === message.role) {
      turns[turns.length - 1] = { ...last, content: `${last.content}\n\n${message.content}` }
    } else {
      turns.push(message)
    }
  }
  return turns
}

/** The system text before the visitor's first message, or as that message where the other speaks first. */
function before(line: string, messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const [first, ...rest] = messages
  return first?.role === 'user'
    ? [{ ...first, content: `${line}\n\n${first.content}` }, ...rest]
    : [{ role: 'user', content: line }, ...messages]
}

/**
 * A conversation without any system turn, not even the one that many templates write by themselves: rendered behind an
 * empty one, which is then cut off.
 */
function withoutSystem(
  render: RenderMessages,
  { messages, addGenerationPrompt, begin }: Omit<Conversation, 'system'>,
): string {
  const empty: ChatMessage = { role: 'system', content: '' }
  const plain = tryRender(() => render(messages, addGenerationPrompt))
  const prefix = tryRender(() => render([empty], false))
  const full = tryRender(() => render([empty, ...messages], addGenerationPrompt))
  // A template that takes no system turn adds none either.
  const hasNone = prefix instanceof HycoraError || full instanceof HycoraError || !full.startsWith(prefix)
  if (hasNone) return orThrow(plain)
  const rest = full.slice(prefix.length)
  // What begins every text stands before the system turn, of which it is no part.
  const isBegun = begin !== '' && rest !== '' && prefix.startsWith(begin) && !rest.startsWith(begin)
  const cut = isBegun ? begin + rest : rest
  if (plain instanceof HycoraError) return cut
  return addsSystem(plain, cut, prefix) ? cut : plain
}

/** Whether a text has a system turn that nobody asked for: it is longer than without, by more than control tokens. */
function addsSystem(plain: string, cut: string, prefix: string): boolean {
  // The empty system turn left a trace of its own.
  if (plain.length <= cut.length) return false
  const opening = plain.slice(0, plain.length - cut.length)
  const isOpening = plain.endsWith(cut) && prefix.startsWith(opening) && !/\s/.test(opening)
  return !isOpening
}

function tryRender(render: () => string): string | HycoraError {
  try {
    return render()
  } catch (error) {
    return asHycoraError(error, 'template-refused')
  }
}

function orThrow(text: string | HycoraError): string {
  if (text instanceof HycoraError) throw text
  return text
}
