import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { fillMacros } from '../core/macros.ts'
import type { MacroValues } from '../core/macros.ts'
import { remark } from '../core/remarks.ts'
import type { Remark } from '../core/remarks.ts'
import type { Note, NoteSpeaker, Script, ScriptBook, ScriptText } from '../core/script.ts'
import type { CharacterCard } from '../formats/card.ts'

/** What is told of several where whoever speaks is told the cards of all, macros filled. */
export interface Together {
  readonly texts: Readonly<Partial<Record<ScriptText, string>>>
  /** What the others' cards put among the messages. */
  readonly notes: readonly Note[]
}

/** What goes with a card into a script. */
export interface ScriptFacts extends Pick<Script, 'names' | 'seed' | 'greeting' | 'occasion'> {
  /** Whether weights play, so that the card need not say who they are. */
  readonly isTrained: boolean
  /** The visitor's own note. */
  readonly note: Pick<Note, 'text' | 'depth'> | null
  /** What is to be kept in mind. */
  readonly facts: readonly string[]
  /** What happened so far; left out or empty where nobody says. */
  readonly recap?: string
  /** Lorebooks beside the card's own. */
  readonly books: readonly ScriptBook[]
  /** Where they are and what happens, in place of the card's scenario; left out or empty where that holds. Macros unfilled. */
  readonly scene?: string
  /** In place of the card's texts; left out where the card is told alone. */
  readonly together?: Together | null
}

/** The page's own words before a whole card, which a card's system prompt may take up as `{{original}}`. */
const WHOLE = 'You are {{char}}, in a chat with {{user}}. Answer as {{char}} and as nobody else.'

const USUAL_DEPTH = 4

/** The first words to a model that reads a whole card: its system prompt, or the page's where it has none. */
export function systemPromptOf({ systemPrompt }: CharacterCard, values: MacroValues): string {
  const original = fillMacros(WHOLE, values)
  return fillMacros(systemPrompt.trim() || WHOLE, { ...values, original }).trim()
}

/**
 * All that a model with room is told of a character beside the first line: the texts of its card, unless weights say them,
 * what its card puts among the messages and behind them, and lorebooks.
 *
 * @param card null for whoever has none.
 */
export function scriptOf(card: CharacterCard | null, facts: ScriptFacts): Script {
  const { names, seed, greeting, occasion, books, isTrained, note: own, scene = '', recap = '' } = facts
  const { together } = facts
  const fill = (text: string): string => fillMacros(text, { ...names, seed }).trim()
  return {
    names,
    seed,
    greeting,
    occasion,
    tags: card?.tags ?? [],
    texts: {
      ...filled({ ...(card && !isTrained && !together && textsOf(card)) }, fill),
      ...together?.texts,
      ...filled(
        {
          ...(scene.trim() !== '' && { scenario: scene }),
          memory: memoryOf(facts.facts),
          recap: recap.trim() && `What happened before:\n${recap.trim()}`,
        },
        fill,
      ),
      ...(names.persona && { persona: `About ${names.user}:\n${names.persona}` }),
    },
    notes: [
      ...(together?.notes ?? []),
      ...notesOf(card, own).map((note) => ({ ...note, text: fill(note.text) })),
    ].filter(isSaid),
    books: [...(card?.book ? [{ name: `${names.character}’s lorebook`, book: card.book }] : []), ...books],
    creatorNotes: card?.creatorNotes ?? '',
  }
}

/** What a script tells beside the card's own texts: told where none of it is sent. */
export function partsOf(
  { books, notes, texts }: Script,
  { scene = '', together }: Pick<ScriptFacts, 'scene' | 'together'> = {},
): readonly Remark[] {
  return [
    ...(together ? [remark('part.cards')] : []),
    ...(scene.trim() === '' ? [] : [remark('part.scene')]),
    ...(texts.persona ? [remark('part.persona')] : []),
    ...(texts.memory ? [remark('part.memory')] : []),
    ...(texts.recap ? [remark('part.recap')] : []),
    ...books.map(bookPart),
    ...notes.map(({ kind }) => remark(`part.${kind}`)),
  ]
}

function bookPart({ name, book }: ScriptBook): Remark {
  if (typeof book === 'string') return remark('part.book', { name })
  const held = ownField(book, 'entries')
  const entries = typeof held === 'object' && held !== null ? Object.keys(held).length : 0
  return entries === 1 ? remark('part.book.one', { name }) : remark('part.book.entries', { name, entries })
}

function isSaid({ text }: Note): boolean {
  return text !== ''
}

function filled(texts: Script['texts'], fill: (text: string) => string): Script['texts'] {
  const entries = Object.entries(texts).map(([kind, text]) => [kind, fill(text)] as const)
  return Object.fromEntries(entries.filter(([, text]) => text !== ''))
}

function memoryOf(facts: readonly string[]): string {
  return facts.length === 0 ? '' : `To be kept in mind:\n${facts.map((fact) => `- ${fact}`).join('\n')}`
}

/** What a card says of its character, macros unfilled. */
export function textsOf(card: CharacterCard): Readonly<Partial<Record<ScriptText, string>>> {
  const { description, personality, scenario, exampleMessages } = card
  const examples = exampleMessages.trim() && `How {{char}} talks:\n${exampleMessages.trim()}`
  return { description, personality, scenario, examples }
}

const SPEAKERS: Readonly<Record<string, NoteSpeaker>> = { system: 'system', user: 'user', assistant: 'role' }

/** SillyTavern's note at a depth, as a card has it; one without a text where it has none. */
export function depthPromptOf(card: CharacterCard | null): Note {
  const held = card && ownField(card.extensions, 'depth_prompt')
  const prompt: JsonRecord = isJsonRecord(held) ? held : {}
  const [text, depth, role] = ['prompt', 'depth', 'role'].map((key) => ownField(prompt, key))
  return {
    kind: 'depthPrompt',
    text: typeof text === 'string' ? text : '',
    depth: typeof depth === 'number' && depth >= 0 ? Math.floor(depth) : USUAL_DEPTH,
    speaker: (typeof role === 'string' && SPEAKERS[role]) || 'system',
  }
}

/** What goes among the messages: the card's note at a depth, the visitor's, and the card's instructions behind them all. */
function notesOf(card: CharacterCard | null, own: ScriptFacts['note']): readonly Note[] {
  return [
    depthPromptOf(card),
    { kind: 'authorsNote', text: own?.text ?? '', depth: own?.depth ?? USUAL_DEPTH, speaker: 'system' },
    // What `{{original}}` stands for there, a page without such instructions leaves out.
    {
      kind: 'postHistory',
      text: card?.postHistoryInstructions.replaceAll(/\{\{\s*original\s*\}\}/gi, '') ?? '',
      depth: 0,
      speaker: 'system',
    },
  ]
}
