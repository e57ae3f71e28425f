import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import type { Turn } from '../../src/core/dialogue.ts'
import type { JsonRecord } from '../../src/core/json.ts'
import type { Script } from '../../src/core/script.ts'
import { loadChatTemplate } from '../../src/formats/chatTemplate.ts'
import { ENTRY_FIELDS } from '../../src/formats/lore/fields.ts'
import type { EntryField, LoreField } from '../../src/formats/lore/fields.ts'
import { loadTokenizer } from '../../src/formats/tokenizer.ts'
import { composeScript } from '../../src/play/composeScript.ts'
import type { ComposedScript } from '../../src/play/composeScript.ts'

const root = resolve(import.meta.dirname, '../../public/models/starter')
const json = (name: string): unknown => JSON.parse(readFileSync(resolve(root, name), 'utf8'))

/** The tokenizer that is served with the smallest backbone. */
export const tokenizer = loadTokenizer(json('tokenizer.json'), json('tokenizer_config.json'))

/** Its chat template. */
export const template = loadChatTemplate(json('tokenizer_config.json'))

/** The two forms that entries come in. */
export type LoreForm = 'card' | 'world'

/** What an entry says, by the names of the table. */
export type EntryValues = Readonly<Partial<Record<EntryField, unknown>>>

/** An entry in one of the forms; null where a field of it has no name there. */
export function entryIn(form: LoreForm, values: EntryValues): JsonRecord | null {
  const entry: Record<string, unknown> = {}
  const extensions: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(values)) {
    const { card, extension, world }: LoreField = ENTRY_FIELDS[field as EntryField]
    if (form === 'world' && world !== undefined) entry[world] = value
    else if (form === 'card' && extension !== undefined && card === undefined) extensions[extension] = value
    else if (form === 'card' && card !== undefined) entry[card] = value
    else return null
  }
  return form === 'card' ? { ...entry, extensions } : entry
}

/** A book of entries, in one of the forms; null where an entry cannot be said in it. */
export function bookIn(form: LoreForm, entries: readonly EntryValues[]): JsonRecord | null {
  const written = entries.map((values) => entryIn(form, values))
  if (written.includes(null)) return null
  return { entries: form === 'card' ? written : Object.fromEntries(written.entries()) }
}

/** A chat by turns, the visitor's first. */
export function talk(...lines: readonly string[]): readonly Turn[] {
  return lines.map((text, index) => ({ speaker: index % 2 === 0 ? 'user' : 'role', text }))
}

/** What a scene is made of, beside its books. */
export interface LoreStage {
  readonly turns?: readonly Turn[]
  readonly script?: Partial<Script>
  readonly context?: number
}

/** A script with books, put together. */
export function played(
  books: readonly JsonRecord[],
  { turns = talk('Tell me of the dragon.'), script, context = 4096 }: LoreStage = {},
): ComposedScript {
  const whole: Script = {
    names: { user: 'Mira', character: 'Orla' },
    tags: ['keeper'],
    texts: { description: 'Orla keeps the light.', scenario: 'A storm.', examples: 'How Orla talks:\nAye.' },
    notes: [],
    books: books.map((book, index) => ({ name: `Book ${index + 1}`, book })),
    creatorNotes: 'Made in winter.',
    greeting: 0,
    occasion: 'next',
    seed: 7,
    ...script,
  }
  return composeScript(whole, { tokenizer, context, system: 'You are Orla.', turns, continueLast: false })
}

/** The titles of what was sent, in order. */
export function titles({ report }: ComposedScript): readonly string[] {
  return report.fired.map(({ title }) => title)
}
