import { fillMacros, hasMacro } from '../core/macros.ts'
import type { MacroValues } from '../core/macros.ts'
import { OWN, traitsOf } from './description.ts'
import type { Trait } from './description.ts'
import { firstSentence, shortened } from './sentences.ts'

/** What a description says first of all is a sentence; more than this is none. */
const LONGEST = 240
/** What stands under one label, at most. */
const LONGEST_TRAIT = 120

/** More of a system prompt than any model here can read. */
const LONGEST_PROMPT = 60_000

/** What of a character card says who somebody is. */
export interface RoleTexts {
  readonly name: string
  readonly nickname: string
  readonly systemPrompt: string
  readonly description: string
  readonly personality: string
  /** Read where both others say nothing. */
  readonly scenario: string
}

const MANNER = /personality|traits?$|^mind$|temperament|^character$|manner/i

/** What is said of a story, not of somebody in it. */
const OF_THE_STORY =
  /^(?:tags?|genres?|scenario|setting|rating|style|format|notes?|rules?|instructions?|system)$/i

/** Which traits say most of who somebody is, the first first; what is under none of these labels comes last. */
const RANKS: readonly RegExp[] = [
  /^$|^\{\{char\}\}$/,
  /occupation|job|profession|career|\brole\b|\bwork|title|position|identity|archetype|^class$|^persona$/i,
  /species|race|kind|^type$/i,
  /\bage\b/i,
  /gender|\bsex\b/i,
  MANNER,
  /overview|summary|^about|^description$|^basics?$|^bio|^info/i,
  /name|alias/i,
]

/**
 * The few words by which a small model plays a role that has no adapter: who it is, in a sentence or a few traits, what it
 * is like, and that it speaks as nobody else; then the card's own system prompt, in which `{{original}}` stands for the
 * words before. A whole card makes a model of this size speak about the character, or as anybody in it. Every macro is
 * filled before anything is cut.
 */
export function roleLine(texts: RoleTexts, values: MacroValues): string {
  const own = fillMacros(ownLine(texts, values), values)
  const { systemPrompt } = texts
  const prompt = fillMacros(systemPrompt.slice(0, LONGEST_PROMPT), { ...values, original: own }).trim()
  if (prompt === '') return own
  return hasMacro(systemPrompt, 'original') ? prompt : `${own}\n${prompt}`
}

/**
 * A role's line as another name's, as a blend takes over that of its largest part: the role's name stands in it as the pack has
 * it, or with spaces, and is told from other words that begin with it.
 */
export function renamedLine(line: string, from: string, to: string): string {
  const names = [...new Set([from, from.replaceAll('_', ' ')])].filter((name) => name.trim() !== '')
  if (names.length === 0) return line
  const escaped = names.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  const whole = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${escaped.join('|')})(?![\\p{L}\\p{N}_])`, 'gu')
  return line.replaceAll(whole, () => to)
}

/** The line without the card's system prompt; the two names are still open, so that they are told from other words. */
function ownLine({ name, nickname, ...texts }: RoleTexts, values: MacroValues): string {
  const names = [name, nickname, values.character].filter((one) => one.trim() !== '')
  const open = { ...values, user: '{{user}}', character: '{{char}}' }
  const read = (text: string, offset: number): readonly Trait[] =>
    traitsOf(fillMacros(text, { ...open, seed: (values.seed ?? 0) + offset }), names)
  const [described, manner] = [read(texts.description, 0), read(texts.personality, 1)]
  const isUntold = described.length === 0 && manner.length === 0
  // A scenario may say who somebody is where nothing else does.
  const told = isUntold ? read(texts.scenario, 2).filter(({ text }) => isAbout(text, names)) : described
  const who = whoIs(told, names, manner.length > 0)
  return [who, summary(manner, LONGEST, false), 'Speak only as {{char}}.']
    .filter((part) => part !== '')
    .join(' ')
}

/** Who somebody is in a line of at most so many characters: the description's first sentence, or what its traits say. */
export function opening(
  { name, nickname, description }: Pick<RoleTexts, 'name' | 'nickname' | 'description'>,
  most: number,
): string {
  const traits = traitsOf(
    description,
    [name, nickname].filter((one) => one.trim() !== ''),
  )
  return summary(traits, most, false)
}

/** Whether a text begins with somebody's name. */
function isAbout(text: string, names: readonly string[]): boolean {
  return ['{{char}}', ...names].some((name) => text.startsWith(`${name} `))
}

/** What follows a name that is said of somebody: other names, and what it is. */
const SAYS_WHO = /^((?: \p{Lu}[\p{L}'’-]+){0,3}) is (.+)$/su

/** "You are Orla, a keeper.", or "You are Orla. Occupation: keeper." */
function whoIs(traits: readonly Trait[], names: readonly string[], isMannerApart: boolean): string {
  const said = summary(traits, LONGEST, isMannerApart)
  if (said === '') return 'You are {{char}}.'
  if (traits[0]?.label === OWN) return `You are {{char}}${/^(?:an?|the)\s/i.test(said) ? ',' : ':'} ${said}`
  for (const name of ['{{char}}', ...names]) {
    const [, surnames = '', rest = ''] =
      (said.startsWith(`${name} `) && SAYS_WHO.exec(said.slice(name.length))) || []
    if (rest !== '') return `You are {{char}}${surnames}, ${rest}`
  }
  const isAddressed = /^you are\b/i.test(said) && ['{{char}}', ...names].some((name) => said.includes(name))
  return isAddressed ? said : `You are {{char}}. ${said}`
}

function rankOf({ label }: Trait): number {
  const rank = RANKS.findIndex((labels) => labels.test(label))
  return rank < 0 ? RANKS.length : rank
}

/** Traits by how much they say, as sentences, as many as find room. */
function summary(traits: readonly Trait[], most: number, isMannerApart: boolean): string {
  const [first] = traits
  if (first?.label === '' || first?.label === OWN) return sentenceOf(aboutSelf(first.text), most)
  const ranked = traits
    .filter(({ label }) => !OF_THE_STORY.test(label) && !(isMannerApart && MANNER.test(label)))
    .toSorted((one, other) => rankOf(one) - rankOf(other))
  const parts: string[] = []
  let length = 0
  for (const { label, text } of ranked) {
    const title = label === '' || label === OWN ? '' : `${label.charAt(0).toUpperCase()}${label.slice(1)}: `
    const part = title + sentenceOf(text, LONGEST_TRAIT)
    if (length > 0 && length + part.length > most) break
    parts.push(part)
    length += part.length + 1
  }
  return parts.join(' ')
}

/** A text from where it comes to the character, if it begins with the visitor. */
function aboutSelf(text: string): string {
  const at = text.startsWith('{{user}}') ? text.search(/(?<=[.!?]\s)\{\{char\}\}/) : -1
  return at < 0 ? text : text.slice(at)
}

/** A text's first sentence, or two where that is a single word, ended by a point. */
function sentenceOf(text: string, most: number): string {
  const first = firstSentence(text)
  const isShort = /^[\p{Lu}\p{Ll}]{1,12}[.!?]$/u.test(first)
  const whole = isShort ? `${first} ${firstSentence(text.trim().slice(first.length))}` : first
  const sentence = shortened(whole.replace(/[.!?…\s]+$/u, ''), most)
  return sentence === '' || /[。！？]["'”’»」』）]*$/u.test(sentence) ? sentence : `${sentence}.`
}
