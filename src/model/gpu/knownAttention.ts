import { halfToFloat, packHalves } from '../../core/half.ts'
import { attention } from '../../kernels/attention.ts'
import { rotaryAppend } from '../../kernels/rotaryAppend.ts'
import { at, rowsOf, sum } from './knownOperands.ts'
import type { MakeCase } from './knownOperands.ts'

/* Known answers of what lies between projected queries, keys and values and what attention gives; chats keep halves. */

const SHAPE = { heads: 4, kvHeads: 2, headDim: 16, capacity: 24 }

export const rotaryCase: MakeCase = async ({ device }, make) => {
  const { heads, kvHeads, headDim, capacity } = SHAPE
  const [columns, half, position] = [(heads + 2 * kvHeads) * headDim, headDim / 2, 3]
  const adapter = { ...make.adapter(new Float32Array(4), new Float32Array(4)), paddedRank: 0 }
  const [qkv, bias] = [make.normals(61, columns), make.normals(62, columns)]
  const turns = Array.from(
    { length: capacity * half },
    (_, i) => Math.floor(i / half) * 10 ** -((i % half) / half),
  )
  const angles = Float32Array.from(turns.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]))
  const query = make.output(1, heads * headDim)
  const tensors = {
    step: make.step(rowsOf(1, position)),
    qkv: make.upload([1, columns], qkv),
    bias: make.upload([columns], bias),
    angles: make.upload([capacity, half, 2], angles),
    query,
    cache: make.output(1, 2, kvHeads, capacity, headDim / 2),
  }
  const shape = { ...SHAPE, rotation: { dim: headDim, isInterleaved: false } }
  const dispatch = await rotaryAppend(device, shape, adapter, tensors, { q: 0, k: 0, v: 0 })
  const answer = Array.from({ length: heads * headDim }, (_, column) => {
    const i = column % headDim
    const turn = at(turns, position * half + (i % half))
    const [own, other] = [column, i < half ? column + half : column - half].map(
      (c) => at(qkv, c) + at(bias, c),
    )
    return (own ?? 0) * Math.cos(turn) + (i < half ? -1 : 1) * (other ?? 0) * Math.sin(turn)
  })
  return { name: 'rotation', dispatches: [dispatch], rows: 1, output: query, answer }
}

/** What attention gives of queries [rows, heads, headDim] from a position on, over keys and values of one sequence. */
function attended(query: ArrayLike<number>, cache: ArrayLike<number>, first: number): number[] {
  const { heads, kvHeads, headDim, capacity } = SHAPE
  return Array.from({ length: query.length }, (_, index) => {
    const row = Math.floor(index / (heads * headDim))
    const keys = Math.floor(((index / headDim) % heads) / (heads / kvHeads)) * capacity * headDim
    const from = index - (index % headDim)
    const weights = Array.from({ length: first + row + 1 }, (__, p) =>
      Math.exp(
        sum(headDim, (i) => at(query, from + i) * at(cache, keys + p * headDim + i)) / Math.sqrt(headDim),
      ),
    )
    const values = keys + kvHeads * capacity * headDim + (index % headDim)
    const all = sum(weights.length, (p) => at(weights, p))
    return sum(weights.length, (p) => at(weights, p) * at(cache, values + p * headDim)) / all
  })
}

/** Keys and values of two rows on their way through the cache, in numbers that halves hold. */
export const cacheCase: MakeCase = async (gpu, make) => {
  const { heads, kvHeads, headDim, capacity } = SHAPE
  const [count, columns] = [2, (heads + 2 * kvHeads) * headDim]
  const adapter = { ...make.adapter(new Float32Array(4), new Float32Array(4)), paddedRank: 0 }
  const qkv = make.normals(66, count * columns).map((value) => Math.round(8 * value) / 8)
  const query = make.output(count, heads * headDim)
  const cache = make.output(1, 2, kvHeads, capacity, headDim / 2)
  const step = make.step(rowsOf(count))
  const y = make.output(count, heads * headDim)
  const tensors = {
    step,
    qkv: make.upload([count, columns], qkv),
    bias: make.output(columns),
    angles: make.output(capacity, 0, 2),
    query,
    cache,
  }
  const shape = { ...SHAPE, rotation: { dim: 0, isInterleaved: false } }
  const dispatches = [
    await rotaryAppend(gpu.device, shape, adapter, tensors, { q: 0, k: 0, v: 0 }),
    await attention(gpu, SHAPE, { step, query, cache, y }, { plan: 'row' }),
  ]
  const kept = new Float32Array(2 * kvHeads * capacity * headDim)
  const queries: number[] = []
  for (let row = 0; row < count; row++) {
    const [from, behind] = [row * columns, row * columns + heads * headDim]
    queries.push(...qkv.subarray(from, behind))
    for (let head = 0; head < 2 * kvHeads; head++)
      kept.set(
        qkv.subarray(behind + head * headDim, behind + (head + 1) * headDim),
        (head * capacity + row) * headDim,
      )
  }
  return { name: 'cache', dispatches, rows: count, output: y, answer: attended(queries, kept, 0) }
}

/** Attention of one row over what is in the cache, or of the rows of a prompt. */
export function attentionCase(count: number): MakeCase {
  return async (gpu, make) => {
    const { heads, kvHeads, headDim, capacity } = SHAPE
    const first = capacity - count
    const query = make.normals(71, count * heads * headDim)
    const words = packHalves(make.normals(72, 2 * kvHeads * capacity * headDim))
    const y = make.output(count, heads * headDim)
    const tensors = {
      step: make.step(rowsOf(count, first)),
      query: make.upload([count, heads * headDim], query),
      cache: make.upload([1, 2, kvHeads, capacity, headDim / 2], words),
      y,
    }
    const plan = count === 1 ? 'row' : gpu.tuning.promptAttention
    const dispatch = await attention(gpu, SHAPE, tensors, { plan })
    const cache = Array.from(new Uint16Array(words.buffer), halfToFloat)
    const answer = attended(query, cache, first)
    return { name: `attention of ${count}`, dispatches: [dispatch], rows: count, output: y, answer }
  }
}
