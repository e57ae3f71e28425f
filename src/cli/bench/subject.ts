import { join } from 'node:path'

import { HycoraError, asHycoraError } from '../../core/errors.ts'
import { Random } from '../../core/random.ts'
import { GREEDY } from '../../core/sampling.ts'
import type { Pack } from '../../formats/pack.ts'
import type { Casting } from '../../model/decoder/backbone.ts'
import { GpuBackbone } from '../../model/gpu/gpuBackbone.ts'
import { describeFormat } from '../../model/gpu/gpuWeights.ts'
import type { OpenedModel } from '../engine.ts'
import { openNodeDevice } from '../gpu.ts'
import type { NodeDevice } from '../gpu.ts'
import type { BenchCase, BenchRow, Measured } from './report.ts'
import { rowOf } from './report.ts'
import { openRival } from './rival.ts'
import type { Provider, Rival, RivalModel } from './rival.ts'
import { tuneWith } from './tune.ts'

/** What is measured: one backbone on one device, the pack played on it, and how long to measure. */
export interface BenchSubject {
  readonly opened: OpenedModel
  readonly gpu: NodeDevice
  readonly backbone: GpuBackbone
  readonly pack: Pack | null
  readonly rounds: number
  readonly tokens: number
  /** What replaces the device's tuning in parts. */
  readonly tune: string | undefined
  row(name: BenchCase, measured: Measured): BenchRow
}

/** The model file as the rival opens it. */
export function rivalModel({ root, model }: OpenedModel): RivalModel {
  const { layers, headDim } = model.decoder
  return { path: join(root, model.modelFile), layers, headDim }
}

/** Brings the backbone to the machine's device. */
export async function openSubject(
  opened: OpenedModel,
  pack: Pack | null,
  measuring: Pick<BenchSubject, 'rounds' | 'tokens' | 'tune'>,
): Promise<BenchSubject> {
  const found = await openNodeDevice()
  const gpu = { ...found, tuning: tuneWith(found.tuning, measuring.tune) }
  const about = { model: opened.name, type: describeFormat(opened.model.decoder) }
  return {
    opened,
    gpu,
    backbone: await GpuBackbone.create(gpu, opened.model.decoder),
    pack,
    ...measuring,
    row: (name, measured) => rowOf(name, about, measured),
  }
}

/** Token ids to read, always the same ones for a seed; another seed differs from the first token on. */
export function promptIds(count: number, vocabulary: number, seed: number): number[] {
  const random = new Random(seed)
  const ids = Array.from({ length: count }, () => random.nextBelow(vocabulary))
  // No two seeds of a run share a first token: whatever a cache of prefixes holds is of no use.
  ids[0] = seed % vocabulary
  return ids
}

/** Greedy tokens of ours to a fixed length. */
export function generateGreedy(
  backbone: GpuBackbone,
  ids: readonly number[],
  maxTokens: number,
  casting: Casting | null = null,
): AsyncIterable<number> {
  return backbone.generate({ ids, casting, sampling: GREEDY, maxTokens, stopIds: [] })
}

/** Waits for the first token of a stream. */
export async function takeFirst(tokens: AsyncIterable<number>): Promise<void> {
  for await (const id of tokens) if (id >= 0) break
}

/** Normalised mean squared error of `actual` against `reference`: Σ(y − ŷ)² / Σŷ². */
export function normalisedError(actual: Float32Array, reference: Float32Array): number {
  let error = 0
  let power = 0
  reference.forEach((value, index) => {
    error += ((actual[index] ?? NaN) - value) ** 2
    power += value ** 2
  })
  return error / power
}

/** A rival that computes what we compute, or why there is none. */
export type Opponent =
  | { readonly rival: Rival; readonly nmse: number; readonly note?: string }
  | { readonly rival: null; readonly name: string; readonly note: string }

const CHECKED_TOKENS = 24

/** How far logits may be apart: the rival multiplies halves in half precision and 4-bit codes with rounded activations. */
function toleranceOf(type: string): number {
  return /^f32\b/.test(type) && !/head/.test(type) ? 1e-6 : 1e-3
}

async function openOpponent(subject: BenchSubject, provider: Provider): Promise<Opponent> {
  const { opened, backbone } = subject
  const name = `onnxruntime-node, ${provider === 'webgpu' ? 'WebGPU' : 'CPU'} provider`
  const rival = await openRival(rivalModel(opened), provider).catch((error: unknown) =>
    asHycoraError(error, 'format-unsupported'),
  )
  if (rival instanceof HycoraError) {
    return { rival: null, name, note: `it does not run here: ${rival.message}` }
  }
  const ids = promptIds(CHECKED_TOKENS, opened.model.decoder.vocabulary, 1)
  const theirs = await rival.logits(ids).catch((error: unknown) => asHycoraError(error, 'format-unsupported'))
  if (theirs instanceof HycoraError) {
    return { rival: null, name, note: `it does not run this model: ${theirs.message}` }
  }
  const nmse = normalisedError(await backbone.logits(ids, null), theirs)
  const tolerance = toleranceOf(describeFormat(opened.model.decoder))
  if (!(nmse <= tolerance)) {
    await rival.release()
    return {
      rival: null,
      name,
      note: `not timed: logits differ by an NMSE of ${nmse.toPrecision(2)}, at most ${tolerance} is the same model`,
    }
  }
  return { rival, nmse }
}

/**
 * The rivals to measure against, each held against our logits first: the WebGPU provider and, only where that one does
 * not run, the CPU provider after it.
 */
export async function openOpponents(subject: BenchSubject): Promise<Opponent[]> {
  const first = await openOpponent(subject, 'webgpu')
  return first.rival ? [first] : [first, await openOpponent(subject, 'cpu')]
}
