import { check } from '../core/errors.ts'
import type { OnnxGraph } from '../formats/onnx.ts'
import type { DecoderShape } from '../model/decoder/decoder.ts'

/** A graph that is to be seen going on where it was. */
export interface ProbedGraph {
  readonly shape: DecoderShape
  /** Behind what was read before, tokens are read one at a time from now on. */
  readOneByOne(): void
  /** Logits of `ids` at `rows`, [rows, vocabulary], by nobody; `first` tokens were read before. */
  read(ids: readonly number[], first: number, rows: readonly number[]): Promise<Float32Array>
}

/** How many tokens a graph takes behind others. */
export type Appetite = 'several' | 'one'

/** The square of the difference, normalised, up to which logits count as equal: 8 bits of a row round by what is in it. */
const SAME = 0.05

const ROUNDING_TOGETHER: ReadonlySet<string> = new Set(['DynamicQuantizeLinear', 'DynamicQuantizeMatMul'])

/**
 * Whether products of a graph, or of its branches, round all rows that are read at once by one scale. Then what a token says
 * depends on those behind it, and the first one spoils all others: most decoders let it have values hundreds of times as
 * large, at which the scale leaves the others a few steps. (SmolLM2 rounded to 8 bits by column, squares of the difference to
 * float32 of logits less their mean: 0.18 of three tokens at once, 0.03 behind the first.)
 *
 * Reference: Sun et al., "Massive Activations in Large Language Models", 2024.
 */
export function roundsTogether({ nodes }: OnnxGraph): boolean {
  return nodes.some(({ opType, attributes }) => {
    if (ROUNDING_TOGETHER.has(opType)) return true
    return [...attributes.values()].some((one) => one.kind === 'graph' && roundsTogether(one.value))
  })
}

/**
 * Reads three tokens at once and in two parts; where these differ, with the second part token by token, as the graph reads from
 * then on.
 *
 * @throws HycoraError `format-unsupported` where it does not go on where it was.
 */
export async function probeGraph(graph: ProbedGraph): Promise<Appetite> {
  const ids = probeIds(graph.shape.vocabulary)
  const last = ids.length - 1
  const all = await graph.read(
    ids,
    0,
    ids.map((_, row) => row),
  )
  const whole = all.subarray(last * graph.shape.vocabulary)
  const inTwo = async (): Promise<Float32Array> => {
    await graph.read(ids.slice(0, 1), 0, [0])
    return graph.read(ids.slice(1), 1, [last - 1])
  }
  // Masks that exporters wrote down for one token behind others fail on several, or hide the wrong ones.
  const several = await inTwo().catch(() => null)
  if (several && difference(whole, several) <= SAME) return 'several'
  graph.readOneByOne()
  check(difference(whole, await inTwo()) <= SAME, 'format-unsupported', () => {
    return 'the graph gives other logits with its cache than without, expected a decoder that goes on where it was'
  })
  return 'one'
}

/** Ordinary tokens: of what follows special ones models have learnt little, and rounding decides. */
function probeIds(vocabulary: number): readonly number[] {
  return [1, 2, 3].map((part) => Math.floor((vocabulary * part) / 10))
}

/** Of logits that are no numbers nothing is said here. */
function difference(expected: Float32Array, actual: Float32Array): number {
  let [squares, all] = [0, 0]
  for (const [index, value] of expected.entries()) {
    squares += (value - (actual[index] ?? 0)) ** 2
    all += value ** 2
  }
  return Number.isFinite(squares / all) ? squares / all : 0
}
