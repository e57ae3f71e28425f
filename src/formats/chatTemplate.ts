import { Template } from '@huggingface/jinja'

import { asHycoraError, check, HycoraError } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import { renderRepaired } from './chatRepair.ts'
import type { ChatMessage } from './chatRepair.ts'
import { closeThought } from './thoughts.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface ChatTemplateInput {
  readonly messages: readonly ChatMessage[]
  /**
   * The system text; null, or white space alone, means no system turn at all, not even the one that the template adds by
   * itself.
   */
  readonly system: string | null
  /** Whether the text ends where the assistant's next turn begins. */
  readonly addGenerationPrompt: boolean
  /** Whether the last message, the assistant's, is left open for generation to continue. */
  readonly continueLast?: boolean
}

export interface ChatTemplate {
  /**
   * The text of a conversation, control tokens spelt out; one that the template does not take as it is is repaired as
   * `renderRepaired` has it. A thought that the template opens for the assistant's next turn is closed again.
   *
   * @throws HycoraError `usage` when `continueLast` meets another speaker's message; `template-refused` when the
   * template refuses the conversation however it is repaired.
   */
  render(input: ChatTemplateInput): string
}

const CONFIG_FILE = 'tokenizer_config.json'
/** What templates of models that can think ask, each family by its own name. */
const NO_THINKING = { enable_thinking: false, thinking: false }
/** What Hugging Face's library gives every template: templates ask whether it is none, and not whether it is there. */
const NO_TOOLS = { tools: null, documents: null }
const MAX_TEMPLATE_CHARACTERS = 2 ** 18
/** Marks the end of a message's content; of the private use area, so that no message holds it. */
const MARK = '\u{10fffd}\u{f0000}\u{10fffd}'

/**
 * The chat template of a backbone: of `chat_template.jinja` where there is one, else of tokenizer_config.json.
 *
 * @throws HycoraError `format-unsupported` when there is none, `format-invalid` when it does not parse.
 */
export function loadChatTemplate(tokenizerConfig: unknown, separateTemplate?: string): ChatTemplate {
  const config = isJsonRecord(tokenizerConfig) ? tokenizerConfig : {}
  const source = separateTemplate ?? chatTemplateSource(tokenizerConfig)
  check(source !== undefined, 'format-unsupported', () => `${CONFIG_FILE} has no chat_template`)
  check(source.length <= MAX_TEMPLATE_CHARACTERS, 'format-invalid', () => {
    return `the chat template has ${source.length} characters, at most ${MAX_TEMPLATE_CHARACTERS} are read`
  })
  const template = parseTemplate(source)
  const tokens = Object.fromEntries(
    ['bos_token', 'eos_token', 'pad_token', 'unk_token'].map((key) => [key, tokenText(config, key) ?? '']),
  )
  const plain = (messages: readonly ChatMessage[], addGenerationPrompt: boolean): string => {
    try {
      return template.render({
        ...tokens,
        ...NO_THINKING,
        ...NO_TOOLS,
        messages,
        add_generation_prompt: addGenerationPrompt,
      })
    } catch (error) {
      const { message } = asHycoraError(error, 'template-refused')
      throw new HycoraError('template-refused', `the chat template refuses the chat: ${message}`, {
        cause: error,
      })
    }
  }

  const repaired = (
    messages: readonly ChatMessage[],
    system: string | null,
    addGenerationPrompt: boolean,
  ): string => {
    const conversation = { messages, system, addGenerationPrompt, begin: tokens['bos_token'] ?? '' }
    const text = renderRepaired(plain, conversation)
    return addGenerationPrompt ? closeThought(text) : text
  }
  /** The text up to the end of the last message; null where the template refuses it or leaves it out. */
  const upToEnd = (messages: readonly ChatMessage[], system: string | null): string | null => {
    const marked = messages.map((message, index) =>
      index === messages.length - 1 ? { ...message, content: message.content + MARK } : message,
    )
    try {
      const text = repaired(marked, system, false)
      const end = text.lastIndexOf(MARK)
      return end < 0 ? null : text.slice(0, end)
    } catch (error) {
      if (error instanceof HycoraError && error.code === 'template-refused') return null
      throw error
    }
  }

  return {
    render({ messages, system, addGenerationPrompt, continueLast = false }) {
      if (!continueLast) return repaired(messages, system, addGenerationPrompt)
      const last = messages.at(-1)
      check(last?.role === 'assistant', 'usage', () => {
        return `the last message is the ${last?.role ?? 'none'}'s, expected the assistant's to continue it`
      })
      // Where the template wants the visitor to have spoken last, what was said stands behind the reply's beginning.
      return upToEnd(messages, system) ?? repaired(messages.slice(0, -1), system, true) + last.content
    },
  }
}

function parseTemplate(source: string): Template {
  try {
    return new Template(source)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HycoraError('format-invalid', `the chat template does not parse: ${reason}`, { cause: error })
  }
}

/** The template of a file that may have one: by itself, or the one called default in a list of named ones. */
export function chatTemplateSource(config: unknown): string | undefined {
  const value = isJsonRecord(config) ? ownField(config, 'chat_template') : undefined
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return undefined
  const named = value.filter(isJsonRecord)
  const chosen = named.find((entry) => ownField(entry, 'name') === 'default') ?? named[0]
  const text = chosen && ownField(chosen, 'template')
  return typeof text === 'string' ? text : undefined
}

/** A special token of tokenizer_config.json, given as text or as an object with `content`. */
function tokenText(config: JsonRecord, key: string): string | undefined {
  const value = ownField(config, key)
  const text = isJsonRecord(value) ? ownField(value, 'content') : value
  return typeof text === 'string' ? text : undefined
}

/**
 * The ids that end a character's turn: first the control token that the template writes after an assistant's message
 * (what training puts after a reply), then `eos_token_id` of generation_config.json and `eos_token` of
 * tokenizer_config.json.
 *
 * @param template what `loadChatTemplate` gave, where the template does not lie in tokenizer_config.json.
 */
export function endOfTurnIds(
  tokenizer: Tokenizer,
  tokenizerConfig: unknown,
  generationConfig: unknown,
  template?: ChatTemplate,
): number[] {
  const ids: unknown[] = []
  const config = isJsonRecord(tokenizerConfig) ? tokenizerConfig : {}
  const isTemplated = template !== undefined || chatTemplateSource(config) !== undefined
  if (isTemplated) ids.push(templateEnd(tokenizer, template ?? loadChatTemplate(config)))
  if (isJsonRecord(generationConfig)) ids.push(ownField(generationConfig, 'eos_token_id'))
  const token = tokenText(config, 'eos_token')
  if (token !== undefined) ids.push(tokenizer.tokenId(token))
  return [...new Set(ids.flat())].filter((id): id is number => Number.isSafeInteger(id) && Number(id) >= 0)
}

/** The first added token after an assistant's message that is no white space. */
function templateEnd(tokenizer: Tokenizer, template: ChatTemplate): number | undefined {
  const messages: readonly ChatMessage[] = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: MARK },
  ]
  const text = template.render({ messages, system: null, addGenerationPrompt: false })
  const tail = text.slice(text.lastIndexOf(MARK) + MARK.length)
  return tokenizer
    .encode(tail)
    .find((id) => tokenizer.addedIds.has(id) && tokenizer.decode([id]).trim() !== '')
}
