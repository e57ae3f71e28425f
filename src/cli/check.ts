import { basename } from 'node:path'

import { promptIds } from '../bench/prompts.ts'
import type { CacheForm } from '../core/graphicsMemory.ts'
import { STEADY } from '../core/sampling.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { openAnyModel } from '../model/chatModel.ts'
import type { TextModel } from '../model/chatModel.ts'
import type { Backbone } from '../model/decoder/backbone.ts'
import { lookedAt } from '../model/decoder/logits.ts'
import type { Decoder } from '../model/decoder/decoder.ts'
import { MOST_DIVERGENCE, measureCache } from '../model/gpu/cacheDivergence.ts'
import type { CacheDivergence } from '../model/gpu/cacheDivergence.ts'
import { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import { askKnownAnswers } from '../model/gpu/knownAnswers.ts'
import type { Asked } from '../model/gpu/knownAnswers.ts'
import { openExported } from '../model/graph/openBackbone.ts'
import { COMPARED_PROMPT, compareWithRuntime } from '../play/compareWithRuntime.ts'
import type { Comparison } from '../play/compareWithRuntime.ts'
import { promptFor } from '../play/speak.ts'
import { numberOption, parseArguments } from './arguments.ts'
import { findModel } from './engine.ts'
import { folder } from './files.ts'
import { openNodeDevice } from './gpu.ts'
import { loadOrt } from './ort.ts'

/** Read of a folder that has only the graph. */
const RANDOM_TOKENS = 12

/** What the check found. */
export interface Finding extends Comparison {
  readonly model: string
  /** What this device makes of what is known; null where our kernels do not compute the model. */
  readonly knownAnswers: Asked | null
  /** Why our kernels do not compute it; null where they do. */
  readonly reason: string | null
  /** What halves in the place of floats change; null where nobody asked. */
  readonly halves: CacheDivergence | null
}

/**
 * `check`: the same prompt to our kernels and to onnxruntime, which runs the graph as it was exported: how far their logits
 * are apart, the first token that differs, the time of each. Exit 1 where they do not compute the same.
 *
 * @throws HycoraError for what cannot be opened at all.
 */
export async function checkModel(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, {
    values: ['backbone', 'model', 'prompt', 'tokens', 'halves'],
    flags: ['json'],
  })
  const count = numberOption(options, 'tokens', 24)
  const { root, chosen } = await findModel(options)
  const name = basename(root)
  const files = folder(root)
  const model = await openAnyModel(files, chosen)
  const exported = await openExported(files, chosen)
  const gpu = 'exported' in model ? null : await openNodeDevice()
  const kernels = gpu && !('exported' in model) ? await openKernels(gpu, model.decoder) : null
  const text = options.get('prompt') ?? COMPARED_PROMPT
  const promptOf = (backbone: Backbone): readonly number[] => promptIdsOf(name, model, backbone, text)
  const compared = await compareWithRuntime(await loadOrt(), exported, kernels, { promptOf, tokens: count })
  const chatTokens = numberOption(options, 'halves', 0)
  const halves =
    gpu && kernels && !('exported' in model) && chatTokens > 0
      ? await compareHalves(
          kernels,
          () => openKernels(gpu, model.decoder, 'halves'),
          promptOf(kernels),
          chatTokens,
        )
      : null
  kernels?.destroy()
  const reason = 'exported' in model ? model.reason : null
  const knownAnswers = gpu && (await askKnownAnswers(gpu))
  const found: Finding = { model: name, reason, knownAnswers, ...compared, halves }
  report(found, options.has('json'))
  const isWrong = (knownAnswers?.wrong.length ?? 0) > 0 || (halves?.mean ?? 0) > MOST_DIVERGENCE
  if (!found.isSame || isWrong) process.exitCode = 1
}

function openKernels(
  gpu: TunedDevice,
  decoder: Decoder,
  cacheForm: CacheForm = 'floats',
): Promise<GpuBackbone> {
  return lookedAt(GpuBackbone.create(gpu, decoder, { cacheForm }))
}

/** How far keys and values in halves move the distributions of a chat's tokens: the prompt and an answer drawn to it. */
async function compareHalves(
  floats: GpuBackbone,
  openHalves: () => Promise<GpuBackbone>,
  prompt: readonly number[],
  tokens: number,
): Promise<CacheDivergence> {
  const sampling = { ...STEADY, guidance: 0, seed: 1 }
  const request = { ids: prompt, casting: null, sampling, maxTokens: tokens - prompt.length, stopIds: [] }
  const ids = [...prompt]
  for await (const id of floats.generate(request)) ids.push(id)
  const halves = await openHalves()
  try {
    return await measureCache(floats, halves, ids, null)
  } finally {
    halves.destroy()
  }
}

/** What both read: the prompt as a chat; always the same tokens at random where nothing reads text. */
function promptIdsOf(name: string, model: TextModel, backbone: Backbone, text: string): readonly number[] {
  const { vocabulary } = backbone.shape
  if (!model.tokenizer || !model.template) return promptIds(RANDOM_TOKENS, vocabulary, 1)
  const voice = { name, model, backbone }
  return promptFor(voice, { system: null, turns: [{ speaker: 'user', text }] }).ids
}

function halvesLine({ tokens, mean, greatest }: CacheDivergence): string {
  const allowed = MOST_DIVERGENCE.toExponential(0)
  return `keys and values in halves: divergence ${mean.toExponential(1)} nats a token, ${greatest.toExponential(1)} at most, over ${tokens} tokens; ${allowed} is allowed`
}

function knownLine({ count, wrong }: Asked): string {
  return `${count} known answers of our kernels: ${wrong.length === 0 ? 'all right' : `WRONG: ${wrong.join(', ')}`}`
}

function report(found: Finding, isJson: boolean): void {
  process.stdout.write(isJson ? `${JSON.stringify(found)}\n` : `${findingLines(found).join('\n')}\n`)
}

function speed(tokensPerSecond: number): string {
  return `${tokensPerSecond.toPrecision(3)} tokens a second`
}

export function findingLines(found: Finding): readonly string[] {
  const { model, reason, nmse, nmseUnrounded, firstDifferentToken: at, kernels } = found
  const { halves, knownAnswers: known } = found
  const { kernels: ours, onnxruntime: theirs } = found.tokensPerSecond
  if (kernels === null || nmse === null || ours === null) {
    return [
      `${model}: our kernels do not compute it: ${reason}`,
      `onnxruntime on the processor answers, ${speed(theirs)}`,
    ]
  }
  const verdict = found.isSame ? 'the same model' : 'NOT the same model'
  return [
    `${model}: our kernels and onnxruntime on the same prompt`,
    nmseUnrounded === null
      ? `logits: NMSE ${nmse.toExponential(1)}, ${verdict}`
      : `logits: NMSE ${nmseUnrounded.toExponential(1)} by rows as they are, ${verdict}; ${nmse.toExponential(1)} by rows rounded to 8 bits, as the graph has them`,
    `the likeliest ${kernels.length} tokens: ${at === null ? 'all the same' : `the same up to token ${at}`}`,
    `ours ${speed(ours)}, onnxruntime on the processor ${speed(theirs)}`,
    ...(known ? [knownLine(known)] : []),
    ...(halves ? [halvesLine(halves)] : []),
  ]
}
