import { HycoraError } from '../../core/errors.ts'
import { uniformAt } from '../../core/random.ts'
import { GREEDY } from '../../core/sampling.ts'
import type { Sampling } from '../../core/sampling.ts'
import { submit } from '../../gpu/kernel.ts'
import { readTensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { addRmsNorm } from '../../kernels/addRmsNorm.ts'
import { PARTIAL_GROUPS, SAMPLING_WORDS, adjustLogits, markWords } from '../../kernels/adjustLogits.ts'
import { crossEntropy } from '../../kernels/crossEntropy.ts'
import { embedding } from '../../kernels/embedding.ts'
import { gated } from '../../kernels/gated.ts'
import type { GateActivation } from '../../kernels/operands/gatedOperands.ts'
import { layerNorm } from '../../kernels/layerNorm.ts'
import { linearBackwardWeight } from '../../kernels/linearBackwardWeight.ts'
import { project } from '../../kernels/project.ts'
import { projectBackward } from '../../kernels/projectBackward.ts'
import { ruleOut } from '../../kernels/ruleOut.ts'
import { RESULT_RING, packSampling, sampleToken } from '../../kernels/sampleToken.ts'
import { attentionCase, cacheCase, rotaryCase } from './knownAttention.ts'
import { KnownOperands, RANK, SCALE, at, product, rowsOf, sum, turned } from './knownOperands.ts'
import type { KnownCase, MakeCase } from './knownOperands.ts'

/* Small cases of the kernels that answer and train, and their equations in float64: a driver that computes wrong shows. */

/** Squared error over squared answer: kernels reach 1e-12 in f32, and a driver that rounds to halves does not pass. */
const MOST_ERROR = 1e-8

const embeddingCase: MakeCase = async ({ device }, make) => {
  const { matrix, values } = make.matrix(8, 64, 11)
  const y = make.output(2, 64)
  const tokens = make.upload([2], Uint32Array.of(5, 2))
  const answer = [...values.subarray(5 * 64, 6 * 64), ...values.subarray(2 * 64, 3 * 64)]
  return {
    name: 'embedding',
    dispatches: [await embedding(device, matrix, { tokens, y })],
    rows: 2,
    output: y,
    answer,
  }
}

/** A projection with an adapter, of one row or of several. */
function projectCase(count: number): MakeCase {
  return async (gpu, make) => {
    const [width, out] = [96, 40]
    const { matrix, values } = make.matrix(out, width, 21)
    const [x, a] = [make.normals(22, count * width), make.normals(23, width * RANK)]
    const adapter = make.adapter(a, new Float32Array(4))
    const y = make.output(count, out + RANK)
    const tensors = { step: make.step(rowsOf(count)), x: make.upload([count, width], x), y }
    const parts = { adapter, count: 1, aOffset: 0, aPartStride: a.length }
    const dispatch = await project(gpu, matrix, parts, tensors, { rows: count === 1 ? 'few' : 'many' })
    const weights = [...values, ...turned(a, RANK)]
    const answer = product(x, weights, count, width)
    return { name: `projection of ${count}`, dispatches: [dispatch], rows: count, output: y, answer }
  }
}

const projectBackwardCase: MakeCase = async (gpu, make) => {
  const [width, out, count] = [96, 40, 5]
  const { matrix, values } = make.matrix(out, width, 31)
  const dy = make.normals(32, count * out)
  const dx = make.output(count, width)
  const tensors = {
    step: make.step(rowsOf(count)),
    dy: make.upload([count, out], dy),
    dropout: make.upload([4], new Uint32Array(4)),
    dx,
  }
  const none = {
    adapter: make.adapter(new Float32Array(4), new Float32Array(4)),
    count: 0,
    aOffset: 0,
    aPartStride: 0,
  }
  const dispatch = await projectBackward(gpu, matrix, none, tensors, { salt: 0 })
  const answer = product(dy, turned(values, width), count, out)
  return { name: 'backward projection', dispatches: [dispatch], rows: count, output: dx, answer }
}

const addRmsNormCase: MakeCase = async (gpu, make) => {
  const [columns, count, epsilon] = [100, 2, 1e-5]
  const [residual, delta] = [make.normals(41, count * columns), make.normals(42, count * (columns + RANK))]
  const [gain, bias, b] = [
    make.normals(43, columns),
    make.normals(44, columns),
    make.normals(45, RANK * columns),
  ]
  const y = make.output(count, columns)
  const tensors = {
    step: make.step(rowsOf(count)),
    gain: make.upload([columns], gain),
    residual: make.upload([count, columns], residual),
    y,
  }
  const added = {
    delta: make.upload([count, columns + RANK], delta),
    bias: make.upload([columns], bias),
    bOffset: 0,
  }
  const adapter = make.adapter(new Float32Array(4), b)
  const dispatch = await addRmsNorm(gpu, adapter, tensors, added, { epsilon })
  const total = (r: number, c: number): number => {
    const from = r * (columns + RANK)
    const adapted = sum(RANK, (j) => at(delta, from + columns + j) * at(b, j * columns + c))
    return at(residual, r * columns + c) + at(delta, from + c) + at(bias, c) + SCALE * adapted
  }
  const answer = Array.from({ length: count * columns }, (_, index) => {
    const [r, c] = [Math.floor(index / columns), index % columns]
    const squares = sum(columns, (k) => total(r, k) ** 2)
    return (at(gain, c) * total(r, c)) / Math.sqrt(squares / columns + epsilon)
  })
  return { name: 'norm', dispatches: [dispatch], rows: count, output: y, answer }
}

const layerNormCase: MakeCase = async ({ device }, make) => {
  const [columns, count, epsilon] = [100, 2, 1e-5]
  const [x, gain, bias] = [
    make.normals(51, count * columns),
    make.normals(52, columns),
    make.normals(53, columns),
  ]
  const y = make.output(count, columns)
  const tensors = {
    x: make.upload([count, columns], x),
    gain: make.upload([columns], gain),
    bias: make.upload([columns], bias),
    y,
  }
  const dispatch = await layerNorm(device, tensors, { epsilon })
  const answer = Array.from(x, (value, index) => {
    const [from, c] = [index - (index % columns), index % columns]
    const mean = sum(columns, (k) => at(x, from + k)) / columns
    const variance = sum(columns, (k) => (at(x, from + k) - mean) ** 2) / columns
    return (at(gain, c) * (value - mean)) / Math.sqrt(variance + epsilon) + at(bias, c)
  })
  return { name: 'layer norm', dispatches: [dispatch], rows: count, output: y, answer }
}

const ACTIVATIONS: Readonly<Record<GateActivation, (gate: number) => number>> = {
  silu: (gate) => gate / (1 + Math.exp(-gate)),
  gelu: (gate) => 0.5 * gate * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (gate + 0.044715 * gate ** 3))),
}

/** A gate of an activation. */
function gatedCase(activation: GateActivation): MakeCase {
  return async ({ device }, make) => {
    const columns = 72
    const stride = 2 * (columns + RANK)
    const [gateUp, bias, b] = [
      make.normals(81, stride),
      make.normals(82, 2 * columns),
      make.normals(83, 2 * RANK * columns),
    ]
    const y = make.output(1, columns)
    const tensors = {
      step: make.step(rowsOf(1)),
      gate_up: make.upload([1, stride], gateUp),
      bias: make.upload([2 * columns], bias),
      y,
    }
    const offsets = { gate: 0, up: RANK * columns }
    const dispatch = await gated(device, activation, make.adapter(new Float32Array(4), b), tensors, offsets)
    const half = (part: number, c: number): number => {
      const u = 2 * columns + part * RANK
      const adapted = sum(RANK, (j) => at(gateUp, u + j) * at(b, (part * RANK + j) * columns + c))
      return at(gateUp, part * columns + c) + at(bias, part * columns + c) + SCALE * adapted
    }
    const answer = Array.from({ length: columns }, (_, c) => ACTIVATIONS[activation](half(0, c)) * half(1, c))
    return { name: `${activation} gate`, dispatches: [dispatch], rows: 1, output: y, answer }
  }
}

const linearBackwardCase: MakeCase = async (gpu, make) => {
  const [columns, inner, count] = [40, 24, 5]
  const [dy, x] = [make.normals(91, count * columns), make.normals(92, count * inner)]
  const dweight = make.output(columns, inner)
  const dispatch = await linearBackwardWeight(gpu, {
    dy: make.upload([count, columns], dy),
    x: make.upload([count, inner], x),
    count: make.upload([1], Uint32Array.of(count)),
    dweight,
    dbias: make.output(columns),
  })
  const answer = product(turned(dy, columns), turned(x, inner), columns, count)
  return { name: 'gradient of weights', dispatches: [dispatch], rows: count, output: dweight, answer }
}

const crossEntropyCase: MakeCase = async ({ device }, make) => {
  const [vocabulary, target] = [300, 7]
  const logits = make.normals(101, vocabulary)
  const buffer = make.upload([1, vocabulary], logits)
  const dispatch = await crossEntropy(device, {
    targets: make.upload([1], Uint32Array.of(target)),
    weights: make.upload([1], Float32Array.of(1)),
    logits: buffer,
    loss: make.output(1),
  })
  const all = sum(vocabulary, (v) => Math.exp(at(logits, v)))
  const answer = Array.from(logits, (logit, v) => Math.exp(logit) / all - Number(v === target))
  return { name: 'cross-entropy', dispatches: [dispatch], rows: 1, output: buffer, answer }
}

/** A token drawn from logits in the given way; `expected` says which, of the ids by falling logit and the logits. */
function sampleCase(
  name: string,
  sampling: Sampling,
  expected: (falling: readonly number[], logits: ArrayLike<number>) => number,
): MakeCase {
  return async ({ device }, make) => {
    const vocabulary = 700
    const logits = make.normals(111, vocabulary).map((value) => 2 * value)
    const falling = [...logits.keys()].toSorted((a, b) => at(logits, b) - at(logits, a))
    const counts = new Uint32Array(vocabulary)
    // Guidance would lead to the least likely of all.
    const beside = new Float32Array(vocabulary)
    beside[falling.at(-1) ?? 0] = -1000
    // What has just been said is the likeliest.
    counts[falling[0] ?? 0] = 1
    const tensors = {
      sampling: make.upload([SAMPLING_WORDS], new Uint32Array(packSampling(sampling, 1))),
      logits: make.upload([2, vocabulary], Float32Array.of(...logits, ...beside)),
      partials: make.output(2, PARTIAL_GROUPS, 2),
      counts: make.upload([vocabulary], counts),
      history: make.output(8),
      step: make.step(rowsOf(1)),
    }
    const marks = make.output(markWords(vocabulary))
    const results = make.output(RESULT_RING)
    const dispatches = [
      await adjustLogits(device, { ...tensors, marks }),
      ...(sampling.guidance === 0 ? [] : [await ruleOut(device, tensors)]),
      await sampleToken(device, { ...tensors, tokens: make.output(1), results }),
    ]
    const answer = [expected(falling, logits)]
    return { name, dispatches, rows: 1, output: results, answer, isOfWords: true }
  }
}

/** The second, where the penalty brings the first below it. */
function penalised(falling: readonly number[], logits: ArrayLike<number>): number {
  const [first = 0, second = 0] = falling
  return at(logits, first) / PENALTY < at(logits, second) ? second : first
}

const PENALTY = 1.8
const DRAWN: Sampling = { ...GREEDY, temperature: 0.9, seed: 5 }

/** Which of the ids that are kept the draw at position 0 falls on. */
function drawn(kept: readonly number[], logits: ArrayLike<number>): number {
  const ids = kept.toSorted((a, b) => a - b)
  const weights = ids.map((id) => Math.exp(at(logits, id) / DRAWN.temperature))
  let rest = uniformAt(DRAWN.seed, 0) * sum(ids.length, (i) => at(weights, i))
  return ids.find((_, i) => (rest -= at(weights, i)) < 0) ?? Number.NaN
}

const CASES: readonly MakeCase[] = [
  embeddingCase,
  projectCase(1),
  projectCase(37),
  projectBackwardCase,
  addRmsNormCase,
  layerNormCase,
  rotaryCase,
  cacheCase,
  attentionCase(1),
  attentionCase(6),
  gatedCase('silu'),
  gatedCase('gelu'),
  linearBackwardCase,
  crossEntropyCase,
  sampleCase('likeliest token', { ...GREEDY, repetitionPenalty: PENALTY, repetitionWindow: 4 }, penalised),
  sampleCase('token that is led to', { ...GREEDY, guidance: 0.5 }, ([first = 0]) => first),
  sampleCase('token of top-k', { ...DRAWN, topK: 6 }, (falling, logits) =>
    drawn(falling.slice(0, 6), logits),
  ),
  sampleCase('token of top-p', { ...DRAWN, topP: 1e-3 }, ([first = 0]) => first),
]

/** Squared error over squared answer; no number is infinitely wrong. */
function errorOf(computed: ArrayLike<number>, answer: ArrayLike<number>): number {
  const error = sum(answer.length, (i) => (at(computed, i) - at(answer, i)) ** 2)
  const square = sum(answer.length, (i) => at(answer, i) ** 2)
  return Number.isFinite(error) ? error / Math.max(square, 1e-30) : Infinity
}

/** What a case's kernels computed. */
async function compute(
  { device }: TunedDevice,
  { dispatches, rows, output, isOfWords }: KnownCase,
): Promise<ArrayLike<number>> {
  submit(device, dispatches, rows)
  const values = await readTensor(device, output)
  return isOfWords ? new Uint32Array(values.buffer) : values
}

/** How many known answers a device was asked for, and the names of those that it got wrong. */
export interface Asked {
  readonly count: number
  readonly wrong: readonly string[]
}

/**
 * Lets a device compute what is known, with its own tuning.
 *
 * @throws what computing throws.
 */
export async function askKnownAnswers(gpu: TunedDevice): Promise<Asked> {
  const make = new KnownOperands(gpu.device)
  try {
    const cases = await Promise.all(CASES.map((create) => create(gpu, make)))
    // All are read at once: some browsers tell of what is done only every 100 ms.
    const computed = await Promise.all(cases.map((one) => compute(gpu, one)))
    const wrong = cases.filter(({ answer }, index) => errorOf(computed[index] ?? [], answer) > MOST_ERROR)
    return { count: cases.length, wrong: wrong.map(({ name }) => name) }
  } finally {
    make.destroy()
  }
}

/**
 * Asks a device for all known answers before it is used.
 *
 * @throws HycoraError `wrong-answers` with the names of the cases that it gets wrong; what computing throws.
 */
export async function checkKnownAnswers(gpu: TunedDevice): Promise<void> {
  const { count, wrong } = await askKnownAnswers(gpu)
  if (wrong.length === 0) return
  throw new HycoraError(
    'wrong-answers',
    `this graphics card, or its driver, computes wrongly: ${wrong.join(', ')} of ${count} known answers`,
  )
}

/**
 * The same of real cards alone: the drivers that play one on a processor are those that the answers are tested with.
 *
 * @throws as `checkKnownAnswers`.
 */
export async function checkSoundness(found: TunedDevice): Promise<void> {
  if (!found.isSoftware) await checkKnownAnswers(found)
}
