import { Random } from '../core/random.ts'
import { GREEDY } from '../core/sampling.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import type { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import type { Batch } from '../train/data/batches.ts'

/** Token ids to read, always the same ones for a seed; another seed differs from the first token on. */
export function promptIds(count: number, vocabulary: number, seed: number): number[] {
  const random = new Random(seed)
  const ids = Array.from({ length: count }, () => random.nextBelow(vocabulary))
  // No two seeds of a run share a first token: whatever a cache of prefixes holds is of no use.
  ids[0] = seed % vocabulary
  return ids
}

/** Greedy tokens of ours to a fixed length. */
export function generateGreedy(
  backbone: GpuBackbone,
  ids: readonly number[],
  maxTokens: number,
  casting: Casting | null = null,
): AsyncIterable<number> {
  return backbone.generate({ ids, casting, sampling: GREEDY, maxTokens, stopIds: [] })
}

/** Waits for the first token of a stream. */
export async function takeFirst(tokens: AsyncIterable<number>): Promise<void> {
  for await (const id of tokens) if (id >= 0) break
}

/** A batch of training, row r of role r; the second half of a row is the reply. */
export function trainingBatch(rows: number, tokens: number, vocabulary: number, seed: number): Batch {
  const ids = Array.from({ length: rows }, (_, row) =>
    promptIds(tokens, vocabulary, seed * rows + row),
  ).flat()
  return {
    rows,
    tokens,
    ids: Uint32Array.from(ids),
    isReply: Uint8Array.from(ids, (_, index) => Number(index % tokens >= tokens / 2)),
    anchors: Array.from({ length: rows }, () => tokens - 1),
    roles: Array.from({ length: rows }, (_, row) => row),
  }
}
