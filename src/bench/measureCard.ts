import { CARD_CASES } from '../core/cardResult.ts'
import type { CardCase, CardModel, CardModelName, CardResult, CardRow } from '../core/cardResult.ts'
import { asHycoraError } from '../core/errors.ts'
import type { AdapterNames } from '../gpu/device.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { parameterCount } from '../model/decoder/decoder.ts'
import type { Decoder } from '../model/decoder/decoder.ts'
import { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import { describeFormat, multipliedMatrices } from '../model/gpu/gpuWeights.ts'
import type { GpuWeights } from '../model/gpu/gpuWeights.ts'
import { CARD_TIMERS, cardRow } from './cardCases.ts'
import { measureFloor } from './floor.ts'
import { timeKernels } from './kernelTimes.ts'
import { normalisedError } from '../model/decoder/logits.ts'
import { generateGreedy, promptIds, takeFirst } from './prompts.ts'
import { RANDOM_SHAPES, randomDecoder, untrainedPack } from './randomModel.ts'
import { CHECKED_TOKENS, toleranceOf } from './rival.ts'
import type { Rival } from './rival.ts'
import { timeOf } from './timing.ts'

/** What is wanted of a measuring. */
export interface CardRequest {
  readonly models: readonly CardModelName[]
  readonly cases: readonly CardCase[]
  readonly rounds: number
  readonly tokens: number
  /** Times the kernels one by one, and nothing else: a device that can tell time is a slower one. */
  readonly isByKernel: boolean
}

/** A model that is served, and who else can run it. */
export interface ServedModel {
  readonly decoder: Decoder
  /** @throws whatever says why it does not run here. */
  openRival(this: void): Promise<Rival>
}

/** What differs between Node and a page. */
export interface CardPlace {
  /** A device of its own. @throws HycoraError `webgpu-unavailable`. */
  openDevice(features: readonly GPUFeatureName[]): Promise<TunedDevice & { readonly names: AdapterNames }>
  openServed(name: 'smollm2' | 'starter'): Promise<ServedModel>
  readonly browser: string
  readonly commit: string
}

/** What is being measured. */
export interface CardProgress {
  readonly model: CardModelName
  readonly case: CardCase | 'kernels'
}

const ROLES = 8
const SHORT_PROMPT = 8
const POSITION = 128

/** What a token reads of the weights. */
function bytesRead(weights: GpuWeights): number {
  return multipliedMatrices(weights)
    .flatMap(({ weights: codes, scales, zeros }) => [codes, scales, zeros])
    .reduce((sum, { buffer }) => sum + buffer.size, 0)
}

async function openModel(place: CardPlace, name: CardModelName): Promise<ServedModel> {
  if (name === 'smollm2' || name === 'starter') return place.openServed(name)
  return {
    decoder: randomDecoder(RANDOM_SHAPES[name]),
    openRival: () => Promise.reject(new TypeError('a random model has no file that it could open')),
  }
}

/** The rival with its error against ours, or why there is none. */
async function openCheckedRival(
  { decoder, openRival }: ServedModel,
  backbone: GpuBackbone,
): Promise<{ readonly rival: Rival | null; readonly nmse: number | null; readonly rivalNote: string }> {
  try {
    const rival = await openRival()
    const ids = promptIds(CHECKED_TOKENS, decoder.vocabulary, 1)
    const nmse = normalisedError(await backbone.logits(ids, null), await rival.logits(ids))
    const tolerance = toleranceOf(describeFormat(decoder))
    if (nmse <= tolerance) return { rival, nmse, rivalNote: rival.name }
    await rival.release()
    return { rival: null, nmse, rivalNote: `${rival.name} is not timed: its logits are not ours` }
  } catch (error) {
    return { rival: null, nmse: null, rivalNote: asHycoraError(error, 'format-unsupported').message }
  }
}

/** One model on a device of its own: the cold start while it is opened, then the cases in order. */
async function* measureModel(
  place: CardPlace,
  name: CardModelName,
  { cases, rounds, tokens }: CardRequest,
): AsyncGenerator<CardProgress, CardModel> {
  const served = await openModel(place, name)
  const { decoder } = served
  const rows: CardRow[] = []
  yield { model: name, case: 'cold-start' }
  const started = performance.now()
  const gpu = await place.openDevice([])
  const backbone = await GpuBackbone.create(gpu, decoder, { cacheForm: 'halves' })
  await takeFirst(generateGreedy(backbone, promptIds(SHORT_PROMPT, decoder.vocabulary, 1), 1))
  if (cases.includes('cold-start')) rows.push(cardRow('cold-start', 'bare', [performance.now() - started]))
  try {
    const pack = await untrainedPack(decoder, ROLES)
    await backbone.attach(pack)
    const { rival, nmse, rivalNote } = await openCheckedRival(served, backbone)
    for (const wanted of CARD_CASES) {
      if (wanted === 'cold-start' || !cases.includes(wanted)) continue
      yield { model: name, case: wanted }
      rows.push(...(await CARD_TIMERS[wanted]({ gpu, backbone, pack, rival, rounds, tokens })))
    }
    await rival?.release()
    return { ...factsOf(name, backbone), rows, nmse, rivalNote }
  } finally {
    backbone.destroy()
    gpu.device.destroy()
  }
}

function factsOf(
  name: CardModelName,
  backbone: GpuBackbone,
): Omit<CardModel, 'rows' | 'nmse' | 'rivalNote' | 'kernels'> {
  return {
    name,
    type: describeFormat(backbone.shape),
    parameters: parameterCount(backbone.shape),
    weightBytes: bytesRead(backbone.weights),
    dispatchesPerToken: backbone.dispatchesPerToken(),
  }
}

/** One model, kernel by kernel, as a role behind `POSITION` tokens. */
async function* measureKernels(
  place: CardPlace,
  name: CardModelName,
  { rounds }: CardRequest,
): AsyncGenerator<CardProgress, CardModel> {
  const { decoder } = await openModel(place, name)
  yield { model: name, case: 'kernels' }
  const gpu = await place.openDevice(['timestamp-query'])
  const backbone = await GpuBackbone.create(gpu, decoder, { cacheForm: 'halves' })
  try {
    await backbone.attach(await untrainedPack(decoder, 1))
    const casting = { parts: [{ role: 0, weight: 1 }], strength: 1 }
    const ids = promptIds(POSITION, decoder.vocabulary, 1)
    await timeOf(() => takeFirst(generateGreedy(backbone, ids, 2, casting)))
    const kernels = await timeKernels(gpu.device, backbone.tokenDispatches(), rounds)
    return { ...factsOf(name, backbone), rows: [], nmse: null, rivalNote: 'not asked', kernels }
  } finally {
    backbone.destroy()
    gpu.device.destroy()
  }
}

/** Measures a card; says before each part what comes. @throws HycoraError as `GpuBackbone.create` and `CardPlace`. */
export async function* measureCard(
  place: CardPlace,
  request: CardRequest,
): AsyncGenerator<CardProgress, CardResult> {
  const { device, isSoftware, tuning, names } = await place.openDevice([])
  const floor = await measureFloor(device, isSoftware)
  device.destroy()
  const models: CardModel[] = []
  const measure = request.isByKernel ? measureKernels : measureModel
  for (const name of request.models) models.push(yield* measure(place, name, request))
  const { vendor, architecture, device: called, description } = names
  return {
    kind: 'hycora card',
    version: 1,
    date: new Date().toISOString().slice(0, 10),
    commit: place.commit,
    device: { vendor, architecture, device: called, driver: description },
    isSoftware,
    browser: place.browser,
    tuning: { ...tuning },
    floor: {
      copyBytesPerSecond: Number(floor.copyBytesPerSecond.toPrecision(4)),
      dispatchMicroseconds: Number(floor.dispatchMicroseconds.toPrecision(4)),
    },
    models,
  }
}
