import { asHycoraError } from '../core/errors.ts'
import { promptFor, promptsFor, speak } from '../play/speak.ts'
import type { Answer, Cue, Piece } from '../play/speak.ts'
import { castScene, cueOf } from '../play/stage.ts'
import type { Stage } from '../play/stage.ts'
import type { Scene } from '../play/scene.ts'
import type { GenerateParams, GenerationSummary, PromptPreview, TokenDelta } from './protocol.ts'

/** How long after a failure the loss of the device may be told that was its cause. */
const LOSS_NOTICE_MS = 3000

/** Whether a device is lost, or will be told to be within a moment: a failure alone does not say so. */
function isLost(device: GPUDevice): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), LOSS_NOTICE_MS)
    void device.lost.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

/** What is sent to the model for a scene. @throws HycoraError as `promptFor`. */
export async function previewScene(stage: Stage, scene: Scene): Promise<PromptPreview> {
  const cue = await cueOf(stage, scene)
  const { prompt, beside, leftOut } = promptsFor(stage, cue)
  const { text, ids, firstTurn } = prompt
  return {
    text,
    beside: beside?.text ?? null,
    tokens: ids.length,
    firstTurn,
    context: stage.backbone.context,
    script: { ...cue.report, notes: [...leftOut, ...cue.report.notes] },
  }
}

/**
 * Answers a scene. When the graphics device is lost in the middle, the answer goes on where it was on the stage that takes
 * the lost one's place: the sampler's randomness hangs on the position alone.
 *
 * @param current the stage, once a recovery under way is through.
 */
export async function* answerScene(
  current: () => Promise<Stage>,
  { scene, sampling, maxTokens, stops = [] }: GenerateParams,
  signal: AbortSignal,
): AsyncGenerator<TokenDelta, GenerationSummary> {
  const startMs = performance.now()
  const said: number[] = []
  let firstMs = startMs
  for (;;) {
    const stage = await current()
    try {
      const cue: Cue = await cueOf(stage, scene)
      const casting = await castScene(stage, scene)
      const { ids, firstTurn } = promptFor(stage, cue, maxTokens)
      const answer = speak(stage, cue, { casting, sampling, maxTokens, stops, said: [...said], signal })
      const { text, stop } = yield* passOn(answer, said, () => (firstMs = performance.now()))
      return {
        text,
        promptTokens: ids.length,
        tokens: said.length,
        firstTurn,
        stop,
        firstTokenMs: firstMs - startMs,
        tokensPerSecond: said.length > 1 ? ((said.length - 1) * 1000) / (performance.now() - firstMs) : 0,
      }
    } catch (error) {
      const mayBeLost = asHycoraError(error, 'device-lost').code === 'device-lost'
      if (!mayBeLost || !stage.device || !(await isLost(stage.device))) throw error
    }
  }
}

/** Passes an answer on piece by piece, and keeps count of its tokens. */
async function* passOn(
  answer: AsyncGenerator<Piece, Answer>,
  said: number[],
  onFirst: () => void,
): AsyncGenerator<TokenDelta, Answer> {
  for (;;) {
    const { done, value } = await answer.next()
    if (done) return value
    if (said.length === 0) onFirst()
    said.push(value.id)
    yield { text: value.text, tokens: said.length }
  }
}
