import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

import { generateGreedy, promptIds } from '../../bench/prompts.ts'
import { timeTokens } from '../../bench/timing.ts'
import type { FileSet } from '../../core/bytes.ts'
import { asHycoraError } from '../../core/errors.ts'
import { graphicsNeeds, MAX_SEQUENCES } from '../../core/graphicsMemory.ts'
import { weightsOf } from '../../hub/modelFit.ts'
import { variantsOf } from '../../hub/variants.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import { openChatModel } from '../../model/chatModel.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import { GpuBackbone } from '../../model/gpu/gpuBackbone.ts'
import { describeFormat } from '../../model/gpu/gpuWeights.ts'
import { findModel } from '../engine.ts'
import { folder } from '../files.ts'
import { openNodeDevice } from '../gpu.ts'
import type { NodeDevice } from '../gpu.ts'
import { watchBuffers } from './bufferBytes.ts'
import { rowOf } from './report.ts'
import type { BenchRow } from './report.ts'
import { openRival } from './rival.ts'
import type { RivalModel } from './rival.ts'

const SHORT_PROMPT = 8
const SECOND_MS = 1000

/** The most that JavaScript had in memory above what it began with. */
interface ScriptBytes {
  readonly peak: number
  look(this: void): void
}

function taken(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function watchScript(): ScriptBytes {
  const before = taken()
  let peak = 0
  return {
    look() {
      peak = Math.max(peak, taken() - before)
    },
    get peak() {
      return peak
    },
  }
}

/** Files whose every read is looked at, while what it brought is still there. */
function watchedFiles(files: FileSet, look: () => void): FileSet {
  return {
    async open(path) {
      const source = await files.open(path)
      if (!source) return undefined
      return {
        ...source,
        async read(offset, length) {
          const bytes = await source.read(offset, length)
          look()
          return bytes
        },
      }
    },
  }
}

/** Bytes of the weights as they lie on the disk. */
async function fileBytes(root: string, listing: readonly string[], model: string): Promise<number> {
  const sized = await Promise.all(
    listing.map(async (path) => ({ path, bytes: (await stat(join(root, path))).size })),
  )
  const variant = variantsOf(sized).find((one) => one.model === model)
  return variant ? weightsOf(variant) : 0
}

interface RivalLoad {
  readonly rival?: number
  readonly rivalTokensPerSecond?: number
  readonly rivalName: string
  readonly note?: string
}

/** The same of the rival, on the same driver or, where it does not run there, on the processor. */
async function loadInRival(model: RivalModel, ids: readonly number[], tokens: number): Promise<RivalLoad> {
  let note: string | undefined
  for (const provider of ['webgpu', 'cpu'] as const) {
    try {
      const started = performance.now()
      const rival = await openRival(model, provider)
      const opened = performance.now() - started
      const { firstTokenMs, tokenMs } = await timeTokens(() => rival.generate(ids, tokens))
      await rival.release()
      return {
        rival: opened + firstTokenMs,
        rivalTokensPerSecond: SECOND_MS / tokenMs,
        rivalName: rival.name,
        ...(note !== undefined && { note }),
      }
    } catch (error) {
      note = `its ${provider} provider does not run here: ${asHycoraError(error, 'format-unsupported').message}`
    }
  }
  return { rivalName: 'onnxruntime-node', ...(note !== undefined && { note }) }
}

/** What loading took. */
interface LoadFacts {
  readonly decoder: Decoder
  readonly modelFile: string
  readonly ours: number
  /** Of the answer that the first token begins. */
  readonly tokensPerSecond: number
  readonly weightBytes: number
  readonly scriptBytes: number
  readonly graphicsBytes: number
  readonly bytesOverFormula: number
}

/**
 * From files on disk to the first token, with room for the longest chat: milliseconds, what it took of JavaScript's memory
 * at most, and of the device's, beside what the page says of the model before anything of it is fetched.
 */
export async function measureLoad(
  gpu: TunedDevice,
  options: ReadonlyMap<string, string>,
  tokens: number,
): Promise<LoadFacts> {
  const { root, chosen } = await findModel(options)
  const bytes = watchBuffers(gpu.device)
  const script = watchScript()
  const started = performance.now()
  const { decoder, modelFile } = await openChatModel(watchedFiles(folder(root), script.look), chosen)
  const backbone = await GpuBackbone.create(gpu, decoder, {
    cacheForm: 'halves',
    firstPositions: Infinity,
    onBytes: script.look,
  })
  script.look()
  const opened = performance.now() - started
  const { firstTokenMs, tokenMs } = await timeTokens(() =>
    generateGreedy(backbone, promptOf(decoder), tokens),
  )
  script.look()
  const { cache } = backbone.gpuBytes()
  backbone.destroy()
  const weightBytes = await fileBytes(root, chosen.listing, modelFile)
  const formula = graphicsNeeds(decoder, weightBytes, gpu.device.limits.maxStorageBufferBindingSize)
  // Until guidance asks for it, the second sequence has no room of its own yet.
  const graphicsBytes = bytes.peak + (MAX_SEQUENCES - 1) * cache
  return {
    decoder,
    modelFile,
    ours: opened + firstTokenMs,
    tokensPerSecond: SECOND_MS / tokenMs,
    weightBytes,
    scriptBytes: script.peak,
    graphicsBytes,
    bytesOverFormula: graphicsBytes / formula,
  }
}

function promptOf({ vocabulary }: Decoder): readonly number[] {
  return promptIds(SHORT_PROMPT, vocabulary, 1)
}

/** What loading took of this engine, and, unless it is to be alone, of the rival behind it; and on what device. */
export async function loadCase(
  options: ReadonlyMap<string, string>,
  tokens: number,
): Promise<Pick<NodeDevice, 'description' | 'isSoftware'> & { readonly row: BenchRow }> {
  const gpu = await openNodeDevice()
  const { decoder, modelFile, ...measured } = await measureLoad(gpu, options, tokens)
  gpu.device.destroy()
  const { root } = await findModel(options)
  const { layers, headDim } = decoder
  const rival = options.has('alone')
    ? { rivalName: 'onnxruntime-node', note: 'not asked' }
    : await loadInRival({ path: join(root, modelFile), layers, headDim }, promptOf(decoder), tokens)
  const about = { model: basename(root), type: describeFormat(decoder) }
  const { description, isSoftware } = gpu
  return { description, isSoftware, row: rowOf('load', about, { ...measured, unit: 'ms', ...rival }) }
}
