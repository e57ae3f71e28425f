import { check } from '../core/errors.ts'
import { castScene, cueOf } from '../play/stage.ts'
import type { Stage } from '../play/stage.ts'
import { likeliestAt, weighWords } from '../play/weigh.ts'
import type { Candidate } from '../play/weigh.ts'
import type { EngineRequests } from './protocol.ts'

type Weighing = EngineRequests['weigh']
type Alternatives = EngineRequests['alternatives']

/** How many tokens are named in a place. */
const NAMED = 5

/**
 * Weighs the same words in one scene after the other.
 *
 * @yields after each scene.
 * @throws HycoraError as `weighWords`, `cancelled`.
 */
export async function* weighScenes(
  stage: Stage,
  { scenes, text }: Weighing['params'],
  signal: AbortSignal,
): AsyncGenerator<Weighing['yields'], null> {
  for (const [index, scene] of scenes.entries()) {
    check(!signal.aborted, 'cancelled', () => 'the weighing of the words was stopped')
    const casting = await castScene(stage, scene)
    yield { index, pieces: await weighWords(stage, await cueOf(stage, scene), text, casting) }
  }
  return null
}

/** What would rather have been said in a place of a text, in each of several scenes. @throws HycoraError as `likeliestAt`. */
export async function alternativesIn(
  stage: Stage,
  { scenes, text, piece }: Alternatives['params'],
): Promise<Alternatives['returns']> {
  const found: (readonly Candidate[])[] = []
  for (const scene of scenes) {
    const casting = await castScene(stage, scene)
    found.push(await likeliestAt(stage, await cueOf(stage, scene), { text, piece, most: NAMED }, casting))
  }
  return found
}
