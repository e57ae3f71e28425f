/** A description's first clause is a sentence; more than this is no clause. */
const LONGEST = 240

/** A sentence's end: not that of "Dr." or "J. S.". */
const END = /(?<=[\p{Ll}\d)]{3})[.!?](?=\s|$)/u

/** More of a system prompt than any model here can read. */
const LONGEST_PROMPT = 60_000

/** What of a character card says who somebody is; macros unresolved. */
export interface RoleTexts {
  readonly systemPrompt: string
  readonly description: string
  readonly personality: string
}

/**
 * The few words by which a small model plays a role that has no adapter: who it is, in one clause, what it is like, in one
 * sentence, and that it speaks as nobody else. A whole card makes a model of this size speak about the character, or as
 * anybody in it. A card's own system prompt stands as it is; null where the card says nothing.
 */
export function roleLine({ systemPrompt, description, personality }: RoleTexts): string | null {
  if (systemPrompt.trim() !== '') return systemPrompt.trim().slice(0, LONGEST_PROMPT)
  const clause = firstOf(description, /[:;]/)
  const manner = firstOf(personality)
  if (clause === '' && manner === '') return null
  const { name = '', rest = '' } = /^(?<name>\{\{char\}\}) is (?<rest>.+)$/su.exec(clause)?.groups ?? {}
  const who = name === '' ? `You are {{char}}. ${clause}` : `You are ${name}, ${rest}`
  return [who.trim().replace(/\.$/u, ''), manner, 'Speak only as {{char}}']
    .filter((part) => part !== '')
    .map((part) => `${part}.`)
    .join(' ')
}

/** The first sentence of a text, with the mark that ends it. */
export function firstSentence(text: string): string {
  const trimmed = text.trim()
  return trimmed.slice(0, (trimmed.split(END)[0] ?? '').length + 1)
}

/** The text up to its first sentence's end, or up to `mark` before that. */
function firstOf(text: string, mark?: RegExp): string {
  const sentence = text.trim().split(END)[0] ?? ''
  const clause = (mark ? (sentence.split(mark)[0] ?? '') : sentence).trim()
  if (clause.length <= LONGEST) return clause
  // The last comma within reach, else the last space: half a word is none.
  const within = clause.slice(0, LONGEST + 1)
  const comma = within.lastIndexOf(',')
  const end = comma > 0 ? comma : within.lastIndexOf(' ')
  return clause.slice(0, end > 0 ? end : LONGEST).trim()
}
