import { idList, parseArguments, required } from './arguments.ts'
import { openSpeaker } from './engine.ts'
import { writeTensorFile } from './tensorFile.ts'
import type { NamedValues } from './tensorFile.ts'

/** `logits`: every token's logits, and those of further tokens decoded one at a time with the cache, as a file. */
export async function logits(words: readonly string[]): Promise<void> {
  const values = ['backbone', 'model', 'pack', 'role', 'ids', 'steps', 'engine', 'out']
  const { options } = parseArguments(words, { values, flags: [] })
  const out = required(options, 'out')
  const ids = idList(required(options, 'ids'), 'ids')
  const stepIds = options.has('steps') ? idList(options.get('steps') ?? '', 'steps') : []
  const { backbone, casting } = await openSpeaker(options)
  const { vocabulary } = backbone.shape
  const all = await backbone.logits(ids, casting)
  const tensors: NamedValues[] = [{ name: 'logits', shape: [ids.length, vocabulary], values: all }]
  if (stepIds.length > 0) {
    const rows = new Float32Array(stepIds.length * vocabulary)
    for (const [row, id] of stepIds.entries()) rows.set(await backbone.step(id), row * vocabulary)
    tensors.push({ name: 'step_logits', shape: [stepIds.length, vocabulary], values: rows })
  }
  await writeTensorFile(out, tensors)
}
