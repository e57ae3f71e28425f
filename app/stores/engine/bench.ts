// Scope: session. What the graphics card of this visit was measured to do.
import { create } from 'zustand'

import type { FromBenchWorker, ToBenchWorker } from '../../../src/bench/benchProtocol.ts'
import type { CardProgress } from '../../../src/bench/measureCard.ts'
import { CARD_CASES } from '../../../src/core/cardResult.ts'
import type { CardCase, CardModelName, CardResult } from '../../../src/core/cardResult.ts'
import { asHycoraError, failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { fetchBackbone } from './modelFiles.ts'
import { useEngine } from './engine.ts'
import { openBenchWorker } from './workers.ts'

/** What a visitor chooses. */
export interface BenchChoice {
  readonly models: readonly CardModelName[]
  /** How much is measured: what a chat is made of, all, or the kernels one by one. */
  readonly extent: 'chat' | 'all' | 'kernels'
}

interface BenchState {
  readonly phase: 'idle' | 'measuring' | 'done' | 'failed'
  readonly progress: CardProgress | null
  readonly result: CardResult | null
  readonly failure: Failure | null
}

const initial: BenchState = { phase: 'idle', progress: null, result: null, failure: null }

export const useBench = create<BenchState>()(() => initial)

/** The ids of the served models by the names that results have. */
const SERVED: Readonly<Partial<Record<CardModelName, string>>> = {
  smollm2: 'smollm2-135m-instruct',
  starter: 'starter',
}

const CHAT_CASES: readonly CardCase[] = ['cold-start', 'decode-128', 'prompt-32']
const ROUNDS = 5
const TOKENS = 32

let running: AbortController | undefined

/** Measures the card; what there was before is forgotten. What goes wrong is told in the state. */
export async function measureCardHere(
  { models, extent }: BenchChoice,
  open: () => Worker = openBenchWorker,
): Promise<void> {
  running?.abort()
  running = new AbortController()
  const { signal } = running
  useBench.setState({ ...initial, phase: 'measuring' }, true)
  try {
    const files = new Map<CardModelName, ReadonlyMap<string, Blob>>()
    for (const name of models) {
      const backbone = useEngine.getState().backbones.find(({ id }) => id === SERVED[name])
      if (backbone) files.set(name, (await fetchBackbone(backbone, signal, () => undefined)).files)
    }
    const cases = extent === 'chat' ? CHAT_CASES : CARD_CASES
    const request = { models, cases, rounds: ROUNDS, tokens: TOKENS, isByKernel: extent === 'kernels' }
    const question = { request, files, commit: import.meta.env.HYCORA_COMMIT }
    const result = await ask(open(), question, signal)
    useBench.setState({ phase: 'done', result, progress: null })
  } catch (thrown) {
    if (signal.aborted) return
    useBench.setState({ phase: 'failed', failure: failureOf(thrown, 'webgpu-unavailable'), progress: null })
  }
}

/** Ends a measuring that is under way. */
export function stopBench(): void {
  running?.abort()
  useBench.setState(initial, true)
}

function ask(worker: Worker, question: ToBenchWorker, signal: AbortSignal): Promise<CardResult> {
  return new Promise<CardResult>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new HycoraError('cancelled', 'the measuring was stopped')))
    worker.addEventListener('message', ({ data }: MessageEvent<FromBenchWorker>) => {
      if (data.kind === 'yield') useBench.setState({ progress: data.value })
      else if (data.kind === 'return') resolve(data.value)
      else reject(new HycoraError(data.code, data.message))
    })
    worker.addEventListener('error', (event) => reject(asHycoraError(event.message, 'webgpu-unavailable')))
    worker.postMessage(question)
  }).finally(() => worker.terminate())
}
