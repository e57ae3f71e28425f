import code from '../../shaders/adjust_logits.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const adjustLogitsKernel = defineKernel({
  name: 'adjust_logits',
  code,
  uniforms: { vocabulary: 'u32', groups: 'u32' },
  bindings: ['sampling', 'counts', 'step', 'history', 'marks', 'logits', 'partials'],
})

/** Ids of equal remainder by this number are a group, which has a partial maximum. */
export const PARTIAL_GROUPS = 1024

const WORKGROUP_SIZE = 64

/** 32-bit words of the sampling settings, see `packSampling`. */
export const SAMPLING_WORDS = 11

/** Tokens whose two bits are in a word of the marks. */
const MARKED = 16
const ENDS_SENTENCE = 1
const ENDS_TURN = 2

/** Words of the marks of a vocabulary. */
export function markWords(vocabulary: number): number {
  return Math.ceil(vocabulary / MARKED)
}

/** The marks of a vocabulary's tokens: which end a sentence and which a turn, in two bits each. */
export function packMarks(
  vocabulary: number,
  sentenceEnds: Iterable<number>,
  turnEnds: Iterable<number>,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(markWords(vocabulary))
  const mark = (ids: Iterable<number>, bit: number): void => {
    for (const id of ids) {
      const at = Math.floor(id / MARKED)
      if (at < words.length) words[at] = (words[at] ?? 0) | (bit << (2 * (id % MARKED)))
    }
  }
  mark(sentenceEnds, ENDS_SENTENCE)
  mark(turnEnds, ENDS_TURN)
  return words
}

/**
 * The first half of sampling, in place: leads the logits of row 0 away from those of row 1, divides the positive and
 * multiplies the negative ones of recent tokens by the penalty, adds the bonus to those that end a turn where a sentence
 * has just ended; and finds the largest logit of each group of ids `v % PARTIAL_GROUPS` with its id; NaN and +∞, in
 * either row, are found as `NO_TOKEN`, above all others. With guidance the largest are those of row 0 as they were, which
 * are kept in row 1, so that `ruleOut` finds what was unlikely then; without, it has nothing to do.
 *
 * Reference: Keskar et al., "CTRL", 2019, section 4.1; Hugging Face's `RepetitionPenaltyLogitsProcessor`; Shi et al.,
 * "Trusting Your Evidence: Hallucinate Less with Context-aware Decoding", 2023, equation 2; Li et al., "Contrastive
 * Decoding: Open-ended Text Generation as Optimization", 2023, section 3.3.
 *
 * @param tensors `sampling` [11] words of `packSampling`; `counts` u32 [vocabulary]: how often each token occurs in the
 * window; `step`, of which row 0 is at the last token fed; `history` u32 [capacity]: the tokens by position; `marks` of
 * `packMarks`; `logits` [rows ≥ 1, vocabulary], two rows where there is guidance; writes
 * `partials` u32 [2, PARTIAL_GROUPS, 2], the second half with guidance, the first without.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function adjustLogits(
  device: GPUDevice,
  tensors: {
    readonly sampling: Tensor
    readonly counts: Tensor
    readonly step: Tensor
    readonly history: Tensor
    readonly marks: Tensor
    readonly logits: Tensor
    readonly partials: Tensor
  },
): Promise<Dispatch> {
  const { sampling, counts, marks, logits, partials } = tensors
  const vocabulary = logits.shape.at(-1) ?? 0
  check(
    sizeOf(sampling.shape) === SAMPLING_WORDS &&
      sizeOf(counts.shape) === vocabulary &&
      sizeOf(marks.shape) === markWords(vocabulary) &&
      sizeOf(partials.shape) === PARTIAL_GROUPS * 4,
    'shape-mismatch',
    () =>
      `adjust_logits: sampling [${sampling.shape.join(', ')}], counts [${counts.shape.join(', ')}], marks ` +
      `[${marks.shape.join(', ')}] and partials [${partials.shape.join(', ')}], expected [${SAMPLING_WORDS}], ` +
      `[${vocabulary}], [${markWords(vocabulary)}] and [2, ${PARTIAL_GROUPS}, 2]`,
  )
  return bindKernel(
    device,
    adjustLogitsKernel,
    tensors,
    { vocabulary, groups: PARTIAL_GROUPS },
    { workgroups: () => [PARTIAL_GROUPS / WORKGROUP_SIZE, 1, 1] },
  )
}
