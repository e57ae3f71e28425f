import type { AnswerEnd, Turn } from '../core/dialogue.ts'
import { check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import { fillMacros } from '../core/macros.ts'
import { STEADY } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import type { Script } from '../core/script.ts'
import type { CharacterCard } from '../formats/card.ts'
import { scriptOf, systemPromptOf } from './cardScript.ts'
import type { Recipe } from './castRecipe.ts'
import { greetingsOf, nameOf } from './cardTexts.ts'

/*
 * A character out of a card alone: the model, told the whole card, answers questions, and an adapter learns the answers
 * without the card (context distillation; Snell, Klein, Zhong: "Learning by Distilling Context", 2022). What is learnt is what
 * was said, not how likely every other word was.
 */

/** A question that any character can be asked. */
export interface Opening {
  readonly id: string
  /** `test`: never learnt, so that what was learnt can be measured by it. */
  readonly split: 'train' | 'test'
  /** The first one is asked; the answer is learnt for all of them. */
  readonly wordings: readonly string[]
}

/** Where a site has the questions. */
export const OPENINGS_PATH = 'cast/openings.json'

/** An answer that is learnt for all wordings of its question. */
export interface Lesson {
  readonly opening: Opening
  readonly answer: string
}

/** Answers are to be short: what is learnt is the manner. */
export const LESSON_TOKENS = 80

/** Whom the character speaks to, since no visitor is there yet. */
const VISITOR = 'stranger'

/** What stands before each example dialogue of a card. */
const EXAMPLE = '<START>'

/** Of the wordings of a question that is learnt, those that are held out. */
const HELD = 2
const PASSES = 6

/**
 * The questions of `cast/openings.json`.
 *
 * @throws HycoraError `format-invalid` naming the first field that is wrong.
 */
export function parseOpenings(json: unknown): readonly Opening[] {
  check(Array.isArray(json), 'format-invalid', () => `${OPENINGS_PATH} is not a list of questions`)
  return json.map((entry: unknown, index) => {
    const where = `${OPENINGS_PATH}[${index}]`
    check(isJsonRecord(entry), 'format-invalid', () => `${where} is not an object`)
    const [id, split, listed] = ['id', 'split', 'wordings'].map((key) => ownField(entry, key))
    check(typeof id === 'string' && id !== '', 'format-invalid', () => `${where}.id is not a text`)
    check(
      split === 'train' || split === 'test',
      'format-invalid',
      () => `${where}.split is neither train nor test`,
    )
    const wordings = (Array.isArray(listed) ? listed : []).filter((text) => typeof text === 'string')
    check(wordings.length > HELD, 'format-invalid', () => `${where}.wordings has not more than ${HELD} texts`)
    return { id, split, wordings }
  })
}

/** So many of the questions, from all parts of the list. */
export function spreadOpenings(openings: readonly Opening[], count: number): readonly Opening[] {
  const taken = Math.min(count, openings.length)
  return Array.from(
    { length: taken },
    (_, index) => openings[Math.floor((index * openings.length) / taken)],
  ).filter((opening) => opening !== undefined)
}

/** What the model is told when it is asked as the character: the whole card, and one question. */
export interface LessonScene {
  readonly role: null
  readonly strength: 1
  readonly system: string
  readonly script: Script
  readonly turns: readonly Turn[]
  readonly continueLast: false
}

function namesOf(card: CharacterCard) {
  return { user: VISITOR, character: nameOf(card) }
}

/** The scene in which the character of a card is asked a question. */
export function lessonScene(card: CharacterCard, { wordings }: Opening): LessonScene {
  const names = namesOf(card)
  const facts = { seed: 0, greeting: null, occasion: 'next', isTrained: false, note: null } as const
  return {
    role: null,
    strength: 1,
    system: systemPromptOf(card, names),
    script: scriptOf(card, { ...facts, names, facts: [], books: [] }),
    turns: [{ speaker: 'user', text: wordings[0] ?? '' }],
    continueLast: false,
  }
}

/** Before what an answer ends: it is one turn, nobody else's, and no example of the card's. */
export function lessonStops(card: CharacterCard): readonly string[] {
  const { user, character } = namesOf(card)
  return [`\n${user}:`, `\n${character}:`, EXAMPLE]
}

/** How the question at an index is answered: as in a chat, and the same again each time. */
export function lessonSampling(index: number, guidance: number): Sampling {
  return { ...STEADY, guidance, seed: index }
}

const SENTENCE_END = /[.!?…。！？]["'”’*)」]*(?=\s|$)/gu

/** What is learnt of an answer: without the name before it, and where it broke off its whole sentences; it can be empty. */
export function lessonAnswer(card: CharacterCard, said: string, end: AnswerEnd): string {
  const name = `${nameOf(card)}:`
  const text = (said.trimStart().startsWith(name) ? said.trimStart().slice(name.length) : said).trim()
  if (end === 'end' || end === 'stop') return text
  const last = [...text.matchAll(SENTENCE_END)].at(-1)
  return last ? text.slice(0, last.index + last[0].length) : ''
}

/**
 * Answers as a data set: each an item with all wordings of its question, half of them behind the card's greeting, where it has
 * one.
 */
export function lessonLines(card: CharacterCard, lessons: readonly Lesson[]): string {
  const role = nameOf(card)
  const greeting = fillMacros(greetingsOf(card)[0] ?? '', namesOf(card)).trim()
  const opening = greeting === '' ? [] : [{ role, item: 'greeting', answer: greeting }]
  const rows = lessons.map(({ opening: { id, split, wordings }, answer }) => ({
    role,
    item: id,
    questions: wordings,
    answer,
    ...(split === 'train' && { held: HELD }),
    ...(greeting !== '' && { after: wordings.map((_, index) => (index % 2 === 0 ? null : 'greeting')) }),
    split,
  }))
  return [...opening, ...rows].map((row) => `${JSON.stringify(row)}\n`).join('')
}

/**
 * What of a training file suits so many answers: some passes over two wordings of each, twelve at a time. Chosen: of the
 * cast's lines fewer passes were trained. Measured with sixty answers it was too much (docs/science.md).
 */
export function lessonRecipe(lessons: number): Recipe {
  return { steps: Math.max(30, Math.ceil((PASSES * 2 * lessons) / 12)), batch: 12, wordings: 2 }
}
