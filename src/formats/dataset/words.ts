import type { Split } from '../../core/dialogue.ts'

/** Characters that nobody sees: marks of direction, joints and breaks without width, byte order marks. */
const UNSEEN = /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu

/** A text without the characters that nobody sees. */
export function withoutUnseen(text: string): string {
  return text.replaceAll(UNSEEN, '')
}

/** A name as it is kept: composed, without what nobody sees, with single plain spaces. */
export function keptName(written: string): string {
  return withoutUnseen(written.toWellFormed().normalize('NFC'))
    .replaceAll(/[\p{Zs}\t]+/gu, ' ')
    .trim()
}

const LOOKS_LIKE = new Map(
  Array.from('аеорсухіјѕкмтвнαβεζηικμνορτυχ', (letter, index) => {
    return [letter, 'aeopcyxijskmtbhabezhikmnoptyx'.charAt(index)] as const
  }),
)

/** The same for names that a reader takes for one: other capitals, other alphabets' letters of the same look. */
export function lookOf(name: string): string {
  const folded = name.normalize('NFKC').toLowerCase()
  const letters = Array.from(folded.replaceAll(/[\p{Join_Control}\p{Variation_Selector}\s]/gu, ''))
  return letters.map((letter) => LOOKS_LIKE.get(letter) ?? letter).join('')
}

/** Whether a name numbers a row rather than names somebody: `conversation_0`, a UUID, digits. */
export function isRowNumber(name: string): boolean {
  const numbered =
    /^(?:chat|conv|conversation|data|dialog|dialogue|dlg|doc|entry|episode|example|file|id|item|prompt|qa?|record|row|sample|scene|session|story|task|test|thread|train)?[\s_#.:-]*\d+$/i
  return numbered.test(name) || /^[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(name)
}

/** What a word says of the side of the split that a row is on; undefined where it says nothing. */
export function splitOf(value: unknown): Split | undefined {
  if (typeof value !== 'string') return undefined
  const word = value.trim().toLowerCase()
  if (word === 'wording') return 'wording'
  if (/^train(?:ing)?(?![a-z])/.test(word)) return 'train'
  const isHeld =
    /^(?:test(?:ing)?|val(?:id(?:ation)?)?|dev(?:elopment)?|eval(?:uation)?|held[\s_-]?out|hold[\s_-]?out)(?![a-z])/
  return isHeld.test(word) ? 'test' : undefined
}

/** No word that stands for a side is longer. */
const LONGEST_WORD = 40

export type Tag = 'visitor' | 'character' | 'system' | 'tool'

/** Words that stand for a side wherever they come up, in a scene's text too. */
const SIDES = wordsOf({
  visitor: ['{{user}}', '<user>', 'user', 'you', 'me', 'i', 'human', 'visitor', 'player', 'guest'],
  character: ['{{char}}', '<char>', '<bot>', 'assistant', 'bot', 'ai', 'character'],
  system: ['system', 'developer'],
})

/** What else does so in a scene's text. */
const SPOKEN = wordsOf({
  visitor: ['prompter', 'customer', 'client', 'question'],
  character: ['gpt', 'chatgpt', 'answer', 'response'],
})

/** What else does so as the tag of a turn; in a scene's text it may be somebody's name. */
const TAGS = wordsOf({
  visitor: ['instruction', 'input', 'usr'],
  character: ['model', 'role', 'char', 'agent', 'npc', 'output'],
  system: ['system_prompt', 'sys'],
  tool: (
    'tool function observation ipython environment function_call function_response tool_call ' +
    'tool_calls tool_response tool_result'
  ).split(' '),
})

function wordsOf(words: Readonly<Partial<Record<Tag, readonly string[]>>>): ReadonlyMap<string, Tag> {
  const kinds: readonly Tag[] = ['visitor', 'character', 'system', 'tool']
  return new Map(kinds.flatMap((kind) => (words[kind] ?? []).map((word) => [word, kind] as const)))
}

function kindIn(words: readonly ReadonlyMap<string, Tag>[], word: string): Tag | undefined {
  if (word.length > LONGEST_WORD) return undefined
  const key = withoutUnseen(word)
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_')
    .replaceAll(/[{<]_|_[}>]/g, (end) => end.replace('_', ''))
  return words.map((known) => known.get(key)).find((kind) => kind !== undefined)
}

/** Whom a word stands for wherever it comes up; undefined where it may be somebody's name. */
export function sideOf(word: string): Tag | undefined {
  return SIDES.get(word) ?? kindIn([SIDES], word)
}

/** Whom the tag of a turn stands for; undefined where it is somebody's name. */
export function tagOf(word: string): Tag | undefined {
  return SIDES.get(word) ?? kindIn([SIDES, SPOKEN, TAGS], word)
}

/** Whom a name stands for in a scene in which these speak. */
export function sideIn(names: ReadonlySet<string>, word: string): Tag | undefined {
  if (names.has('Q') && names.has('A') && (word === 'Q' || word === 'A'))
    return word === 'Q' ? 'visitor' : 'character'
  return kindIn([SIDES, SPOKEN], word)
}

const MACRO = /\{\{\s*(char|user)\s*\}\}|<(char|bot|user)>/gi

/** Fills in the names that cards and chats leave open; the visitor has none. */
export function fillNames(text: string, role: string): string {
  if (!text.includes('{{') && !text.includes('<')) return text
  return text.replaceAll(MACRO, (_, braced?: string, angled?: string) => {
    return (braced ?? angled)?.toLowerCase() === 'user' ? 'you' : role
  })
}

/** The macros that a text still has. */
export function macrosIn(text: string): readonly string[] {
  return text.includes('{{') ? (text.match(/\{\{[^{}\n]{1,60}\}\}/g) ?? []) : []
}
