import type { AnswerEnd, StopReason } from '../core/dialogue.ts'
import { createCpuSampler } from '../fallback/sampler.ts'
import type { CpuSampler } from '../fallback/sampler.ts'
import { codecOf } from '../model/chatModel.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import type { Chorus, ReadTokens } from '../model/decoder/chorus.ts'
import { leadingOf } from '../model/decoder/leading.ts'
import { checkLogits } from '../model/decoder/logits.ts'
import { sentenceEndsOf } from './sentenceEnds.ts'
import { openUtterance, promptsFor, speak } from './speak.ts'
import type { Answer, Cue, Delivery, Piece, Utterance, Voice } from './speak.ts'

/** Somebody of several who answer at once. */
export interface Speaking {
  readonly cue: Cue
  readonly delivery: Pick<Delivery, 'casting' | 'sampling' | 'maxTokens' | 'stops'>
}

/** A piece of the answer of one of them. */
export interface PieceOf {
  readonly speaking: number
  readonly piece: Piece
}

/** What one of them is about to say: which readings are theirs, and what they have said. */
interface Turn {
  readonly index: number
  readonly own: number
  /** The reading that guidance leads away from. */
  readonly beside: number | null
  readonly sampler: CpuSampler
  readonly speech: Utterance
  /** Of the last token of the prompt. */
  readonly position: number
  /** The most tokens, for whichever reason. */
  readonly limit: number
  readonly atLimit: AnswerEnd
}

/** A reading before its first token. */
interface Prompted {
  readonly ids: readonly number[]
  readonly casting: Casting | null
}

/**
 * Gives several the word at once: the same as each answer by itself, token by token, while the weights are read once for
 * all; one after the other where the backbone cannot do that, or they find no room.
 *
 * @returns their answers, in order; of a stopped one what was said, or null before it had the word.
 * @throws HycoraError as `speak`.
 */
export async function* speakTogether(
  voice: Voice,
  all: readonly Speaking[],
  signal: AbortSignal,
): AsyncGenerator<PieceOf, (Answer | null)[]> {
  const readings: Prompted[] = []
  const turns = all.map((speaking, index) => prepare(voice, speaking, index, readings))
  const capacity = Math.max(
    ...turns.map(({ position, limit }) => position + 1 + limit),
    ...longest(readings, turns),
  )
  const castings = readings.map(({ casting }) => casting)
  const chorus = (await voice.backbone.openChorus?.({ castings, capacity })) ?? null
  if (!chorus) return yield* speakInTurn(voice, all, signal)
  try {
    return yield* sing(chorus, turns, readings, { stopIds: voice.model.stopIds, signal })
  } finally {
    chorus.destroy()
  }
}

/** How long each second reading may become. */
function longest(readings: readonly Prompted[], turns: readonly Turn[]): number[] {
  return turns.flatMap(({ beside, limit }) =>
    beside === null ? [] : [(readings[beside]?.ids.length ?? 0) + limit],
  )
}

function prepare(
  voice: Voice,
  { cue, delivery: { casting, sampling, maxTokens, stops = [] } }: Speaking,
  index: number,
  readings: Prompted[],
): Turn {
  const { tokenizer } = codecOf(voice.model, voice.name)
  const { prompt, beside } = promptsFor(voice, cue, maxTokens)
  const { ids } = prompt
  const leading = leadingOf({ ids, casting, sampling, ...(beside && { beside: beside.ids }) })
  const own = readings.push({ ids, casting }) - 1
  const second = leading && readings.push(leading) - 1
  const room = voice.backbone.context - Math.max(ids.length, leading?.ids.length ?? 0)
  const ends = { sentence: sentenceEndsOf(tokenizer), turn: voice.model.stopIds }
  return {
    index,
    own,
    beside: second,
    sampler: createCpuSampler({ ...sampling, guidance: leading?.guidance ?? 0 }, ids, ends),
    speech: openUtterance(tokenizer, [], stops),
    position: ids.length - 1,
    limit: Math.min(maxTokens, room),
    atLimit: room < maxTokens ? 'context' : 'length',
  }
}

interface Singing {
  readonly stopIds: readonly number[]
  readonly signal: AbortSignal
}

async function* sing(
  chorus: Chorus,
  turns: readonly Turn[],
  readings: readonly Prompted[],
  { stopIds, signal }: Singing,
): AsyncGenerator<PieceOf, Answer[]> {
  const answers = new Map<Turn, Answer>()
  const rest = (stop: StopReason): Answer[] => turns.map((turn) => answers.get(turn) ?? turn.speech.end(stop))
  let rows: readonly ReadTokens[] = readings.map(({ ids }, reading) => ({ reading, ids }))
  for (let count = 0; rows.length > 0; count++) {
    if (signal.aborted) return rest('cancelled')
    const logits = await logitsOf(chorus, rows)
    const next: ReadTokens[] = []
    for (const turn of turns.filter((one) => !answers.has(one))) {
      const own = logits.get(turn.own)
      if (!own || count >= turn.limit) {
        answers.set(turn, turn.speech.end(turn.atLimit))
        continue
      }
      const other = turn.beside === null ? undefined : logits.get(turn.beside)
      const id = turn.sampler.next(own, turn.position + count, other)
      if (stopIds.includes(id)) {
        answers.set(turn, turn.speech.end('end'))
        continue
      }
      yield { speaking: turn.index, piece: turn.speech.take(id) }
      const whole = turn.speech.over()
      if (whole) answers.set(turn, whole)
      else if (count + 1 >= turn.limit) answers.set(turn, turn.speech.end(turn.atLimit))
      else for (const reading of readingsOf(turn)) next.push({ reading, ids: [id] })
    }
    rows = next
  }
  return rest('end')
}

function readingsOf({ own, beside }: Turn): readonly number[] {
  return beside === null ? [own] : [own, beside]
}

/** The logits behind each of the readings that are fed. */
async function logitsOf(
  chorus: Chorus,
  rows: readonly ReadTokens[],
): Promise<ReadonlyMap<number, Float32Array>> {
  const logits = await chorus.read(rows)
  const width = logits.length / rows.length
  return new Map(
    rows.map(({ reading }, row) => {
      const own = logits.subarray(row * width, (row + 1) * width)
      checkLogits(own)
      return [reading, own]
    }),
  )
}

async function* speakInTurn(
  voice: Voice,
  all: readonly Speaking[],
  signal: AbortSignal,
): AsyncGenerator<PieceOf, (Answer | null)[]> {
  const answers: (Answer | null)[] = []
  for (const [index, { cue, delivery }] of all.entries()) {
    if (signal.aborted) {
      answers.push(null)
      continue
    }
    const answer = speak(voice, cue, { ...delivery, signal })
    for (;;) {
      const { done, value } = await answer.next()
      if (done) {
        answers.push(value)
        break
      }
      yield { speaking: index, piece: value }
    }
  }
  return answers
}
