import { lessonRecipe } from '../cast/cardLessons.ts'
import { castRecipe } from '../cast/castRecipe.ts'
import { check } from '../core/errors.ts'
import { codecOf } from '../model/chatModel.ts'
import { parameterCount } from '../model/decoder/decoder.ts'
import { readTrainConfig } from '../train/settings/config.ts'
import { integerOption, parseArguments } from './arguments.ts'
import { cardLines } from './cardLines.ts'
import { openModel } from './engine.ts'
import { shippedPath } from './files.ts'
import { openOutput, prepareData, rehearse } from './rehearsal.ts'
import { cardAt } from './scripted.ts'
import { readTrainingFile } from './trainingData.ts'

/** The cast's own lines. */
const LINES = 'public/cast/lines.jsonl'

/** The questions that a card's character is asked, unless another number is given. */
const QUESTIONS = 120

/**
 * `teach`: the cast, or the characters of other lines, learn to play on a model, by the recipe of the page's "Teach the cast
 * to this model"; or the character of a card does, from what the model says as it when it is told the whole card.
 */
export async function teach(words: readonly string[]): Promise<void> {
  const values = ['backbone', 'model', 'data', 'card', 'questions', 'out', 'config', 'keep']
  const { options } = parseArguments(words, { values, flags: ['resume', 'ask'] })
  const cardPath = options.get('card')
  const isClash =
    cardPath === undefined ? options.has('ask') || options.has('questions') : options.has('data')
  check(!isClash, 'usage', () => '--ask and --questions go with --card, and --data does not')
  const output = await openOutput(options)
  const lines = cardPath === undefined ? null : await linesOf(cardPath, output.out, options)
  if (options.has('ask')) return
  const { name, model } = await openModel(options)
  const { decoder, fingerprint } = model
  const config = readTrainConfig({
    ...castRecipe(parameterCount(decoder)),
    ...lines?.recipe,
    ...(await readTrainingFile(options.get('config'))),
  })
  const ground = { config, decoder, fingerprint, start: null }
  const data = lines?.path ?? options.get('data') ?? shippedPath(LINES)
  const prepared = await prepareData(data, ground, codecOf(model, name), { isKept: false })
  await rehearse(output, { name, model }, null, prepared)
}

/** The lines of a card's character, beside what is trained on them, and what of the recipe suits so many. */
async function linesOf(cardPath: string, out: string, options: ReadonlyMap<string, string>) {
  const path = `${out}.lines.jsonl`
  const count = integerOption(options, 'questions', QUESTIONS, { least: 1 })
  const speaking = new Map([...options].filter(([key]) => key === 'backbone' || key === 'model'))
  const lessons = await cardLines(path, await cardAt(cardPath), speaking, count)
  return { path, recipe: lessonRecipe(lessons) }
}
