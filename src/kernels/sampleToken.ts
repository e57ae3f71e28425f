import code from '../../shaders/sample_token.wgsl?raw'
import { check } from '../core/errors.ts'
import { LEAST_BEFORE_GUIDANCE, checkSampling } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { SAMPLING_WORDS } from './adjustLogits.ts'

export const sampleTokenKernel = defineKernel({
  name: 'sample_token',
  code,
  uniforms: { vocabulary: 'u32', partials: 'u32', capacity: 'u32' },
  bindings: ['sampling', 'logits', 'partials', 'counts', 'history', 'step', 'tokens', 'results'],
})

/** Stands for a token where a logit is no number; the same as in the shaders. */
export const NO_TOKEN = 0xffffffff

/** The newest tokens stand in a ring of this many, by position, until the host has read them. */
export const RESULT_RING = 4

/** The weights of one invocation's share of the vocabulary must fit into workgroup memory. */
const MAX_VOCABULARY = 256 * 2048

function checkShape(condition: boolean, name: string, { shape }: Tensor, expected: string): void {
  check(
    condition,
    'shape-mismatch',
    () => `sample_token: ${name} has shape [${shape.join(', ')}], expected ${expected}`,
  )
}

/**
 * The settings as the kernels read them: temperature, top-k, top-p, min-p, repetition penalty, repetition window, seed,
 * guidance, bonus of the end, the position from which it counts, and how far below the likeliest guidance finds a token.
 *
 * @param promptLength tokens before the answer.
 * @throws HycoraError `usage` when a setting lies outside of what it can mean.
 */
export function packSampling(sampling: Sampling, promptLength: number): ArrayBuffer {
  const { temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, seed } = sampling
  const { guidance, endBonus, endAfter } = sampling
  checkSampling(sampling)
  const view = new DataView(new ArrayBuffer(SAMPLING_WORDS * 4))
  view.setFloat32(0, temperature, true)
  view.setUint32(4, topK, true)
  view.setFloat32(8, topP, true)
  view.setFloat32(12, minP, true)
  view.setFloat32(16, repetitionPenalty, true)
  view.setUint32(20, repetitionWindow, true)
  view.setUint32(24, seed, true)
  view.setFloat32(28, guidance, true)
  view.setFloat32(32, endBonus, true)
  view.setUint32(36, promptLength - 1 + endAfter, true)
  view.setFloat32(40, -Math.log(LEAST_BEFORE_GUIDANCE), true)
  return view.buffer
}

/**
 * The second half of sampling: the next token out of row 0 of the logits, and everything that follows from it.
 *
 * Where `adjustLogits` found a logit that is no number there is no token: `NO_TOKEN` goes into `results`, and nothing
 * else changes.
 *
 * At temperature 0 the arg-max, the lowest id of equal ones. Else, in this order: temperature; the `topK` highest; of
 * these the likeliest whose probabilities reach `topP`; of these all at least `minP` times as likely as the likeliest
 * (equal ones always share their fate); then a draw from what is kept, in the order of the ids, with a uniform number
 * that is a hash of seed and position. Neutral settings take no pass. Depths below the peak, (max − l) / temperature,
 * count as equal for top-p within 2⁻²⁷.
 *
 * Reference: the order of Hugging Face's logits warpers; Holtzman et al., "The Curious Case of Neural Text
 * Degeneration", 2020.
 *
 * @param tensors `sampling` [11] words of `packSampling`, `logits` [rows ≥ 1, vocabulary] and `partials` u32
 * [2, PARTIAL_GROUPS, 2], of which the first half is read, after `adjustLogits` and, with guidance, `ruleOut`; `counts` u32 [vocabulary] and `history` u32 [capacity] take the token in
 * (and out of the window's counts the one that leaves), `step` [1 + 4 · rows] advances by one position; writes
 * `tokens` u32 [≥ rows] of all its rows and `results` u32 [4] at position % 4.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above or the vocabulary exceeds 524,288.
 */
export async function sampleToken(
  device: GPUDevice,
  tensors: {
    readonly sampling: Tensor
    readonly logits: Tensor
    readonly partials: Tensor
    readonly counts: Tensor
    readonly history: Tensor
    readonly step: Tensor
    readonly tokens: Tensor
    readonly results: Tensor
  },
): Promise<Dispatch> {
  const { sampling, logits, partials, counts, history, step, tokens, results } = tensors
  const vocabulary = logits.shape.at(-1) ?? 0
  checkShape(
    vocabulary > 0 && vocabulary <= MAX_VOCABULARY,
    'logits',
    logits,
    `at most ${MAX_VOCABULARY} columns`,
  )
  checkShape(sizeOf(sampling.shape) === SAMPLING_WORDS, 'sampling', sampling, `[${SAMPLING_WORDS}]`)
  checkShape(partials.shape.at(-1) === 2, 'partials', partials, '[2, groups, 2]')
  checkShape(sizeOf(counts.shape) === vocabulary, 'counts', counts, `[${vocabulary}]`)
  checkShape(sizeOf(step.shape) >= 5, 'step', step, 'at least one row')
  checkShape(sizeOf(tokens.shape) >= 1, 'tokens', tokens, 'at least one row')
  checkShape(sizeOf(results.shape) === RESULT_RING, 'results', results, `[${RESULT_RING}]`)
  return bindKernel(
    device,
    sampleTokenKernel,
    tensors,
    { vocabulary, partials: sizeOf(partials.shape) / 4, capacity: sizeOf(history.shape) },
    { workgroups: () => [1, 1, 1] },
  )
}
