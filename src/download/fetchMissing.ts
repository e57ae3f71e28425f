import { asHycoraError, HycoraError } from '../core/errors.ts'
import type { FileAssembly } from './fileAssembly.ts'
import { Patience, pause } from './patience.ts'
import type { ByteSpan, SpanWriter } from './spanWriter.ts'
import { transfer } from './transfer.ts'
import type { TransferOptions } from './transfer.ts'

export interface FetchOptions {
  /** Where the paths start, with a slash at the end. */
  readonly folder: string
  readonly signal?: AbortSignal
  /**
   * What lies at an address is the same for ever, and of another origin, which need not show what version it sends and
   * may refuse to be asked for one.
   */
  readonly isPinned?: boolean
  readonly fetcher?: (url: string, init: RequestInit) => Promise<Response>
  /** How long nothing may come before the server is asked again. */
  readonly stallMs?: number
  /** How long to wait before the second attempt; it doubles with each further one. */
  readonly pauseMs?: number
  /** How much is asked for at once, where a server gives parts; more than that comes several parts at a time. */
  readonly partBytes?: number
}

const STALL_MS = 20_000
const PAUSE_MS = 1000
const PART_BYTES = 16 * 2 ** 20
/** Parts that come at the same time: browsers open six connections to a host. */
const LANES = 4

/** What is told on the way. */
interface Beat {
  /** Why nothing comes at this moment, where it is going to be tried again. */
  readonly trouble: string | null
  /** Whether what came is a part of the file. */
  readonly isPart: boolean
}

/**
 * Asks until a file is whole and proven: for several parts at a time, where the server gives parts.
 *
 * @yields after all that came, and what the trouble is before it asks again.
 * @throws HycoraError `download-failed`, `download-mismatch`, `cancelled`.
 */
export async function* fetchMissing(
  assembly: FileAssembly,
  options: FetchOptions,
): AsyncGenerator<string | null, void> {
  const { pauseMs = PAUSE_MS, partBytes = PART_BYTES, signal } = options
  const patience = new Patience(pauseMs, assembly.doneBytes)
  // Bytes that come are no sign that those before them were right.
  const proofs = new Patience(pauseMs, assembly.doneBytes)
  let givesParts = true
  while (!assembly.isWhole || assembly.needsProof) {
    throwIfStopped(signal)
    if (assembly.needsProof) {
      yield null
      const message = await assembly.prove()
      if (!message) continue
      const waitMs = proofs.after({ kind: 'content', message }, 0, assembly)
      yield message
      await pause(waitMs, signal)
      continue
    }
    const spans: readonly ByteSpan[] = givesParts ? assembly.missingSpans(partBytes) : []
    if (spans.length > 1) {
      givesParts = yield* fetchParts(assembly, spans, options)
      continue
    }
    const writer = assembly.open()
    try {
      const steps = fetchSpan(writer, givesParts ? 'missing' : 'whole', options, patience)
      let step = await steps.next()
      for (; !step.done; step = await steps.next()) yield step.value.trouble
      givesParts &&= step.value
    } finally {
      assembly.close(writer)
    }
  }
}

/**
 * Asks until a span is whole.
 *
 * @returns false where the server answers wrongly when it is asked for a part.
 */
async function* fetchSpan(
  writer: SpanWriter,
  ask: TransferOptions['ask'],
  { folder, signal, fetcher = fetch, stallMs = STALL_MS, isPinned = false }: FetchOptions,
  patience: Patience,
): AsyncGenerator<Beat, boolean> {
  const url = addressOf(folder, writer.file.path)
  while (!writer.isWhole) {
    throwIfStopped(signal)
    const { checkedBytes } = writer
    const attempt = transfer(writer, { url, fetcher, ask, stallMs, isPinned, signal })
    let step = await attempt.next()
    for (; !step.done; step = await attempt.next()) yield { trouble: null, isPart: step.value }
    const fault = step.value
    if (!fault) continue
    if (fault.kind === 'content') writer.dropUnchecked()
    const waitMs = patience.after(fault, checkedBytes, writer)
    yield { trouble: fault.message, isPart: false }
    if (fault.kind === 'range' && ask !== 'whole') return false
    await pause(waitMs, signal)
  }
  return true
}

/** A span that is being fetched. */
interface Lane {
  readonly span: ByteSpan
  readonly writer: SpanWriter
  readonly steps: AsyncGenerator<Beat, boolean>
}

type Turn =
  | { readonly lane: Lane; readonly step: IteratorResult<Beat, boolean> }
  | { readonly lane: Lane; readonly thrown: unknown }

/**
 * Fetches spans, several at a time once the first has shown that the server gives parts. Who is refused further ones goes on
 * with fewer.
 *
 * @returns false where the server answers wrongly when it is asked for a part.
 */
async function* fetchParts(
  assembly: FileAssembly,
  spans: readonly ByteSpan[],
  options: FetchOptions,
): AsyncGenerator<string | null, boolean> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const queue = [...spans]
  const running = new Map<Lane, Promise<Turn>>()
  const begin = (ask: TransferOptions['ask']): void => {
    const span = queue.shift()
    if (!span) return
    const writer = assembly.open(span)
    const patience = new Patience(options.pauseMs ?? PAUSE_MS, writer.doneBytes)
    const lane = { span, writer, steps: fetchSpan(writer, ask, { ...options, signal }, patience) }
    running.set(lane, takeTurn(lane))
  }
  const end = ({ writer }: Lane): void => assembly.close(writer)
  let most = 1
  let canHaveMore = true
  begin('missing')
  try {
    while (running.size > 0) {
      const turn = await Promise.race(running.values())
      const { lane } = turn
      if ('thrown' in turn || turn.step.done) {
        running.delete(lane)
        end(lane)
      }
      if ('thrown' in turn) {
        const isRefused = asHycoraError(turn.thrown, 'download-failed').code === 'download-failed'
        if (!isRefused || running.size === 0) throw turn.thrown
        queue.unshift(lane.span)
        most = running.size
        canHaveMore = false
      } else if (turn.step.done) {
        if (!turn.step.value) return false
      } else {
        running.set(lane, takeTurn(lane))
        if (turn.step.value.isPart && canHaveMore) most = LANES
        yield turn.step.value.trouble
      }
      while (running.size < most && queue.length > 0) begin('part')
    }
    return true
  } finally {
    stop.abort()
    await Promise.all(running.values())
    for (const lane of running.keys()) end(lane)
  }
}

function takeTurn(lane: Lane): Promise<Turn> {
  return lane.steps.next().then(
    (step) => ({ lane, step }),
    (thrown: unknown) => ({ lane, thrown }),
  )
}

/** Where a file lies; parts of its path may have any sign in their names. */
function addressOf(folder: string, path: string): string {
  return folder + path.split('/').map(encodeURIComponent).join('/')
}

function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HycoraError('cancelled', 'the download was stopped')
}
