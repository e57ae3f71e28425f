import { HycoraError, check } from '../core/errors.ts'
import { GREEDY } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import { buildPrompt } from '../model/prompt.ts'
import { integerOption, numberOption, parseArguments, required } from './arguments.ts'
import { openEngine } from './engine.ts'

const SAMPLING_OPTIONS = [
  'seed',
  'temperature',
  'top-k',
  'top-p',
  'min-p',
  'repetition-penalty',
  'repetition-window',
] as const

function samplingOf(options: ReadonlyMap<string, string>): Sampling {
  if (options.has('greedy')) {
    const clash = SAMPLING_OPTIONS.find((name) => options.has(name))
    check(clash === undefined, 'usage', () => `--greedy and --${clash} do not go together`)
    return GREEDY
  }
  return {
    temperature: numberOption(options, 'temperature', 0.8),
    topK: numberOption(options, 'top-k', 0),
    topP: numberOption(options, 'top-p', 1),
    minP: numberOption(options, 'min-p', 0.05),
    repetitionPenalty: numberOption(options, 'repetition-penalty', 1.1),
    repetitionWindow: numberOption(options, 'repetition-window', 64),
    seed: integerOption(options, 'seed', Math.floor(Math.random() * 2 ** 32), { least: 0 }),
  }
}

/** `generate`: streams an answer as text to stdout. */
export async function generate(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, {
    values: [
      'backbone',
      'model',
      'pack',
      'role',
      'strength',
      'engine',
      'prompt',
      'max-tokens',
      ...SAMPLING_OPTIONS,
    ],
    flags: ['greedy', 'raw'],
  })
  const text = required(options, 'prompt')
  const sampling = samplingOf(options)
  const maxTokens = integerOption(options, 'max-tokens', 128, { least: 1 })
  const strength = numberOption(options, 'strength', 1)
  const { backbone, model, casting, system, name } = await openEngine(options)
  const { tokenizer, template, stopIds } = model
  if (!tokenizer) throw new HycoraError('usage', `${name} has no tokenizer.json`)
  let ids = tokenizer.encode(text)
  if (!options.has('raw')) {
    if (!template) throw new HycoraError('usage', `${name} has no chat template; use --raw`)
    const turns = [{ speaker: 'user' as const, text }]
    const room = Math.max(1, backbone.context - 1)
    ids = [...buildPrompt(template, tokenizer, { system, turns, continueLast: false }, room).ids]
  }
  const stream = tokenizer.stream()
  const cast = casting ? { ...casting, strength } : null
  for await (const id of backbone.generate({ ids, casting: cast, sampling, maxTokens, stopIds })) {
    process.stdout.write(stream.push(id))
  }
  process.stdout.write(`${stream.end()}\n`)
}
