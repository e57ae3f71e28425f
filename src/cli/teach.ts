import { castRecipe } from '../cast/castRecipe.ts'
import { codecOf } from '../model/chatModel.ts'
import { parameterCount } from '../model/decoder/decoder.ts'
import { readTrainConfig } from '../train/settings/config.ts'
import { parseArguments } from './arguments.ts'
import { openModel } from './engine.ts'
import { shippedPath } from './files.ts'
import { openOutput, prepareData, rehearse } from './rehearsal.ts'
import { readTrainingFile } from './trainingData.ts'

/** The cast's own lines. */
const LINES = 'public/cast/lines.jsonl'

/**
 * `teach`: the cast, or the characters of other lines, learn to play on a model, by the recipe of the page's "Teach the cast
 * to this model".
 */
export async function teach(words: readonly string[]): Promise<void> {
  const values = ['backbone', 'model', 'data', 'out', 'config', 'keep']
  const { options } = parseArguments(words, { values, flags: ['resume'] })
  const output = await openOutput(options)
  const { name, model } = await openModel(options)
  const { decoder, fingerprint } = model
  const config = readTrainConfig({
    ...castRecipe(parameterCount(decoder)),
    ...(await readTrainingFile(options.get('config'))),
  })
  const ground = { config, decoder, fingerprint, start: null }
  const prepared = await prepareData(
    options.get('data') ?? shippedPath(LINES),
    ground,
    codecOf(model, name),
    {
      isKept: false,
    },
  )
  await rehearse(output, { name, model }, null, prepared)
}
