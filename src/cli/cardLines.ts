import { readFile, writeFile } from 'node:fs/promises'

import {
  LESSON_TOKENS,
  lessonAnswer,
  lessonLines,
  lessonSampling,
  lessonScene,
  lessonStops,
  OPENINGS_PATH,
  parseOpenings,
  spreadOpenings,
} from '../cast/cardLessons.ts'
import type { Lesson } from '../cast/cardLessons.ts'
import { check } from '../core/errors.ts'
import { STEADY } from '../core/sampling.ts'
import type { CharacterCard } from '../formats/card.ts'
import { speak, wholeAnswer } from '../play/speak.ts'
import type { Voice } from '../play/speak.ts'
import { cueAs } from '../play/stage.ts'
import { fasterEngine, openSpeaker } from './engine.ts'
import { shippedPath } from './files.ts'

/** What the model, told the whole card, answers to so many questions; those without a whole answer are left out. */
export async function answersOf(
  card: CharacterCard,
  voice: Voice,
  count: number,
): Promise<readonly Lesson[]> {
  const openings: unknown = JSON.parse(await readFile(shippedPath('public', OPENINGS_PATH), 'utf8'))
  const asked = spreadOpenings(parseOpenings(openings), count)
  const lessons: Lesson[] = []
  for (const [index, opening] of asked.entries()) {
    const cue = await cueAs(voice, { pack: null, casting: null }, lessonScene(card, opening))
    const sampling = lessonSampling(index, STEADY.guidance)
    const delivery = { casting: null, sampling, maxTokens: LESSON_TOKENS, stops: lessonStops(card) }
    const { text, stop } = await wholeAnswer(speak(voice, cue, delivery))
    const answer = lessonAnswer(card, text, stop)
    if (answer !== '') lessons.push({ opening, answer })
    process.stderr.write(`${index + 1} of ${asked.length} questions answered\r`)
  }
  process.stderr.write('\n')
  return lessons
}

/**
 * The lines that are learnt from a card alone: those in the file, where it is there, mended or not; else what the model
 * answers now, which are written into it.
 *
 * @returns how many answers they are.
 * @throws HycoraError `usage` where no answer is whole.
 */
export async function cardLines(
  path: string,
  card: CharacterCard,
  options: ReadonlyMap<string, string>,
  count: number,
): Promise<number> {
  const known = await readFile(path, 'utf8').catch(() => undefined)
  if (known !== undefined) {
    process.stderr.write(`the lines of ${path} are learnt as they stand\n`)
    return known.split('\n').filter((line) => line.includes('"questions"')).length
  }
  const speaker = await openSpeaker(new Map([...options, ['engine', await fasterEngine()]]), 'halves')
  try {
    const lessons = await answersOf(card, speaker, count)
    check(lessons.length > 0, 'usage', () => 'the model gave no whole answer to any question')
    await writeFile(path, lessonLines(card, lessons))
    return lessons.length
  } finally {
    speaker.backbone.destroy()
  }
}
