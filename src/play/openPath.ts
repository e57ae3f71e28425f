import type { Path, PathChoice, PathRates } from '../core/path.ts'
import { asHycoraError, failureOf, HycoraError } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import { requestAdapter, requestDevice } from '../gpu/device.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { Backbone } from '../model/decoder/backbone.ts'
import type { Decoder } from '../model/decoder/decoder.ts'
import { checkFirstLogits } from '../model/decoder/logits.ts'
import { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import type { OrtRuntime } from '../fallback/ortRuntime.ts'
import type { UnknownModel } from '../model/chatModel.ts'
import { weightBytes } from '../model/gpu/gpuWeights.ts'
import { answerSeconds, measureRate } from './measureRate.ts'
import { openOnProcessor } from './openOnProcessor.ts'
import type { Computing, LoadProgress } from './path.ts'

/** A backbone with its pack on one of the paths, warm. */
export interface OpenedPath {
  /** null on the processor. */
  readonly device: GPUDevice | null
  readonly backbone: Backbone
  readonly computing: Computing
  /** Whether a processor computes, on whatever path. */
  readonly isSlow: boolean
}

export interface PathRequest {
  readonly gpu: GPU | undefined
  readonly decoder: Decoder
  readonly pack: Pack | null
  readonly choice: PathChoice
  /** What was measured before; a software adapter and the processor are compared only where one of them is missing. */
  readonly rates: PathRates
  /** Whether this device and browser computed known answers rightly before; left out, they are asked. */
  readonly isSound?: boolean
  /** Whether a device was lost before this: the reason that is told where there is no other. */
  readonly isLost: boolean
  readonly emit: (progress: LoadProgress) => void
  /** Loads onnxruntime; asked for only where it is needed: it is larger than the rest of the page. */
  readonly loadOrt: () => Promise<OrtRuntime>
}

type Why = Pick<Computing, 'why' | 'reason'>

/** Faults of the graphics side, and what our kernels do not know; the processor may still do. */
const GRAPHICS_FAULTS: readonly ErrorCode[] = [
  'webgpu-unavailable',
  'device-lost',
  'out-of-memory',
  'shader-invalid',
  'shape-mismatch',
  'not-a-number',
  'wrong-answers',
  'format-unsupported',
]

/**
 * Opens a decoder where it answers: on WebGPU where there is a graphics card, on the processor where there is none or
 * where it was asked for, and on a software adapter on whichever answers faster.
 *
 * @throws HycoraError what the path that was asked for, or the last one left, throws.
 */
export async function openPath(request: PathRequest): Promise<OpenedPath> {
  const opened = await choosePath(request)
  // Who chose a software adapter is not kept waiting to hear how slow it is.
  const isPatient = request.choice === 'webgpu'
  return isPatient ? opened : measured(opened, request.emit)
}

async function choosePath(request: PathRequest): Promise<OpenedPath> {
  const { choice, isLost } = request
  const lost: Why = { why: 'lost', reason: '' }
  if (choice === 'wasm') return openProcessor(request, isLost ? lost : { why: 'chosen', reason: '' })
  const found = await findDevice(request.gpu)
  if ('why' in found) {
    if (choice === 'webgpu') throw new HycoraError('webgpu-unavailable', found.reason)
    return openProcessor(request, isLost ? lost : found)
  }
  try {
    if (choice === 'auto' && found.isSoftware) return await openFaster(request, found)
    return await openWebgpu(request, found, {
      why: choice === 'auto' ? 'graphics-card' : 'chosen',
      reason: '',
    })
  } catch (error) {
    const { code, message } = failureOf(error, 'webgpu-unavailable')
    // As a graph that is not known at all goes to the processor, whatever was chosen.
    const isKept = choice === 'webgpu' && code !== 'format-unsupported'
    if (isKept || !GRAPHICS_FAULTS.includes(code)) throw error
    return openProcessor(
      request,
      isLost ? lost : { why: code === 'wrong-answers' ? 'wrong' : 'failed', reason: message },
    )
  }
}

/** Ends a path: its memory is free for another. */
export function closePath({ device, backbone }: Pick<OpenedPath, 'device' | 'backbone'>): void {
  if (device) device.destroy()
  else backbone.destroy()
}

/**
 * Opens a model whose graph our kernels do not know on the processor, as it was exported.
 *
 * @param model with the recogniser's words.
 * @throws HycoraError `format-unsupported` where onnxruntime cannot run it as a decoder either.
 */
export async function openExportedPath(
  { exported, reason }: Pick<UnknownModel, 'exported' | 'reason'>,
  { pack, rates, emit, loadOrt }: Pick<PathRequest, 'pack' | 'rates' | 'emit' | 'loadOrt'>,
): Promise<OpenedPath> {
  const totalBytes = exported.bytes.length
  emit({ stage: 'convert', doneBytes: 0, totalBytes })
  const backbone = await openOnProcessor(await loadOrt(), { exported })
  emit({ stage: 'convert', doneBytes: totalBytes, totalBytes })
  const opened = await onProcessor(backbone, { pack, rates }, { why: 'unknown-graph', reason })
  return measured(opened, emit)
}

async function findDevice(gpu: GPU | undefined): Promise<TunedDevice | Why> {
  if (!gpu) return { why: 'no-webgpu', reason: 'this browser has no WebGPU' }
  try {
    const adapter = await requestAdapter(gpu)
    if (!adapter) return { why: 'no-adapter', reason: 'the browser offers no graphics adapter' }
    return await requestDevice(adapter)
  } catch (error) {
    return { why: 'no-device', reason: asHycoraError(error, 'webgpu-unavailable').message }
  }
}

async function openWebgpu(request: PathRequest, found: TunedDevice, why: Why): Promise<OpenedPath> {
  const { device } = found
  // What waits for a device that is lost meanwhile may wait for ever.
  const lost = device.lost.then(({ message }) => {
    throw new HycoraError(
      'device-lost',
      `the graphics device was lost while the model came to it: ${message}`,
    )
  })
  try {
    return await Promise.race([loadOnto(request, found, why), lost])
  } catch (error) {
    device.destroy()
    throw error
  }
}

async function loadOnto(
  { decoder, pack, emit, rates, isSound = false }: PathRequest,
  found: TunedDevice,
  why: Why,
): Promise<OpenedPath> {
  const totalBytes = weightBytes(decoder)
  let doneBytes = 0
  const onBytes = (bytes: number): void => {
    doneBytes += bytes
    emit({ stage: 'upload', doneBytes, totalBytes })
  }
  if (!isSound) await (await import('../model/gpu/knownAnswers.ts')).checkSoundness(found)
  const backbone = await GpuBackbone.create(found, decoder, { onBytes, cacheForm: 'halves' })
  emit({ stage: 'compile', doneBytes: totalBytes, totalBytes })
  await backbone.attach(pack)
  emit({ stage: 'warm-up', doneBytes: totalBytes, totalBytes })
  await checkFirstLogits(backbone)
  return {
    device: found.device,
    backbone,
    isSlow: found.isSoftware,
    computing: { path: 'webgpu', ...why, rates },
  }
}

async function openProcessor(
  { decoder, pack, emit, rates, loadOrt }: PathRequest,
  why: Why,
): Promise<OpenedPath> {
  const totalBytes = weightBytes(decoder)
  emit({ stage: 'convert', doneBytes: 0, totalBytes })
  const backbone = await openOnProcessor(await loadOrt(), { decoder }, (done, all) =>
    emit({ stage: 'convert', doneBytes: (totalBytes * done) / all, totalBytes }),
  )
  return onProcessor(backbone, { pack, rates }, why)
}

async function onProcessor(
  backbone: Backbone,
  { pack, rates }: Pick<PathRequest, 'pack' | 'rates'>,
  why: Why,
): Promise<OpenedPath> {
  try {
    await backbone.attach(pack)
    return { device: null, backbone, isSlow: true, computing: { path: 'wasm', ...why, rates } }
  } catch (error) {
    backbone.destroy()
    throw error
  }
}

/** Both paths side by side, unless they were compared before; the slower one is closed again. */
async function openFaster(request: PathRequest, found: TunedDevice): Promise<OpenedPath> {
  const faster: Why = { why: 'faster', reason: '' }
  const known = fasterOf(request.rates)
  if (known === 'webgpu') return openWebgpu(request, found, faster)
  if (known === 'wasm') {
    found.device.destroy()
    return openProcessor(request, faster)
  }
  const processor = await openProcessor(request, faster).catch(() => null)
  if (!processor) return openWebgpu(request, found, faster)
  const graphics = await openWebgpu(request, found, faster).catch(() => null)
  if (!graphics) return processor
  const { emit } = request
  const compared = await measured(processor, emit)
  const { rates, settled } = await rateWith(graphics, emit).catch(() => ({ rates: {}, settled: null }))
  const all = { ...compared.computing.rates, ...rates }
  const isGraphicsFaster = fasterOf(all) === 'webgpu'
  // A run that took too long need not be waited for where its device goes.
  if (isGraphicsFaster) await settled
  closePath(isGraphicsFaster ? processor : graphics)
  const chosen = isGraphicsFaster ? graphics : processor
  return { ...chosen, computing: { ...chosen.computing, rates: all } }
}

/** The path that answers faster; undefined unless both are known. */
function fasterOf({ webgpu, wasm }: PathRates): Path | undefined {
  if (!webgpu || !wasm) return undefined
  return answerSeconds(webgpu) < answerSeconds(wasm) ? 'webgpu' : 'wasm'
}

/** With its rate, where it is not known; a graphics card is fast enough not to be measured. */
async function measured(opened: OpenedPath, emit: PathRequest['emit']): Promise<OpenedPath> {
  const { computing, isSlow } = opened
  if (!isSlow || computing.rates[computing.path]) return opened
  const { rates, settled } = await rateWith(opened, emit)
  await settled
  return { ...opened, computing: { ...computing, rates: { ...computing.rates, ...rates } } }
}

/** A path's own rate, measured now. */
async function rateWith(
  { backbone, computing }: OpenedPath,
  emit: PathRequest['emit'],
): Promise<{ rates: PathRates; settled: Promise<unknown> }> {
  emit({ stage: 'measure', doneBytes: 0, totalBytes: 0 })
  const { rate, settled } = await measureRate(backbone)
  return { rates: { [computing.path]: rate }, settled }
}
