import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { agnaiBook } from './lore/loreFile.ts'

/** A character as another program keeps it, in the form of a Character Card. */
export interface OtherCharacter {
  readonly program: string
  /** Fields of V3; what they have no place for stands in `extensions`, under the program's name. */
  readonly data: JsonRecord
}

/** A character of another program; null for what is none that is known, character cards among it. */
export function readOtherCharacter(whole: JsonRecord): OtherCharacter | null {
  for (const read of READERS) {
    const found = read(whole)
    if (found) return found
  }
  return null
}

function textOf(record: JsonRecord, ...keys: readonly string[]): string {
  for (const key of keys) {
    const value = ownField(record, key)
    if (typeof value === 'string' && value.trim() !== '') return value
    if (typeof value === 'number') return String(value)
  }
  return ''
}

function recordOf(record: JsonRecord, key: string): JsonRecord {
  const value = ownField(record, key)
  return isJsonRecord(value) ? value : {}
}

function textsOf(record: JsonRecord, key: string): readonly string[] {
  const value = ownField(record, key)
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** What of an object has no place of its own. */
function rest(record: JsonRecord, used: readonly string[]): JsonRecord {
  const entries = Object.entries(record).filter(([key]) => !used.includes(key) && key !== '__proto__')
  return Object.fromEntries(entries)
}

function extensions(program: string, others: JsonRecord): JsonRecord {
  return Object.keys(others).length > 0 ? { [program]: others } : {}
}

/** Where dialogue begins in a text that holds somebody's description before it. */
const DIALOGUE = /^[^\S\n]*(?:<START>|(?:\{\{(?:user|random_user_\d+)\}\}|<user>|you|user)[^\S\n]*:)/im

/** A description, and the dialogue that stands at its end in programs with one field for both. */
function parted(text: string): { readonly description: string; readonly mes_example: string } {
  const at = text.search(DIALOGUE)
  if (at < 0) return { description: text.trim(), mes_example: '' }
  return { description: text.slice(0, at).trim(), mes_example: text.slice(at).trim() }
}

/** Pygmalion's JSON, which TavernAI and others took over. */
function pygmalion(whole: JsonRecord): OtherCharacter | null {
  const name = textOf(whole, 'char_name')
  const texts = ['char_persona', 'char_greeting', 'world_scenario', 'example_dialogue']
  // A file that has both sets of names is a card with more in it.
  const isOwn = texts.some((key) => Object.hasOwn(whole, key)) && !Object.hasOwn(whole, 'first_mes')
  if (name === '' || !isOwn) return null
  const data = {
    name,
    description: textOf(whole, 'char_persona'),
    scenario: textOf(whole, 'world_scenario'),
    first_mes: textOf(whole, 'char_greeting'),
    mes_example: textOf(whole, 'example_dialogue'),
    extensions: extensions('pygmalion', rest(whole, ['char_name', ...texts])),
  }
  return { program: 'Pygmalion', data }
}

/** Text generation web UI: a context that holds both who somebody is and how they talk. */
function webUi(whole: JsonRecord): OtherCharacter | null {
  const name = textOf(whole, 'name')
  const isOwn =
    Object.hasOwn(whole, 'context') || (Object.hasOwn(whole, 'greeting') && !Object.hasOwn(whole, 'persona'))
  const isOther = ['messages', 'kind', 'sampleChat', 'data', 'turn_template'].some((key) =>
    Object.hasOwn(whole, key),
  )
  if (name === '' || !isOwn || isOther) return null
  const { description, mes_example } = parted(textOf(whole, 'context'))
  const examples = [mes_example, textOf(whole, 'example_dialogue')].filter((text) => text !== '')
  const used = ['name', 'context', 'greeting', 'example_dialogue', 'scenario']
  const data = {
    name,
    description,
    first_mes: textOf(whole, 'greeting'),
    scenario: textOf(whole, 'scenario'),
    mes_example: examples.join('\n'),
    extensions: extensions('webui', rest(whole, used)),
  }
  return { program: 'text generation web UI', data }
}

/** Agnai: a persona in one of several forms, and a description that is its maker's note. */
function agnai(whole: JsonRecord): OtherCharacter | null {
  const [name, persona] = [textOf(whole, 'name'), ownField(whole, 'persona')]
  const isOwn =
    ownField(whole, 'kind') === 'character' || (isJsonRecord(persona) && Object.hasOwn(persona, 'attributes'))
  if (name === '' || !isOwn) return null
  const used = [
    'name',
    'persona',
    'description',
    'greeting',
    'scenario',
    'sampleChat',
    'tags',
    'alternateGreetings',
    'systemPrompt',
    'postHistoryInstructions',
    'creator',
    'characterVersion',
    'characterBook',
    'kind',
  ]
  const held = ownField(whole, 'characterBook')
  const book = isJsonRecord(held) && Array.isArray(ownField(held, 'entries')) ? agnaiBook(held) : null
  const data = {
    name,
    description: typeof persona === 'string' ? persona : attributesOf(recordOf(whole, 'persona')),
    creator_notes: textOf(whole, 'description'),
    first_mes: textOf(whole, 'greeting'),
    scenario: textOf(whole, 'scenario'),
    mes_example: textOf(whole, 'sampleChat'),
    alternate_greetings: textsOf(whole, 'alternateGreetings'),
    tags: textsOf(whole, 'tags'),
    system_prompt: textOf(whole, 'systemPrompt'),
    post_history_instructions: textOf(whole, 'postHistoryInstructions'),
    creator: textOf(whole, 'creator'),
    character_version: textOf(whole, 'characterVersion'),
    ...(book && { character_book: book }),
    extensions: extensions('agnai', rest(whole, used)),
  }
  return { program: 'Agnai', data }
}

/** A persona's attributes: its text alone, else one line each. */
function attributesOf(persona: JsonRecord): string {
  const attributes = Object.entries(recordOf(persona, 'attributes'))
  const lines = attributes.map(([key, value]) => {
    const words = (Array.isArray(value) ? value : [value]).filter((word) => typeof word === 'string')
    return key === 'text' ? words.join('\n') : `${key}: ${words.join(', ')}`
  })
  return lines.filter((line) => line.trim() !== '').join('\n')
}

/** Backyard, once Faraday, whose macros stand in single braces. */
function backyard(whole: JsonRecord): OtherCharacter | null {
  const inner = recordOf(whole, 'character')
  const own = Object.hasOwn(whole, 'aiPersona') ? whole : inner
  const name = textOf(own, 'aiDisplayName', 'aiName')
  if (!Object.hasOwn(own, 'aiPersona') || name === '') return null
  const used = [
    'aiDisplayName',
    'aiName',
    'aiPersona',
    'scenario',
    'firstMessage',
    'customDialogue',
    'basePrompt',
  ]
  const data = {
    name,
    description: doubleBraces(textOf(own, 'aiPersona')),
    scenario: doubleBraces(textOf(own, 'scenario')),
    first_mes: doubleBraces(textOf(own, 'firstMessage')),
    mes_example: examplesOf(textOf(own, 'customDialogue')),
    system_prompt: doubleBraces(textOf(own, 'basePrompt')),
    extensions: extensions('backyard', rest(own, used)),
  }
  return { program: 'Backyard', data }
}

/** `{character}` and `{user}` of Backyard as everybody else writes them. */
export function doubleBraces(text: string): string {
  return text
    .replaceAll(/(?<!\{)\{(?:character|char)\}(?!\})/gi, '{{char}}')
    .replaceAll(/(?<!\{)\{user\}(?!\})/gi, '{{user}}')
}

/** Backyard begins what anybody says with a mark of its own. */
function examplesOf(dialogue: string): string {
  return doubleBraces(dialogue).replaceAll(/^#(?=\{\{)/gm, '')
}

/** A character of Backyard's archive and the scenario that it plays in. */
export function readBackyardArchive(character: JsonRecord, scenario: JsonRecord): OtherCharacter | null {
  const name = textOf(character, 'displayName', 'name')
  if (name === '') return null
  const said = (key: string): readonly string[] =>
    listOf(scenario, key).flatMap((one) => (isJsonRecord(one) ? doubleBraces(textOf(one, 'text')) : []))
  const [first = '', ...others] = said('firstMessages')
  const lore = listOf(character, 'loreItems').filter(isJsonRecord)
  const book = {
    extensions: {},
    entries: lore.map((item, index) => ({
      keys: textOf(item, 'key')
        .split(',')
        .map((key) => key.trim()),
      content: doubleBraces(textOf(item, 'value')),
      enabled: true,
      insertion_order: index,
      extensions: {},
    })),
  }
  const data = {
    name,
    description: doubleBraces(textOf(character, 'persona')),
    scenario: doubleBraces(textOf(scenario, 'narrative')),
    first_mes: first,
    alternate_greetings: others,
    mes_example: said('exampleMessages')
      .map((text) => text.replaceAll(/^#(?=\{\{)/gm, ''))
      .join('\n'),
    system_prompt: doubleBraces(textOf(scenario, 'formattingInstructions')),
    ...(lore.length > 0 && { character_book: book }),
    extensions: extensions('backyard', rest(character, ['displayName', 'name', 'persona', 'loreItems'])),
  }
  return { program: 'Backyard', data }
}

function listOf(record: JsonRecord, key: string): readonly unknown[] {
  const value = ownField(record, key)
  return Array.isArray(value) ? value : []
}

/** character.ai, as dumps and its own interface have it. */
function characterAi(whole: JsonRecord): OtherCharacter | null {
  const own = [recordOf(recordOf(whole, 'info'), 'character'), recordOf(whole, 'character'), whole].find(
    (one) =>
      Object.hasOwn(one, 'greeting') && (Object.hasOwn(one, 'definition') || Object.hasOwn(one, 'title')),
  )
  const name = own ? textOf(own, 'name', 'participant__name') : ''
  if (!own || name === '') return null
  const { description, mes_example } = cut(textOf(own, 'definition'))
  const told = [textOf(own, 'description', 'title'), description].filter((text) => text !== '')
  const used = ['name', 'title', 'description', 'greeting', 'definition']
  const data = {
    name,
    description: told.join('\n'),
    creator_notes: textOf(own, 'title'),
    first_mes: textOf(own, 'greeting'),
    mes_example,
    extensions: extensions('characterai', rest(own, used)),
  }
  return { program: 'character.ai', data }
}

/** A definition is a description, dialogue, or one before the other. */
function cut(definition: string): { readonly description: string; readonly mes_example: string } {
  const at = definition.search(/^[^\S\n]*(?:\{\{(?:user|char|random_user_\d+)\}\}|END_OF_DIALOG)/im)
  if (at < 0) return { description: definition.trim(), mes_example: '' }
  return { description: definition.slice(0, at).trim(), mes_example: definition.slice(at).trim() }
}

const GREETINGS = ['first_message', 'firstMessage', 'greeting', 'intro', 'opening', 'first_mes']
const PERSONAS = ['description', 'persona', 'desc', 'definition', 'bio', 'about', 'backstory', 'context']

/** A program that nothing else is known of, where it has a name, a greeting and words on who that is, in its own keys. */
function anyProgram(whole: JsonRecord): OtherCharacter | null {
  const own = isJsonRecord(ownField(whole, 'character')) ? recordOf(whole, 'character') : whole
  const name = textOf(own, 'name', 'displayName', 'title')
  const greeting = GREETINGS.find((key) => textOf(own, key) !== '')
  // Who somebody is stands as their personality where nothing else says it.
  const persona = [...PERSONAS, 'personality'].find((key) => textOf(own, key) !== '')
  const isChat = ['messages', 'message', 'chat', 'histories'].some((key) => Array.isArray(ownField(own, key)))
  // What has a card's own keys is one.
  const isCard = ['first_mes', 'spec', 'data', 'mes_example'].some((key) => Object.hasOwn(own, key))
  if (name === '' || greeting === undefined || persona === undefined || isChat || isCard) return null
  const examples = ['example_dialogs', 'example_dialogue', 'exampleDialogue', 'exampleMessages', 'sampleChat']
  const used = [
    'name',
    'displayName',
    'title',
    greeting,
    persona,
    'personality',
    'scenario',
    'first_messages',
    ...examples,
  ]
  const first = textOf(own, greeting)
  const data = {
    name,
    description: textOf(own, persona),
    personality: persona === 'personality' ? '' : textOf(own, 'personality'),
    scenario: textOf(own, 'scenario'),
    first_mes: first,
    alternate_greetings: textsOf(own, 'first_messages').filter((text) => text !== first),
    mes_example: textOf(own, ...examples),
    extensions: extensions('other', rest(own, used)),
  }
  return { program: 'another program', data }
}

const READERS: readonly ((whole: JsonRecord) => OtherCharacter | null)[] = [
  agnai,
  backyard,
  characterAi,
  pygmalion,
  webUi,
  anyProgram,
]
