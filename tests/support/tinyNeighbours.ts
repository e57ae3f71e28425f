import { F32, TINY } from './tinyGraph.ts'
import type { TinyGraph } from './tinyGraph.ts'

// Rotation of neighbours, written out: every other dimension by slices, or pairs by an axis of their own.

/** Adds, from angles [batch, tokens, pairs], the cosines and sines of heads, each twice for two neighbours. */
export function addNeighbourAngles(graph: TinyGraph, turned: string, ending: string): void {
  const one = graph.integers('one', [1])
  const halves = graph.node('Concat', [turned, turned], `angles.doubled${ending}`, { axis: { int: -1 } })
  for (const [operator, name] of [
    ['Cos', 'cos'],
    ['Sin', 'sin'],
  ] as const) {
    const heads = graph.node(
      'Unsqueeze',
      [graph.node(operator, [halves], `${name}.all${ending}`), one],
      `${name}.heads${ending}`,
    )
    const pairs = graph.options.rotaryDim / 2
    const bounds = [
      graph.integers('start', [0]),
      graph.integers('pairs', [pairs]),
      graph.integers('axis', [3]),
    ]
    const single = graph.node('Slice', [heads, ...bounds], `${name}.single${ending}`)
    const column = graph.node(
      'Unsqueeze',
      [single, graph.integers('behind', [-1])],
      `${name}.column${ending}`,
    )
    const twice = graph.integers('twice', [1, 1, 1, 1, 2])
    const twins = graph.node('Expand', [column, twice], `${name}.twins${ending}`)
    const before = graph.node('Shape', [single], `${name}.before${ending}`, { end: { int: -1 } })
    const shape = graph.node('Concat', [before, graph.integers('rest', [-1])], `${name}.shape${ending}`, {
      axis: { int: 0 },
    })
    graph.node('Reshape', [twins, shape], `${name}${ending}`)
  }
}

/** Adds the cosines and sines of a stored table [positions, pairs, 2] for the tokens, before or behind the texts. */
export function addTurns(graph: TinyGraph): void {
  const { rotaryDim, isTokensFirst } = graph.options
  const pairs = rotaryDim / 2
  const angles = Array.from({ length: TINY.positions * pairs }, (_, at) => {
    return Math.floor(at / pairs) * TINY.theta ** ((-2 * (at % pairs)) / rotaryDim)
  })
  const turns = angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])
  const table = graph.floats('turns', [TINY.positions, pairs, 2], turns)
  const rows = graph.node('Gather', [table, 'position_ids'], 'turns.rows', { axis: { int: 0 } })
  const order = { perm: { ints: [1, 0, 2, 3] } }
  const placed = isTokensFirst ? graph.node('Transpose', [rows], 'turns.placed', order) : rows
  const shape = graph.integers('turns.shape', [0, -1, 1, pairs, 2])
  const heads = graph.node('Reshape', [placed, shape], 'turns.heads')
  for (const [index, name] of ['cos', 'sin'].entries()) {
    const at = graph.integers(`second.${index}`, [index], [])
    graph.node('Gather', [heads, at], name, { axis: { int: 4 } })
  }
}

/** Adds x·cos + [−odd, even]·sin of every head. */
export function slicedNeighbours(graph: TinyGraph, x: string, ending: string): string {
  const [end, axis, step] = [
    graph.integers('end', [2 ** 40]),
    graph.integers('axis', [3]),
    graph.integers('by', [2]),
  ]
  const [even, odd] = [graph.integers('start', [0]), graph.integers('one', [1])].map((start, at) =>
    graph.node('Slice', [x, start, end, axis, step], `${x}.${at}`),
  )
  const negated = graph.node('Neg', [odd!], `${x}.negated`)
  const turned = flatPairs(graph, `${x}.turned`, [negated, even!])
  const products = [
    graph.node('Mul', [x, `cos${ending}`], `${x}.cos`),
    graph.node('Mul', [turned, `sin${ending}`], `${x}.sin`),
  ]
  return graph.node('Add', products, `${x}.rotated`)
}

/** Adds even·cos − odd·sin beside odd·cos + even·sin of every head. */
export function pairedNeighbours(graph: TinyGraph, x: string): string {
  const pairs = graph.node(
    'Reshape',
    [x, graph.integers('to.pairs', [0, 0, 0, graph.options.rotaryDim / 2, 2])],
    `${x}.pairs`,
  )
  const [even, odd] = [0, 1].map((index) =>
    graph.node('Gather', [pairs, `second.${index}`], `${x}.${index}`, { axis: { int: 4 } }),
  )
  const product = (part: string, by: string): string => graph.node('Mul', [part, by], `${part}.${by}`)
  const parts = [
    graph.node('Sub', [product(even!, 'cos'), product(odd!, 'sin')], `${x}.even`),
    graph.node('Add', [product(odd!, 'cos'), product(even!, 'sin')], `${x}.odd`),
  ]
  return flatPairs(graph, `${x}.rotated`, parts)
}

/** Both of each pair beside each other. */
function flatPairs(graph: TinyGraph, name: string, parts: readonly string[]): string {
  const columns = parts.map((part) =>
    graph.node('Unsqueeze', [part, graph.integers('behind', [-1])], `${part}.column`),
  )
  const stacked = graph.node('Concat', columns, `${name}.stacked`, { axis: { int: -1 } })
  return graph.node('Reshape', [stacked, graph.integers('of.pairs', [0, 0, 0, -1])], name)
}

/** Positions as floats, for angles. */
export function floatPositions(graph: TinyGraph): string {
  const position = graph.node('Unsqueeze', ['position_ids', graph.integers('one', [1])], 'position')
  return graph.node('Cast', [position], 'position.f', { to: { int: F32 } })
}
