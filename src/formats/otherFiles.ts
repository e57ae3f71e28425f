import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'

/*
 * What people drop that is neither a character, a chat nor lines: told by name, so that they know what they have.
 */

const SAMPLERS = [
  'temperature',
  'temp',
  'top_p',
  'top_k',
  'min_p',
  'typical_p',
  'rep_pen',
  'repetition_penalty',
  'frequency_penalty',
  'presence_penalty',
  'max_new_tokens',
  'genamt',
  'top_a',
  'tfs',
]

const TEMPLATE = 'an instruction template, from text generation web UI'

const CHATGPT = 'an export of ChatGPT: what was said there is not read'

/** Keys that only one kind of file has, all of them, and what it is. */
const KINDS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['personas', 'persona_descriptions'], 'the personas of a visitor, from SillyTavern'],
  [['prompts', 'prompt_order'], 'a preset of prompts, from SillyTavern'],
  [['input_sequence', 'output_sequence'], 'an instruct template, from SillyTavern'],
  [['story_string'], 'a context template, from SillyTavern'],
  [['turn_template'], TEMPLATE],
  [['findRegex', 'replaceString'], 'a script of regular expressions, from SillyTavern'],
  [['quickReplySlots'], 'a set of quick replies, from SillyTavern'],
  [['qrList'], 'a set of quick replies, from SillyTavern'],
  [['main_text_color', 'blur_strength'], 'a theme, from SillyTavern'],
  [['members', 'chat_id'], 'a group, from SillyTavern, with nobody in it'],
  [['mapping', 'current_node'], CHATGPT],
  [['scenarioVersion', 'prompt'], 'a scenario of NovelAI'],
  [['presetVersion', 'parameters'], 'a preset of NovelAI'],
  [
    ['peft_type', 'base_model_name_or_path'],
    'the configuration of a PEFT adapter: drop the folder with its weights',
  ],
  [['model_type', 'architectures'], 'the configuration of a model'],
  [['added_tokens', 'normalizer', 'pre_tokenizer'], 'a tokenizer'],
]

/** What a JSON value is that nothing can be made of here, with an article; null for what is not known. */
export function otherKind(value: unknown): string | null {
  if (Array.isArray(value)) {
    const entries = value.filter(isJsonRecord)
    return entries.length > 0 && entries.every((entry) => Object.hasOwn(entry, 'mapping')) ? CHATGPT : null
  }
  if (!isJsonRecord(value)) return null
  const has = (key: string): boolean => Object.hasOwn(value, key)
  const found = KINDS.find(([keys]) => keys.every(has))
  return (
    agnaiKind(value) ??
    risuKind(value) ??
    found?.[1] ??
    (SAMPLERS.filter(has).length >= 2 ? 'a preset of samplers' : null)
  )
}

/** What the settings of another program are that a text holds as YAML; null for what is not known. */
export function otherYaml(text: string): string | null {
  const keys = new Set(text.slice(0, 4096).match(/^[a-z_]+(?=:)/gm))
  if (keys.has('turn_template')) return TEMPLATE
  return SAMPLERS.filter((key) => keys.has(key)).length >= 2 ? 'a preset of samplers' : null
}

function agnaiKind(value: JsonRecord): string | null {
  switch (ownField(value, 'kind')) {
    case 'preset':
    case 'gen-setting':
      return 'a preset of Agnai'
    case 'persona':
      return 'a persona of a visitor'
    default:
      return null
  }
}

function risuKind(value: JsonRecord): string | null {
  const [type, data] = [ownField(value, 'type'), ownField(value, 'data')]
  if (type === 'regex' && Array.isArray(data)) return 'a script of regular expressions, from RisuAI'
  if (type === 'risuModule') return 'a module of RisuAI'
  return type === 'preset' || type === 'risuPreset' ? 'a preset of RisuAI' : null
}
