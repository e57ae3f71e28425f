import { GREEDY } from '../core/sampling.ts'
import type { OrtRuntime } from '../fallback/ortRuntime.ts'
import { unrounded } from '../fallback/unrounded.ts'
import { writeOnnx } from '../formats/onnxWriter.ts'
import type { Backbone } from '../model/decoder/backbone.ts'
import { normalisedError } from '../model/decoder/logits.ts'
import type { ExportedModel } from '../model/graph/openBackbone.ts'
import { openOnProcessor } from './openOnProcessor.ts'

/** What both are asked where nobody asks something else. */
export const COMPARED_PROMPT = 'Hello! Who are you, and what do you like?'

/** Above this the two do not compute the same model. */
const SAME = 1e-3

/** What our kernels and onnxruntime make of one prompt, from the same files. */
export interface Comparison {
  /** Whether both compute one model, as far as our kernels compute it at all. */
  readonly isSame: boolean
  /** Of the prompt's logits, ours against onnxruntime's; null where our kernels do not compute the model. */
  readonly nmse: number | null
  /** The same where onnxruntime does not round rows that the graph rounds; null where it rounds none. */
  readonly nmseUnrounded: number | null
  /** Where in the answers a token is not the same; null where all are. */
  readonly firstDifferentToken: number | null
  /** The likeliest tokens, one after the other; ours null where our kernels do not compute the model. */
  readonly kernels: readonly number[] | null
  readonly onnxruntime: readonly number[]
  readonly tokensPerSecond: { readonly kernels: number | null; readonly onnxruntime: number }
}

interface ComparisonOptions {
  /** The prompt, on a backbone that has room for it. */
  readonly promptOf: (backbone: Backbone) => readonly number[]
  /** How many tokens both answer with. */
  readonly tokens: number
  readonly signal?: AbortSignal
}

/**
 * The same prompt to our kernels and to onnxruntime on the processor, which runs the graph as it was exported, by nobody. Of a
 * graph that rounds rows on the way onnxruntime is also asked for the logits by the rows as they are.
 *
 * @param kernels null where our kernels do not compute the model.
 * @throws HycoraError `format-unsupported` where onnxruntime cannot run it, `out-of-memory`; what `signal` was aborted with.
 */
export async function compareWithRuntime(
  ort: OrtRuntime,
  exported: ExportedModel,
  kernels: Backbone | null,
  options: ComparisonOptions,
): Promise<Comparison> {
  const asExported = await answerOf(ort, exported, options)
  if (!kernels) {
    return {
      isSame: true,
      nmse: null,
      nmseUnrounded: null,
      firstDifferentToken: null,
      kernels: null,
      onnxruntime: asExported.tokens,
      tokensPerSecond: { kernels: null, onnxruntime: asExported.tokensPerSecond },
    }
  }
  const { ids } = asExported
  const logits = await kernels.logits(ids, null)
  const ours = await answer(kernels, ids, options)
  const model = unrounded(exported.model)
  const exact = model && { ...exported, model, bytes: writeOnnx(model) }
  const errors = {
    nmse: normalisedError(logits, asExported.logits),
    nmseUnrounded:
      exact && normalisedError(logits, (await answerOf(ort, exact, { ...options, tokens: 0 })).logits),
  }
  const differsAt = ours.tokens.findIndex((id, index) => id !== asExported.tokens[index])
  return {
    isSame: isSameModel(errors),
    ...errors,
    firstDifferentToken: differsAt < 0 ? null : differsAt,
    kernels: ours.tokens,
    onnxruntime: asExported.tokens,
    tokensPerSecond: { kernels: ours.tokensPerSecond, onnxruntime: asExported.tokensPerSecond },
  }
}

/** Whether both compute one model: what a graph rounds on the way is no part of it, so our kernels are held to the rest. */
export function isSameModel({ nmse, nmseUnrounded }: Pick<Comparison, 'nmse' | 'nmseUnrounded'>): boolean {
  const error = nmseUnrounded ?? nmse
  return error === null || error <= SAME
}

interface Answered {
  readonly tokens: readonly number[]
  readonly tokensPerSecond: number
}

/** A graph's logits and answer, in a session of its own. */
async function answerOf(
  ort: OrtRuntime,
  exported: ExportedModel,
  options: ComparisonOptions,
): Promise<Answered & { readonly ids: readonly number[]; readonly logits: Float32Array }> {
  const processor = await openOnProcessor(ort, { exported })
  try {
    options.signal?.throwIfAborted()
    const ids = options.promptOf(processor)
    const logits = await processor.logits(ids, null)
    return { ids, logits, ...(await answer(processor, ids, options)) }
  } finally {
    processor.destroy()
  }
}

/** The likeliest tokens behind a prompt; the first one, which waits for the prompt, is not timed. */
async function answer(
  backbone: Backbone,
  ids: readonly number[],
  { tokens: maxTokens, signal }: ComparisonOptions,
): Promise<Answered> {
  const tokens: number[] = []
  let since = 0
  const request = { ids, casting: null, sampling: GREEDY, maxTokens, stopIds: [], ...(signal && { signal }) }
  if (maxTokens > 0) {
    for await (const id of backbone.generate(request)) {
      if (tokens.length === 0) since = performance.now()
      tokens.push(id)
    }
  }
  signal?.throwIfAborted()
  const seconds = (performance.now() - since) / 1000
  return { tokens, tokensPerSecond: Math.max(0, tokens.length - 1) / seconds }
}
