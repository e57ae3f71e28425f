import { check } from '../core/errors.ts'
import { ANSWER_TOKENS, GREEDY, STEADY } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import { speak, utter } from '../play/speak.ts'
import { usualSampling } from '../play/usualSampling.ts'
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

/** What `--greedy` leaves as it is said to be: they change which token is the likeliest. */
export const DECODING_OPTIONS = ['guidance', 'end-bonus', 'end-after'] as const

type Decoding = Pick<Sampling, 'guidance' | 'endBonus' | 'endAfter'>

/** Guidance and what the end of an answer is worth, where options say so. */
export function decodingOf(options: ReadonlyMap<string, string>): Partial<Decoding> {
  const endAfter = options.has('end-after') && integerOption(options, 'end-after', 0, { least: 0 })
  return {
    ...(options.has('guidance') && { guidance: numberOption(options, 'guidance', 0) }),
    ...(options.has('end-bonus') && { endBonus: numberOption(options, 'end-bonus', 0) }),
    ...(endAfter !== false && { endAfter }),
  }
}

function samplingOf(options: ReadonlyMap<string, string>): Omit<Sampling, keyof Decoding> {
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
      ...DECODING_OPTIONS,
    ],
    flags: ['greedy', 'raw'],
  })
  const text = required(options, 'prompt')
  const [chosen, decoding] = [samplingOf(options), decodingOf(options)]
  const maxTokens = integerOption(options, 'max-tokens', ANSWER_TOKENS, { least: 1 })
  const strength = numberOption(options, 'strength', 1)
  const opened = await openSpeaker(options)
  const casting = opened.casting && { ...opened.casting, strength }
  // Of the likeliest tokens nothing is changed unless it is asked for.
  const { guidance, endBonus, endAfter } = options.has('greedy')
    ? GREEDY
    : usualSampling(opened.backbone, chosen.seed)
  const sampling = { ...chosen, guidance, endBonus, endAfter, ...decoding }
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
