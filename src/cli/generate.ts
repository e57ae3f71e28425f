import { inEnglish } from '../core/remarkTexts.ts'
import { check } from '../core/errors.ts'
import { unescapeLine } from '../core/escapes.ts'
import { ANSWER_TOKENS, GREEDY, STEADY } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import { promptsFor, speak, utter } from '../play/speak.ts'
import type { Delivery, Voice } from '../play/speak.ts'
import type { SceneCue } from '../play/stage.ts'
import { usualSampling } from '../play/usualSampling.ts'
import { integerOption, numberOption, parseArguments, required } from './arguments.ts'
import { openSpeaker } from './engine.ts'
import type { OpenedSpeaker } from './engine.ts'
import { cueFor, openGroup, openingOf, speakInGroup, whoIsNext } from './groupChat.ts'
import type { GroupChat, GroupLine } from './groupChat.ts'
import { isScripted, cueIn } from './scripted.ts'

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
export const DECODING_OPTIONS = ['guidance', 'role-guidance', 'end-bonus', 'end-after'] as const

type Decoding = Pick<Sampling, 'guidance' | 'roleGuidance' | 'endBonus' | 'endAfter'>

/**
 * Guidance and what the end of an answer is worth, where options say so.
 *
 * @throws HycoraError `usage` where both kinds of guidance are asked for.
 */
export function decodingOf(options: ReadonlyMap<string, string>): Partial<Decoding> {
  const clash = options.has('guidance') && options.has('role-guidance')
  check(
    !clash,
    'usage',
    () => '--guidance and --role-guidance do not go together: one of them leads at a time',
  )
  const endAfter = options.has('end-after') && integerOption(options, 'end-after', 0, { least: 0 })
  return {
    ...(options.has('guidance') && { guidance: numberOption(options, 'guidance', 0) }),
    ...(options.has('role-guidance') && { roleGuidance: numberOption(options, 'role-guidance', 1) }),
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

/** Prints what the model would read, and why, as JSON. */
function printSent(voice: Voice, cue: SceneCue, maxTokens: number): void {
  const { prompt, leftOut } = promptsFor(voice, cue, maxTokens)
  const { fired, passed, notes } = cue.report
  const sent = {
    tokens: prompt.ids.length,
    text: prompt.text,
    fired: fired.map(({ why, where, ...entry }) => ({
      ...entry,
      why: inEnglish(why),
      where: inEnglish(where),
    })),
    passed: passed.map(({ why, ...entry }) => ({ ...entry, why: inEnglish(why) })),
    notes: [...leftOut, ...notes].map(inEnglish),
  }
  process.stdout.write(`${JSON.stringify(sent, null, 2)}\n`)
}

/** What does not go with a group, which says itself who plays. */
const NOT_WITH_GROUP = ['role', 'card', 'raw'] as const

/** @throws HycoraError `usage` for options that do not go with a group, or not without one. */
export function checkGroup(options: ReadonlyMap<string, string>): void {
  if (options.has('group')) {
    const clash = NOT_WITH_GROUP.find((name) => options.has(name))
    check(clash === undefined, 'usage', () => `--group and --${clash} do not go together`)
  } else {
    const alone = ['cards', 'rounds'].find((name) => options.has(name))
    check(alone === undefined, 'usage', () => `--${alone} goes with --group alone`)
  }
}

/** Has those of a group answer the visitor, and go on among themselves for some rounds more. */
async function playGroup(
  opened: OpenedSpeaker,
  options: ReadonlyMap<string, string>,
  { strength, ...delivery }: Omit<Delivery, 'casting'> & { readonly strength: number },
): Promise<void> {
  const { pack } = opened
  const rounds = integerOption(options, 'rounds', 1, { least: 1 })
  const chat = await openGroup(options, pack)
  const lines: GroupLine[] = [...openingOf(chat, required(options, 'prompt'))]
  for (let round = 0; round < rounds; round++) {
    for (const key of whoIsNext(chat, lines, delivery.sampling.seed)) {
      const turn = { chat, key, pack, strength }
      if (options.has('sent')) {
        const { cue } = await cueFor(opened, turn, lines)
        printSent(opened, cue, delivery.maxTokens)
        return
      }
      lines.push(await printTurn(speakInGroup(opened, turn, lines, delivery), nameIn(chat, key)))
    }
  }
}

function nameIn({ players }: GroupChat, key: string): string {
  return players.find((player) => player.key === key)?.name ?? key
}

async function printTurn(speech: AsyncGenerator<string, GroupLine>, name: string): Promise<GroupLine> {
  process.stdout.write(`${name}: `)
  for (;;) {
    const { done, value } = await speech.next()
    process.stdout.write(done ? '\n' : value)
    if (done) return value
  }
}

/** `generate`: streams an answer as text to stdout. */
export async function generate(words: readonly string[]): Promise<void> {
  const { options, lists } = parseArguments(words, {
    values: [
      'backbone',
      'model',
      'pack',
      'role',
      'strength',
      'engine',
      'prompt',
      'card',
      'lore',
      'group',
      'cards',
      'rounds',
      'max-tokens',
      ...SAMPLING_OPTIONS,
      ...DECODING_OPTIONS,
    ],
    flags: ['greedy', 'raw', 'sent'],
    repeated: ['stop'],
  })
  const text = required(options, 'prompt')
  const [chosen, decoding] = [samplingOf(options), decodingOf(options)]
  const maxTokens = integerOption(options, 'max-tokens', ANSWER_TOKENS, { least: 1 })
  const strength = numberOption(options, 'strength', 1)
  checkGroup(options)
  const opened = await openSpeaker(options, 'halves')
  const casting = opened.casting && { ...opened.casting, strength }
  // Of the likeliest tokens nothing is changed unless it is asked for.
  const { guidance, roleGuidance, endBonus, endAfter } = options.has('greedy')
    ? GREEDY
    : usualSampling(opened.backbone, chosen.seed)
  const sampling = { ...chosen, guidance, roleGuidance, endBonus, endAfter, ...decoding }
  const stops = (lists.get('stop') ?? []).map(unescapeLine)
  const delivery = { casting, sampling, maxTokens, stops }
  if (options.has('group')) {
    await playGroup(opened, options, { sampling, maxTokens, stops, strength })
    return
  }
  const { tokenizer } = opened.model
  const clash = options.has('raw') && (isScripted(options) || options.has('sent'))
  check(!clash, 'usage', () => '--raw sends the prompt as it is: nothing goes with it')
  if (options.has('sent')) {
    printSent(opened, await cueIn(opened, options, text), maxTokens)
    return
  }
  const speech =
    options.has('raw') && tokenizer
      ? utter(opened, tokenizer.encode(text), delivery)
      : speak(opened, await cueIn(opened, options, text), delivery)
  let shown = 0
  for (;;) {
    const { done, value } = await speech.next()
    if (!done) shown += value.text.length
    process.stdout.write(done ? `${value.text.slice(shown)}\n` : value.text)
    if (done) return
  }
}
