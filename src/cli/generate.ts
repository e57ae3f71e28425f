import { check } from '../core/errors.ts'
import { ANSWER_TOKENS, GREEDY, STEADY } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import { speak, utter } from '../play/speak.ts'
import { integerOption, numberOption, parseArguments, required } from './arguments.ts'
import { openSpeaker } from './engine.ts'

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
    temperature: numberOption(options, 'temperature', STEADY.temperature),
    topK: numberOption(options, 'top-k', STEADY.topK),
    topP: numberOption(options, 'top-p', STEADY.topP),
    minP: numberOption(options, 'min-p', STEADY.minP),
    repetitionPenalty: numberOption(options, 'repetition-penalty', STEADY.repetitionPenalty),
    repetitionWindow: numberOption(options, 'repetition-window', STEADY.repetitionWindow),
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
  const maxTokens = integerOption(options, 'max-tokens', ANSWER_TOKENS, { least: 1 })
  const strength = numberOption(options, 'strength', 1)
  const opened = await openSpeaker(options)
  const casting = opened.casting && { ...opened.casting, strength }
  const delivery = { casting, sampling, maxTokens }
  const { tokenizer } = opened.model
  const speech =
    options.has('raw') && tokenizer
      ? utter(opened, tokenizer.encode(text), delivery)
      : speak(opened, { system: opened.system, turns: [{ speaker: 'user', text }] }, delivery)
  let shown = 0
  for (;;) {
    const { done, value } = await speech.next()
    if (!done) shown += value.text.length
    process.stdout.write(done ? `${value.text.slice(shown)}\n` : value.text)
    if (done) return
  }
}
