import { basename } from 'node:path'

import type { CacheForm } from '../core/graphicsMemory.ts'
import { GREEDY, STEADY } from '../core/sampling.ts'
import { unrounded } from '../fallback/unrounded.ts'
import { writeOnnx } from '../formats/onnxWriter.ts'
import { openAnyModel } from '../model/chatModel.ts'
import type { TextModel } from '../model/chatModel.ts'
import type { Backbone } from '../model/decoder/backbone.ts'
import { lookedAt } from '../model/decoder/logits.ts'
import type { Decoder } from '../model/decoder/decoder.ts'
import { MOST_DIVERGENCE, measureCache } from '../model/gpu/cacheDivergence.ts'
import type { CacheDivergence } from '../model/gpu/cacheDivergence.ts'
import { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import { openExported } from '../model/graph/openBackbone.ts'
import type { ExportedModel } from '../model/graph/openBackbone.ts'
import { openOnProcessor } from '../play/openOnProcessor.ts'
import { promptFor } from '../play/speak.ts'
import { numberOption, parseArguments } from './arguments.ts'
import { normalisedError, promptIds } from '../bench/prompts.ts'
import { findModel } from './engine.ts'
import { folder } from './files.ts'
import { openNodeDevice } from './gpu.ts'
import { loadOrt } from './ort.ts'

/** Read of a folder that has only the graph. */
const RANDOM_TOKENS = 12
const PROMPT = 'Hello! Who are you, and what do you like?'

/** Above this the two do not compute the same model. */
const SAME = 1e-3

interface Side {
  readonly tokens: readonly number[]
  readonly tokensPerSecond: number
}

/** What the check found. */
export interface Finding {
  readonly model: string
  /** Why our kernels do not compute it; null where they do. */
  readonly reason: string | null
  /** Of the prompt's logits, ours against onnxruntime's. */
  readonly nmse: number | null
  /** The same where onnxruntime does not round rows that the graph rounds; null where it rounds none. */
  readonly nmseUnrounded: number | null
  /** Where in the answers a token is not the same; null where all are. */
  readonly firstDifferentToken: number | null
  /** The answers; ours null where our kernels do not compute it. */
  readonly kernels: readonly number[] | null
  readonly onnxruntime: readonly number[]
  readonly tokensPerSecond: { readonly kernels: number | null; readonly onnxruntime: number }
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
  const processor = await openOnProcessor(await loadOrt(), { exported })
  const ids = promptIdsOf(name, model, processor, options.get('prompt') ?? PROMPT)
  const theirs = await processor.logits(ids, null)
  const onnxruntime = await answer(processor, ids, count)
  processor.destroy()
  const finding = 'exported' in model ? null : await openKernels(model.decoder)
  const ours = finding && { logits: await finding.logits(ids, null), side: await answer(finding, ids, count) }
  const chatTokens = numberOption(options, 'halves', 0)
  const halves =
    finding && !('exported' in model) && chatTokens > 0
      ? await compareHalves(finding, model.decoder, ids, chatTokens)
      : null
  finding?.destroy()
  const exact = ours && (await unroundedLogits(exported, ids))
  const differsAt = ours ? ours.side.tokens.findIndex((id, index) => id !== onnxruntime.tokens[index]) : -1
  const found: Finding = {
    model: name,
    reason: 'exported' in model ? model.reason : null,
    nmse: ours && normalisedError(ours.logits, theirs),
    nmseUnrounded: exact && normalisedError(ours.logits, exact),
    firstDifferentToken: differsAt < 0 ? null : differsAt,
    kernels: ours && ours.side.tokens,
    onnxruntime: onnxruntime.tokens,
    tokensPerSecond: {
      kernels: ours && ours.side.tokensPerSecond,
      onnxruntime: onnxruntime.tokensPerSecond,
    },
    halves,
  }
  report(found, options.has('json'))
  if (!isSameModel(found) || (halves !== null && halves.mean > MOST_DIVERGENCE)) process.exitCode = 1
}

/** What a graph rounds on the way is no part of the model: our kernels are held to the rest. */
export function isSameModel({ nmse, nmseUnrounded }: Finding): boolean {
  const error = nmseUnrounded ?? nmse
  return error === null || error <= SAME
}

/** Logits of the same weights by rows that are not rounded; null where the graph rounds none. */
async function unroundedLogits(
  exported: ExportedModel,
  ids: readonly number[],
): Promise<Float32Array | null> {
  const model = unrounded(exported.model)
  if (!model) return null
  const processor = await openOnProcessor(await loadOrt(), {
    exported: { ...exported, model, bytes: writeOnnx(model) },
  })
  const logits = await processor.logits(ids, null)
  processor.destroy()
  return logits
}

function openKernels(decoder: Decoder, cacheForm: CacheForm = 'floats'): Promise<GpuBackbone> {
  return lookedAt(openNodeDevice().then((gpu) => GpuBackbone.create(gpu, decoder, { cacheForm })))
}

/** How far keys and values in halves move the distributions of a chat's tokens: the prompt and an answer drawn to it. */
async function compareHalves(
  floats: GpuBackbone,
  decoder: Decoder,
  prompt: readonly number[],
  tokens: number,
): Promise<CacheDivergence> {
  const sampling = { ...STEADY, guidance: 0, seed: 1 }
  const request = { ids: prompt, casting: null, sampling, maxTokens: tokens - prompt.length, stopIds: [] }
  const ids = [...prompt]
  for await (const id of floats.generate(request)) ids.push(id)
  const halves = await openKernels(decoder, 'halves')
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

/** The likeliest tokens behind a prompt; the first one, which waits for the prompt, is not timed. */
async function answer(backbone: Backbone, ids: readonly number[], count: number): Promise<Side> {
  await backbone.attach(null)
  const tokens: number[] = []
  let since = 0
  const request = { ids, casting: null, sampling: GREEDY, maxTokens: count, stopIds: [] }
  for await (const id of backbone.generate(request)) {
    if (tokens.length === 0) since = performance.now()
    tokens.push(id)
  }
  const seconds = (performance.now() - since) / 1000
  return { tokens, tokensPerSecond: Math.max(0, tokens.length - 1) / seconds }
}

function halvesLine({ tokens, mean, greatest }: CacheDivergence): string {
  const allowed = MOST_DIVERGENCE.toExponential(0)
  return `keys and values in halves: divergence ${mean.toExponential(1)} nats a token, ${greatest.toExponential(1)} at most, over ${tokens} tokens; ${allowed} is allowed`
}

function report(found: Finding, isJson: boolean): void {
  process.stdout.write(isJson ? `${JSON.stringify(found)}\n` : `${findingLines(found).join('\n')}\n`)
}

function speed(tokensPerSecond: number): string {
  return `${tokensPerSecond.toPrecision(3)} tokens a second`
}

export function findingLines(found: Finding): readonly string[] {
  const { model, reason, nmse, nmseUnrounded, firstDifferentToken: at, kernels, halves } = found
  const { kernels: ours, onnxruntime: theirs } = found.tokensPerSecond
  if (kernels === null || nmse === null || ours === null) {
    return [
      `${model}: our kernels do not compute it: ${reason}`,
      `onnxruntime on the processor answers, ${speed(theirs)}`,
    ]
  }
  const verdict = isSameModel(found) ? 'the same model' : 'NOT the same model'
  return [
    `${model}: our kernels and onnxruntime on the same prompt`,
    nmseUnrounded === null
      ? `logits: NMSE ${nmse.toExponential(1)}, ${verdict}`
      : `logits: NMSE ${nmseUnrounded.toExponential(1)} by rows as they are, ${verdict}; ${nmse.toExponential(1)} by rows rounded to 8 bits, as the graph has them`,
    `the likeliest ${kernels.length} tokens: ${at === null ? 'all the same' : `the same up to token ${at}`}`,
    `ours ${speed(ours)}, onnxruntime on the processor ${speed(theirs)}`,
    ...(halves ? [halvesLine(halves)] : []),
  ]
}
