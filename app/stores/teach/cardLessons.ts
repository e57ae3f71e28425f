// Scope: session. What the model, told a whole card, answers to questions, before an adapter learns it without the card.
import { create } from 'zustand'

import {
  LESSON_TOKENS,
  lessonAnswer,
  lessonLines,
  lessonRecipe,
  lessonSampling,
  lessonScene,
  lessonStops,
  OPENINGS_PATH,
  parseOpenings,
  spreadOpenings,
} from '../../../src/cast/cardLessons.ts'
import type { Lesson, Opening } from '../../../src/cast/cardLessons.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { isPlayable } from '../../../src/cast/member.ts'
import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { STEADY } from '../../../src/core/sampling.ts'
import type { CharacterCard } from '../../../src/formats/card.ts'
import { fetchJson } from '../../../src/storage/servedJson.ts'
import { affordsGuidance, whenReady } from '../engine/engine.ts'
import { siteUrl } from '../page/site.ts'
import { chosenOptions } from './config.ts'
import { takeLines } from './lines.ts'
import { useRehearsalPlan } from './rehearsalPlan.ts'

/** An answer as the visitor leaves it. */
export interface OpenLesson extends Lesson {
  /** Whether it is left out. */
  readonly isStruck: boolean
}

interface CardLessonsState {
  readonly phase: 'idle' | 'asking' | 'asked'
  /** Whose card was told. */
  readonly card: CharacterCard | null
  /** How many questions are asked. */
  readonly total: number
  /** How many of them were, those without a whole answer too. */
  readonly asked: number
  readonly lessons: readonly OpenLesson[]
  readonly failure: Failure | null
}

const initial: CardLessonsState = {
  phase: 'idle',
  card: null,
  total: 0,
  asked: 0,
  lessons: [],
  failure: null,
}

export const useCardLessons = create<CardLessonsState>()(() => initial)

let asking: AbortController | undefined

/** Those whose card plays here and no weights. */
export function playedByCard(
  members: readonly CastMember[],
  loaded: { readonly fingerprint: string } | null,
): readonly CastMember[] {
  return members.filter((member) => member.card !== null && !isPlayable(member, loaded))
}

/** Has the model answer so many questions as the character of a card; what was answered before gives its place up. */
export async function askCard(card: CharacterCard, count: number): Promise<void> {
  asking?.abort()
  asking = new AbortController()
  const { signal } = asking
  useCardLessons.setState({ ...initial, phase: 'asking', card })
  try {
    const openings = spreadOpenings(parseOpenings(await fetchJson(siteUrl(OPENINGS_PATH))), count)
    useCardLessons.setState({ total: openings.length })
    for (const [index, opening] of openings.entries()) {
      const answer = await answerAs(card, opening, index, signal)
      if (signal.aborted) return
      useCardLessons.setState(({ lessons, asked }) => ({
        asked: asked + 1,
        lessons: answer === '' ? lessons : [...lessons, { opening, answer, isStruck: false }],
      }))
    }
    useCardLessons.setState({ phase: 'asked' })
  } catch (thrown) {
    if (!signal.aborted)
      useCardLessons.setState({ phase: 'asked', failure: failureOf(thrown, 'not-a-number') })
  }
}

async function answerAs(
  card: CharacterCard,
  opening: Opening,
  index: number,
  signal: AbortSignal,
): Promise<string> {
  const engine = await whenReady(signal)
  const sampling = lessonSampling(index, affordsGuidance() ? STEADY.guidance : 0)
  const request = { scene: lessonScene(card, opening), sampling, maxTokens: LESSON_TOKENS }
  const { text, stop } = await engine.request(
    'generate',
    { ...request, stops: lessonStops(card) },
    { signal },
  )
  return lessonAnswer(card, text, stop)
}

/** Asks no more; what was answered stays. */
export function stopAskingCard(): void {
  asking?.abort()
  useCardLessons.setState({ phase: 'asked' })
}

/** Puts an answer as it should be. */
export function mendLesson(id: string, answer: string): void {
  change(id, { answer })
}

/** Leaves an answer out, or takes it back in. */
export function strikeLesson(id: string, isStruck: boolean): void {
  change(id, { isStruck })
}

function change(id: string, changes: Partial<OpenLesson>): void {
  useCardLessons.setState(({ lessons }) => ({
    lessons: lessons.map((lesson) => (lesson.opening.id === id ? { ...lesson, ...changes } : lesson)),
  }))
}

/** What is left to learn. */
export function keptLessons(lessons: readonly OpenLesson[]): readonly Lesson[] {
  return lessons
    .filter(({ isStruck, answer }) => !isStruck && answer.trim() !== '')
    .map(({ opening, answer }) => ({ opening, answer: answer.trim() }))
}

/** Makes lines of what is left, with a rehearsal that suits so many; nothing begins before the visitor says so. */
export async function takeLessons(): Promise<void> {
  const { card, lessons } = useCardLessons.getState()
  const kept = keptLessons(lessons)
  if (!card || kept.length === 0) return
  useRehearsalPlan.setState({ way: null, role: null, overrides: chosenOptions(lessonRecipe(kept.length)) })
  await takeLines(`${card.name}.jsonl`, lessonLines(card, kept))
}

/** Puts the answers away. */
export function clearLessons(): void {
  asking?.abort()
  useCardLessons.setState(initial)
}
