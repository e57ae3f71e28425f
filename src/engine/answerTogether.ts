import type { PieceOf, Speaking } from '../play/speakTogether.ts'
import { speakTogether } from '../play/speakTogether.ts'
import type { Answer } from '../play/speak.ts'
import { castScene, cueOf } from '../play/stage.ts'
import type { Stage } from '../play/stage.ts'
import type { EngineRequests } from './protocol.ts'

type Together = EngineRequests['together']

/**
 * Answers several scenes at once; those of another pack come after those of the first, since one is attached at a time.
 *
 * @throws HycoraError as `speak`.
 */
export async function* answerTogether(
  stage: Stage,
  { answers, maxTokens }: Together['params'],
  signal: AbortSignal,
): AsyncGenerator<Together['yields'], Together['returns']> {
  const summaries: Together['returns'][number][] = answers.map(() => ({
    text: '',
    tokens: 0,
    stop: 'cancelled',
  }))
  const byPack = Map.groupBy(answers.keys(), (index) => answers[index]?.scene.pack?.id)
  for (const indices of byPack.values()) {
    if (signal.aborted) break
    const speaking: Speaking[] = []
    for (const index of indices) {
      const answer = answers[index]
      if (!answer) continue
      const casting = await castScene(stage, answer.scene)
      speaking.push({
        cue: await cueOf(stage, answer.scene),
        delivery: { casting, sampling: answer.sampling, maxTokens, stops: answer.stops ?? [] },
      })
    }
    const said = yield* passOn(speakTogether(stage, speaking, signal), indices)
    said.forEach((answer, place) => {
      const index = indices[place]
      if (answer && index !== undefined)
        summaries[index] = { text: answer.text, tokens: answer.tokens.length, stop: answer.stop }
    })
  }
  return summaries
}

async function* passOn(
  speech: AsyncGenerator<PieceOf, (Answer | null)[]>,
  indices: readonly number[],
): AsyncGenerator<Together['yields'], (Answer | null)[]> {
  for (;;) {
    const { done, value } = await speech.next()
    if (done) return value
    yield { index: indices[value.speaking] ?? 0, text: value.piece.text }
  }
}
