import { uniformAt } from '../core/random.ts'
import { LEAST_BEFORE_GUIDANCE, checkSampling } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import type { TokenEnds } from '../model/decoder/backbone.ts'

/** Turns logits into the next token, as the GPU's sampler does. */
export interface CpuSampler {
  /**
   * The token that follows position `position`; the logits are changed in place.
   *
   * @param logits [vocabulary]
   * @param beside [vocabulary] those that guidance leads away from; without them there is none.
   */
  next(logits: Float32Array, position: number, beside?: Float32Array): number
}

const NO_ENDS: TokenEnds = { sentence: new Set(), turn: [] }

/** The weight of a token this far below the likeliest is nothing: e⁻³² ≈ 1e-14. */
const DEEPEST = 31.999998
const DEPTH_STEPS = 2 ** 27

/**
 * Begins an answer: guidance (to nothing that is unlikely without it), the repetition penalty on the tokens of the window, the bonus on the tokens that end a turn
 * where a sentence has just ended; then at temperature 0 the arg-max (the lowest
 * id of equal ones); else temperature, the `topK` highest, of these the likeliest whose probabilities reach `topP`, of
 * these all at least `minP` times as likely as the likeliest (equal ones always share their fate), and a draw from what
 * is kept, in the order of the ids, with a uniform number that is a hash of seed and position.
 *
 * Reference: `shaders/adjust_logits.wgsl`, `shaders/sample_token.wgsl`; Keskar et al., "CTRL", 2019, section 4.1;
 * Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020.
 *
 * @param promptIds what the answer follows; its last tokens are in the window.
 * @param ends the tokens that end a sentence, and those that end a turn.
 * @throws HycoraError `usage` when a setting lies outside of what it can mean.
 */
export function createCpuSampler(
  sampling: Sampling,
  promptIds: readonly number[],
  ends: TokenEnds = NO_ENDS,
): CpuSampler {
  checkSampling(sampling)
  const history = [...promptIds]
  return {
    next(logits, position, beside) {
      const isLongEnough = history.length - promptIds.length >= sampling.endAfter
      const mayEnd = sampling.endBonus !== 0 && isLongEnough && ends.sentence.has(history.at(-1) ?? -1)
      const raised = mayEnd ? ends.turn : []
      if (beside) guide(logits, beside, sampling.guidance, raised)
      penalise(logits, sampling, history)
      for (const id of raised) logits[id] = (logits[id] ?? 0) + sampling.endBonus
      const id = sampling.temperature === 0 ? argMax(logits) : drawToken(logits, sampling, position)
      history.push(id)
      return id
    },
  }
}

/** l + guidance·(l − l₀), in place; what is unlikely by l alone is ruled out, but for what an end's bonus raises. */
function guide(
  logits: Float32Array,
  beside: Float32Array,
  guidance: number,
  raised: readonly number[],
): void {
  if (guidance === 0) return
  const least = (logits[argMax(logits)] ?? 0) + Math.log(LEAST_BEFORE_GUIDANCE)
  for (let id = 0; id < logits.length; id++) {
    const [value = 0, other = 0] = [logits[id], beside[id]]
    if (value < least && !raised.includes(id)) logits[id] = -Infinity
    // What the other logits forbid says nothing of these.
    else if (other !== -Infinity) logits[id] = value + guidance * (value - other)
  }
}

function penalise(
  logits: Float32Array,
  { repetitionPenalty, repetitionWindow }: Sampling,
  history: readonly number[],
): void {
  if (repetitionPenalty === 1 || repetitionWindow === 0) return
  for (const id of new Set(history.slice(-repetitionWindow))) {
    const value = logits[id] ?? 0
    logits[id] = value > 0 ? value / repetitionPenalty : value * repetitionPenalty
  }
}

function argMax(logits: Float32Array): number {
  let best = 0
  for (let id = 1; id < logits.length; id++) {
    if ((logits[id] ?? 0) > (logits[best] ?? 0)) best = id
  }
  return best
}

/** A token that may be drawn: how far its logit lies below the highest, in units of the temperature. */
interface Candidate {
  readonly id: number
  readonly depth: number
}

function drawToken(logits: Float32Array, sampling: Sampling, position: number): number {
  const { temperature, minP, seed } = sampling
  const peak = logits[argMax(logits)] ?? 0
  const lowest = kthLargest(logits, sampling.topK)
  let kept: Candidate[] = []
  logits.forEach((value, id) => {
    const depth = Math.fround(Math.min(peak - value, 100 * temperature) / temperature)
    if (value >= lowest && depth <= DEEPEST) kept.push({ id, depth })
  })
  const limit = nucleusLimit(kept, sampling.topP)
  const steepest = minP > 0 ? -Math.log(minP) : Infinity
  kept = kept.filter(({ depth }) => depthCode(depth) <= limit && depth <= steepest)
  const total = kept.reduce((sum, { depth }) => sum + Math.exp(-depth), 0)
  const goal = uniformAt(seed, position) * total
  let passed = 0
  for (const { id, depth } of kept) {
    passed += Math.exp(-depth)
    if (passed > goal) return id
  }
  return kept.at(-1)?.id ?? 0
}

/** The k-th largest logit; all are at least as large as the result where k is 0 or beyond the vocabulary. */
function kthLargest(logits: Float32Array, k: number): number {
  if (k === 0 || k >= logits.length) return -Infinity
  return logits.toSorted()[logits.length - k] ?? -Infinity
}

/** Depths that differ by less than 2⁻²⁷ count as equal. */
function depthCode(depth: number): number {
  return Math.floor(depth * DEPTH_STEPS)
}

/** The code up to which the likeliest candidates hold the share `topP` of all their probability. */
function nucleusLimit(candidates: readonly Candidate[], topP: number): number {
  if (topP >= 1) return Infinity
  const depths = Float32Array.from(candidates, ({ depth }) => depth).toSorted()
  const goal = topP * depths.reduce((sum, depth) => sum + Math.exp(-depth), 0)
  let mass = 0
  for (const depth of depths) {
    mass += Math.exp(-depth)
    if (mass >= goal) return depthCode(depth)
  }
  return Infinity
}
