import { GREEDY } from '../../core/sampling.ts'
import { OrtBackbone } from '../../fallback/ortBackbone.ts'
import type { Pack } from '../../formats/pack.ts'
import type { Casting } from '../../model/decoder/backbone.ts'
import { describeFormat } from '../../model/gpu/gpuWeights.ts'
import type { OpenedModel } from '../engine.ts'
import { compareGuidance } from './guidance.ts'
import { openPlainReader } from './plainReader.ts'
import type { Reader } from './plainReader.ts'
import type { BenchRow, FallbackCase } from './report.ts'
import { rowOf } from './report.ts'
import { promptIds } from '../../bench/prompts.ts'
import { interleave, timeOf } from '../../bench/timing.ts'
import type { Timer } from '../../bench/timing.ts'

/** As many as the machines have that the floors are meant for. */
const THREADS = 2
const PROMPT_TOKENS = 64
const TOKENS_PER_SECOND = 1000

interface Lengths {
  readonly rounds: number
  readonly tokens: number
}

/**
 * The fallback on WebAssembly with two threads: beside onnxruntime-web on the unmodified file, and as a role beside the
 * same graph without adapters.
 */
export async function benchFallback(
  opened: OpenedModel,
  pack: Pack | null,
  lengths: Lengths,
): Promise<BenchRow[]> {
  const ort = await import('onnxruntime-web')
  ort.env.wasm.numThreads = THREADS
  const { decoder } = opened.model
  const [backbone, bare] = [
    await OrtBackbone.create(ort, decoder),
    await OrtBackbone.create(ort, decoder, { adapters: false }),
  ]
  await backbone.attach(pack)
  const plain = await openPlainReader(ort, opened)
  const own = readerOf('the fallback', backbone, null)
  const played = pack && { parts: [{ role: 0, weight: 1 }], strength: 1 }
  const role = readerOf('the fallback', backbone, played)
  const pairs = [
    ['fallback-decode', own, plain],
    ['fallback-prefill-64', own, plain],
    ['fallback-roles', role, readerOf('the same graph without adapters', bare, null)],
  ] as const
  const about = { model: opened.name, type: describeFormat(decoder) }
  const rows: BenchRow[] = []
  for (const [name, ours, rival] of pairs) {
    process.stderr.write(`measuring ${name}\n`)
    const [mine, theirs] = await compare(name, { ours, rival, vocabulary: decoder.vocabulary }, lengths)
    const { rounds } = lengths
    rows.push(
      rowOf(name, about, { ours: mine, rival: theirs, unit: 'tokens/s', rivalName: rival.name, rounds }),
    )
  }
  process.stderr.write('measuring fallback-guidance\n')
  rows.push(rowOf('fallback-guidance', about, await compareGuidance(backbone, played, lengths)))
  backbone.destroy()
  bare.destroy()
  return rows
}

/** The fallback, read as chats do: of a prompt only the last token's logits. */
function readerOf(name: string, backbone: OrtBackbone, casting: Casting | null): Reader {
  return {
    name,
    async read(ids) {
      const request = { ids, casting, sampling: GREEDY, maxTokens: 1, stopIds: [] }
      for await (const id of backbone.generate(request)) if (id < 0) break
    },
    step: (id) => backbone.step(id),
  }
}

async function rate(count: number, action: () => Promise<unknown>): Promise<number> {
  return (count * TOKENS_PER_SECOND) / (await timeOf(action))
}

/** Tokens a second of both, in turns, after a first run that does not count. */
async function compare(
  name: FallbackCase,
  { ours, rival, vocabulary }: { ours: Reader; rival: Reader; vocabulary: number },
  { rounds, tokens }: Lengths,
): Promise<[number, number]> {
  let seed = 1
  const measure =
    (reader: Reader): Timer =>
    async () => {
      const ids = promptIds(PROMPT_TOKENS, vocabulary, ++seed)
      if (name === 'fallback-prefill-64') return rate(PROMPT_TOKENS, () => reader.read(ids))
      await reader.read(ids)
      return rate(tokens, async () => {
        for (const id of promptIds(tokens, vocabulary, seed)) await reader.step(id)
      })
    }
  await measure(ours)()
  await measure(rival)()
  return interleave(rounds, measure(ours), measure(rival))
}
