import type { Sampling } from '../../core/sampling.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createReadBack, createTensor, readMapped } from '../../gpu/tensor.ts'
import {
  PARTIAL_GROUPS,
  SAMPLING_WORDS,
  adjustLogits,
  markWords,
  packMarks,
} from '../../kernels/adjustLogits.ts'
import { ruleOut } from '../../kernels/ruleOut.ts'
import { NO_TOKEN, RESULT_RING, packSampling, sampleToken } from '../../kernels/sampleToken.ts'
import type { TokenEnds } from '../decoder/backbone.ts'
import { notNumbers } from '../decoder/logits.ts'
import { bytesOfTensors } from './workspace.ts'
import type { Workspace } from './workspace.ts'

/** Turns logits into the next token on the GPU and brings only that token back. */
export interface Sampler {
  /** In order, after the head. */
  readonly dispatches: readonly Dispatch[]
  /** The same where there are two readings. */
  readonly guidedDispatches: readonly Dispatch[]
  /** Begins an answer after a prompt: settings, which tokens the repetition penalty sees, and which tokens end what. */
  start(sampling: Sampling, promptIds: readonly number[], ends: TokenEnds): void
  /**
   * Encodes the copy of the sampled token; after the submit, the returned function resolves with it.
   *
   * @throws HycoraError (the function) as `readMapped`; `not-a-number` where a logit was none.
   */
  copyResult(encoder: GPUCommandEncoder): () => Promise<number>
  /** Of GPU memory. */
  readonly bytes: number
  destroy(): void
}

/** Creates the sampler over the workspace's logits; `capacity` is the most positions of a chat. */
export async function createSampler(
  device: GPUDevice,
  workspace: Workspace,
  capacity: number,
): Promise<Sampler> {
  const vocabulary = workspace.logits.shape.at(-1) ?? 0
  const tensors = {
    sampling: createTensor(device, [SAMPLING_WORDS], 'sampling'),
    counts: createTensor(device, [vocabulary], 'token counts'),
    history: createTensor(device, [capacity + 1], 'token history'),
    marks: createTensor(device, [markWords(vocabulary)], 'token marks'),
    partials: createTensor(device, [2, PARTIAL_GROUPS, 2], 'partial maxima'),
    results: createTensor(device, [RESULT_RING], 'sampled tokens'),
  }
  const { logits, step, tokens } = workspace
  const { sampling, counts, history, marks, partials, results } = tensors
  const [adjusting, rulingOut, choosing] = await Promise.all([
    adjustLogits(device, { sampling, counts, step, history, marks, logits, partials }),
    ruleOut(device, { sampling, logits, partials }),
    sampleToken(device, { sampling, logits, partials, counts, history, step, tokens, results }),
  ])
  // One for each token that may be on its way.
  const staging = Array.from({ length: RESULT_RING }, () => createReadBack(device, 4))
  let position = 0

  return {
    dispatches: [adjusting, choosing],
    guidedDispatches: [adjusting, rulingOut, choosing],
    bytes: staging.reduce((sum, { size }) => sum + size, bytesOfTensors(Object.values(tensors))),
    start(settings, promptIds, ends) {
      const { queue } = device
      queue.writeBuffer(sampling.buffer, 0, packSampling(settings, promptIds.length))
      if (settings.endBonus !== 0) {
        queue.writeBuffer(marks.buffer, 0, packMarks(vocabulary, ends.sentence, ends.turn))
      }
      const seen = new Uint32Array(vocabulary)
      for (const id of promptIds.slice(Math.max(0, promptIds.length - settings.repetitionWindow))) {
        seen[id] = (seen[id] ?? 0) + 1
      }
      queue.writeBuffer(counts.buffer, 0, seen)
      queue.writeBuffer(history.buffer, 0, Uint32Array.from(promptIds))
      position = promptIds.length - 1
    },
    copyResult(encoder) {
      const index = position++ % RESULT_RING
      const target = staging[index]
      if (!target) return () => Promise.reject(new RangeError(`no staging buffer ${index}`))
      encoder.copyBufferToBuffer(results.buffer, index * 4, target, 0, 4)
      return async () => {
        const [id = NO_TOKEN] = new Uint32Array(await readMapped(device, target))
        if (id === NO_TOKEN) throw notNumbers()
        return id
      }
    },
    destroy() {
      for (const { buffer } of Object.values(tensors)) buffer.destroy()
      for (const buffer of staging) buffer.destroy()
    },
  }
}
