import { HycoraError } from '../core/errors.ts'
import { openTokenizer } from '../model/chatModel.ts'
import { parseArguments, required } from './arguments.ts'
import { findFolder } from './engine.ts'
import { folder } from './files.ts'

/** `tokens`: a text's token ids, and the text that they decode to, as JSON. */
export async function tokens(words: readonly string[]): Promise<void> {
  const { operands, options } = parseArguments(words, { values: ['text'], flags: [] })
  const [directory] = operands
  if (directory === undefined || operands.length > 1) {
    throw new HycoraError('usage', 'tokens takes one folder: tokens DIR --text TEXT')
  }
  const tokenizer = await openTokenizer(folder(await findFolder(directory)))
  if (!tokenizer) throw new HycoraError('usage', `${directory} has no tokenizer.json`)
  const ids = tokenizer.encode(required(options, 'text'))
  process.stdout.write(`${JSON.stringify({ ids, decoded: tokenizer.decode(ids) })}\n`)
}
