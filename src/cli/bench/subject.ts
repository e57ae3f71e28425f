import { join } from 'node:path'

import { promptIds } from '../../bench/prompts.ts'
import { normalisedError } from '../../model/decoder/logits.ts'
import { CHECKED_TOKENS, toleranceOf } from '../../bench/rival.ts'
import type { Rival } from '../../bench/rival.ts'
import { HycoraError, asHycoraError } from '../../core/errors.ts'
import type { Pack } from '../../formats/pack.ts'
import { GpuBackbone } from '../../model/gpu/gpuBackbone.ts'
import { describeFormat } from '../../model/gpu/gpuWeights.ts'
import type { OpenedModel } from '../engine.ts'
import { openNodeDevice } from '../gpu.ts'
import type { NodeDevice } from '../gpu.ts'
import type { BenchCase, BenchRow, Measured } from './report.ts'
import { rowOf } from './report.ts'
import { openRival } from './rival.ts'
import type { Provider, RivalModel } from './rival.ts'
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

/** Brings the backbone to the machine's device, as chats have it. */
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
    backbone: await GpuBackbone.create(gpu, opened.model.decoder, { cacheForm: 'halves' }),
    pack,
    ...measuring,
    row: (name, measured) => rowOf(name, about, measured),
  }
}

/** A rival that computes what we compute, or why there is none. */
export type Opponent =
  | { readonly rival: Rival; readonly nmse: number; readonly note?: string }
  | { readonly rival: null; readonly name: string; readonly note: string }

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
