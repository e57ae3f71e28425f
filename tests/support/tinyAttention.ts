import { F32, I32, MICROSOFT, MULTIPLIERS, TINY, WINDOWED } from './tinyGraph.ts'
import type { TinyGraph } from './tinyGraph.ts'
import { addLinear } from './tinyLinear.ts'
import {
  addNeighbourAngles,
  addTurns,
  floatPositions,
  pairedNeighbours,
  slicedNeighbours,
} from './tinyNeighbours.ts'
import { addGain, addNorm } from './tinyNorm.ts'

function frequencies({ options: { rotaryDim } }: TinyGraph, theta: number): readonly number[] {
  return Array.from({ length: rotaryDim / 2 }, (_, i) => theta ** ((-2 * i) / rotaryDim))
}

/** The rotations of a graph: the ending of their names, and θ. */
function rotations({ options }: TinyGraph): readonly (readonly [string, number])[] {
  const local = ['.local', WINDOWED.theta] as const
  return [['', TINY.theta], ...(options.hasLocalTheta ? [local] : [])]
}

/** Whether a layer of this name sees the last tokens alone. */
function isWindowed({ options: { windowed } }: TinyGraph, name: string): boolean {
  return windowed === 'all' || (windowed === 'first' && name === 'layers.0')
}

/** The ending of the names of the cosines and sines that a layer rotates by. */
function angleEnding(graph: TinyGraph, name: string): string {
  return graph.options.hasLocalTheta && isWindowed(graph, name) ? '.local' : ''
}

/** Whether a layer of this name rotates queries and keys. */
function isRotated({ options }: TinyGraph, name: string): boolean {
  return options.rotated === 'all' || name === 'layers.0'
}

/** Adds GroupQueryAttention's rotary tables, and its lengths from the attention mask. */
export function addLengths(graph: TinyGraph): void {
  const one = graph.integers('one', [1])
  for (const [ending, theta] of rotations(graph)) {
    const half = frequencies(graph, theta)
    const angles = Array.from({ length: TINY.positions }, (_, p) =>
      half.map((frequency) => p * frequency),
    ).flat()
    graph.floats(`cos${ending}`, [TINY.positions, half.length], angles.map(Math.cos))
    graph.floats(`sin${ending}`, [TINY.positions, half.length], angles.map(Math.sin))
  }
  const sum = graph.node('ReduceSum', ['attention_mask', one], 'mask.sum', { keepdims: { int: 0 } })
  const last = graph.node('Sub', [sum, one], 'mask.last')
  graph.node('Cast', [last], 'lengths', { to: { int: I32 } })
  const shape = graph.node('Shape', ['attention_mask'], 'mask.shape')
  const total = graph.node('Gather', [shape, graph.integers('index', [1], [])], 'mask.total')
  graph.node('Cast', [total], 'total', { to: { int: I32 } })
}

function projections(graph: TinyGraph, name: string, normed: string): readonly [string, string, string] {
  const [q, kv] = [TINY.heads * TINY.headDim, TINY.kvHeads * TINY.headDim]
  if (graph.options.qkv === 'separate') {
    return [
      addLinear(graph, `${name}.q`, normed, [TINY.hidden, q]),
      addLinear(graph, `${name}.k`, normed, [TINY.hidden, kv]),
      addLinear(graph, `${name}.v`, normed, [TINY.hidden, kv]),
    ]
  }
  const fused = addLinear(graph, `${name}.qkv`, normed, [TINY.hidden, q + 2 * kv])
  const { attention, headNorms } = graph.options
  if (attention === 'fused' && headNorms !== 'each' && headNorms !== 'all') return [fused, '', '']
  const parts = [`${name}.q.y`, `${name}.k.y`, `${name}.v.y`] as const
  graph.node('Split', [fused, graph.integers('parts', [q, kv, kv])], parts, { axis: { int: -1 } })
  return parts
}

/** Adds the attention of a layer as one GroupQueryAttention; gives the name of its output [.., heads·headDim]. */
export function addAttention(graph: TinyGraph, name: string, normed: string): string {
  const layer = name.split('.')[1]
  const past = [`past_key_values.${layer}.key`, `past_key_values.${layer}.value`]
  const parts = normedRows(graph, projections(graph, name, normed))
  const isNormedInside = graph.options.headNorms === 'inside'
  const gains = isNormedInside
    ? ['q', 'k'].map((part) => addGain(graph, `${name}.${part}_norm`, TINY.headDim))
    : []
  return graph.node(
    'GroupQueryAttention',
    [
      ...parts,
      ...past,
      'lengths',
      'total',
      `cos${angleEnding(graph, name)}`,
      `sin${angleEnding(graph, name)}`,
      ...(isNormedInside ? ['', '', '', '', '', ...gains] : []),
    ],
    [`${name}.attended`, `present.${layer}.key`, `present.${layer}.value`],
    {
      num_heads: { int: TINY.heads },
      kv_num_heads: { int: TINY.kvHeads },
      do_rotary: { int: isRotated(graph, name) ? 1 : 0 },
      ...(graph.options.multipliers === 'all' && { scale: { float: MULTIPLIERS.scores } }),
      ...(isWindowed(graph, name) && { local_window_size: { int: WINDOWED.window } }),
      ...(graph.options.isInterleaved && { rotary_interleaved: { int: 1 } }),
      ...(isNormedInside && { qk_norm_epsilon: { float: TINY.epsilon } }),
    },
    MICROSOFT,
  )
}

/** Queries and keys as rows behind the norms of their heads, those of each between two reshapes. */
function normedRows(graph: TinyGraph, parts: readonly string[]): readonly string[] {
  const { headNorms } = graph.options
  const widths = [TINY.heads * TINY.headDim, TINY.kvHeads * TINY.headDim]
  return parts.map((part, at) => {
    const width = widths[at]
    if (width === undefined || headNorms === 'none' || headNorms === 'inside') return part
    if (headNorms === 'all') return addNorm(graph, `${part}_norm`, part, width)
    const split = graph.integers('heads.split', [0, -1, TINY.headDim])
    const heads = graph.node('Reshape', [part, split], `${part}.each`)
    const normed = addNorm(graph, `${part}_norm`, heads, TINY.headDim)
    return graph.node('Reshape', [normed, graph.integers(`heads.${width}`, [0, -1, width])], `${part}.rows`)
  })
}

/** Adds rotary angles and a causal mask, written out. */
export function addAngles(graph: TinyGraph): void {
  const one = graph.integers('one', [1])
  const { isInterleaved, neighbours } = graph.options
  if (isInterleaved && neighbours === 'pairs') {
    addTurns(graph)
    addMasks(graph)
    return
  }
  const positions = floatPositions(graph)
  for (const [ending, theta] of rotations(graph)) {
    const half = frequencies(graph, theta)
    const constant = graph.floats(`frequencies${ending}`, [1, half.length, 1], half)
    const angles = graph.node('MatMul', [constant, positions], `angles${ending}`)
    const turned = graph.node('Transpose', [angles], `angles.turned${ending}`, { perm: { ints: [0, 2, 1] } })
    if (graph.options.attention === 'standard') {
      graph.node('Cos', [turned], `cos${ending}`)
      graph.node('Sin', [turned], `sin${ending}`)
      continue
    }
    if (isInterleaved) {
      addNeighbourAngles(graph, turned, ending)
      continue
    }
    const doubled = graph.node('Concat', [turned, turned], `angles.doubled${ending}`, { axis: { int: -1 } })
    graph.node('Unsqueeze', [graph.node('Cos', [doubled], `cosines${ending}`), one], `cos${ending}`)
    graph.node('Unsqueeze', [graph.node('Sin', [doubled], `sines${ending}`), one], `sin${ending}`)
  }
  addMasks(graph)
}

/** The causal mask, and that of layers with a window. */
function addMasks(graph: TinyGraph): void {
  const shape = graph.node('Shape', ['past_key_values.0.key'], 'past.shape', {
    start: { int: 2 },
    end: { int: 3 },
  })
  const tokens = graph.node('Shape', ['input_ids'], 'tokens', { start: { int: 1 }, end: { int: 2 } })
  const total = graph.node('Squeeze', [graph.node('Add', [shape, tokens], 'total.vector')], 'total')
  const keys = graph.node(
    'Range',
    [graph.integers('zero', [0], []), total, graph.integers('step', [1], [])],
    'keys',
  )
  const query = graph.node('Unsqueeze', ['position_ids', graph.integers('ends', [1, 3])], 'queries')
  const seen = graph.node('LessOrEqual', [keys, query], 'seen')
  const [none, never] = [graph.floats('none', [], [0]), graph.floats('never', [], [-1e9])]
  graph.node('Where', [seen, none, never], 'mask')
  const far = graph.node('Sub', [query, graph.integers('window', [WINDOWED.window], [])], 'far')
  if (graph.options.masks === 'seen') {
    const near = graph.node('And', [graph.node('Greater', [keys, far], 'near'), seen], 'seen.near')
    graph.node('Where', [near, none, never], 'mask.window')
    return
  }
  const past = graph.node('LessOrEqual', [keys, far], 'past.window')
  const hidden = graph.node('Cast', [past], 'hidden', { to: { int: F32 } })
  graph.node('Add', [graph.node('Mul', [hidden, never], 'hidden.by'), 'mask'], 'mask.window')
}

function rotated(graph: TinyGraph, heads: string, ending: string): string {
  const { attention, isInterleaved, rotaryDim } = graph.options
  if (attention === 'standard') {
    return graph.node('RotaryEmbedding', [heads, `cos${ending}`, `sin${ending}`], `${heads}.rotated`, {
      interleaved: { int: isInterleaved ? 1 : 0 },
      rotary_embedding_dim: { int: rotaryDim === TINY.headDim ? 0 : rotaryDim },
    })
  }
  const [start, end, axis] = [
    graph.integers('start', [0]),
    graph.integers('end', [2 ** 40]),
    graph.integers('axis', [3]),
  ]
  const isWhole = rotaryDim === TINY.headDim
  const size = graph.integers('rotated', [rotaryDim])
  const x = isWhole ? heads : graph.node('Slice', [heads, start, size, axis], `${heads}.part`)
  const sum = isInterleaved ? turnedNeighbours(graph, x, ending) : turnedHalves(graph, x, ending)
  if (isWhole) return sum
  const rest = graph.node('Slice', [heads, size, end, axis], `${heads}.rest`)
  return graph.node('Concat', [sum, rest], `${heads}.rotated`, { axis: { int: -1 } })
}

function turnedNeighbours(graph: TinyGraph, x: string, ending: string): string {
  return graph.options.neighbours === 'pairs'
    ? pairedNeighbours(graph, x)
    : slicedNeighbours(graph, x, ending)
}

function turnedHalves(graph: TinyGraph, x: string, ending: string): string {
  const [start, end, axis] = [
    graph.integers('start', [0]),
    graph.integers('end', [2 ** 40]),
    graph.integers('axis', [3]),
  ]
  const half = graph.integers('half', [graph.options.rotaryDim / 2])
  const lower = graph.node('Slice', [x, start, half, axis], `${x}.lower`)
  const upper = graph.node('Neg', [graph.node('Slice', [x, half, end, axis], `${x}.upper`)], `${x}.negated`)
  const turned = graph.node('Concat', [upper, lower], `${x}.turned`, { axis: { int: -1 } })
  const products = [
    graph.node('Mul', [x, `cos${ending}`], `${x}.cos`),
    graph.node('Mul', [turned, `sin${ending}`], `${x}.sin`),
  ]
  return graph.node('Add', products, `${x}.rotated`)
}

/** Adds the attention of a layer as single operators; gives the name of its output [.., heads·headDim]. */
export function addWrittenAttention(graph: TinyGraph, name: string, normed: string): string {
  const layer = name.split('.')[1]
  const { headNorms, isTokensFirst, neighbours, isInterleaved } = graph.options
  const toHeads = { perm: { ints: isTokensFirst ? [1, 2, 0, 3] : [0, 2, 1, 3] } }
  // Pairs are turned where they are: their angles lie as the tokens do.
  const isTurnedFirst = isInterleaved && neighbours === 'pairs'
  const rows = projections(graph, name, normed)
  const [q, k, v] = (headNorms === 'all' ? normedRows(graph, rows) : rows).map((part, at) => {
    const count = at === 0 ? TINY.heads : TINY.kvHeads
    const shape = graph.options.isOfOneText
      ? graph.integers(`heads.${count}`, [1, -1, count, TINY.headDim])
      : graph.integers('heads', [0, 0, -1, TINY.headDim])
    const split = graph.node('Reshape', [part, shape], `${part}.split`)
    const isNormed = headNorms === 'each' && at < 2
    const heads = isNormed ? addNorm(graph, `${part}_norm`, split, TINY.headDim) : split
    const turned = isTurnedFirst && at < 2 ? rotated(graph, heads, '') : heads
    return graph.node('Transpose', [turned], `${part}.heads`, toHeads)
  })
  const placed = (heads: string): string =>
    isRotated(graph, name) && !isTurnedFirst ? rotated(graph, heads, angleEnding(graph, name)) : heads
  const cached = [placed(k!), v!].map((added, at) => {
    const part = `${layer}.${at === 0 ? 'key' : 'value'}`
    const axis = { axis: { int: -2 } }
    const present = graph.node('Concat', [`past_key_values.${part}`, added], `present.${part}`, axis)
    const lifted = graph.node('Unsqueeze', [present, graph.integers('two', [2])], `${added}.lifted`)
    const before = graph.node('Shape', [present], `${added}.before`, { end: { int: 2 } })
    const after = graph.node('Shape', [present], `${added}.after`, { start: { int: 2 } })
    const group = graph.integers('group', [TINY.heads / TINY.kvHeads])
    const shape = graph.node('Concat', [before, group, after], `${added}.shape`, { axis: { int: 0 } })
    const repeated = graph.node('Expand', [lifted, shape], `${added}.repeated`)
    return graph.node(
      'Reshape',
      [repeated, graph.integers('all', [0, TINY.heads, -1, TINY.headDim])],
      `${added}.all`,
    )
  })
  const mixed = mixedValues(graph, name, [placed(q!), cached[0]!, cached[1]!])
  const toRows = { perm: { ints: isTokensFirst ? [2, 0, 1, 3] : [0, 2, 1, 3] } }
  const joined = graph.node('Transpose', [mixed], `${name}.rows`, toRows)
  return graph.node('Reshape', [joined, graph.integers('flat', [0, 0, -1])], `${name}.attended`)
}

/** The values of all heads, mixed as queries and keys have it. */
function mixedValues(
  graph: TinyGraph,
  name: string,
  [query, key, value]: readonly [string, string, string],
): string {
  const mask = isWindowed(graph, name) ? 'mask.window' : 'mask'
  const scale = graph.options.multipliers === 'all' ? MULTIPLIERS.scores : TINY.headDim ** -0.5
  if (graph.options.attention === 'standard') {
    return graph.node('Attention', [query, key, value, mask], `${name}.mixed`, { scale: { float: scale } })
  }
  const keys = graph.node('Transpose', [key], `${name}.keys`, { perm: { ints: [0, 1, 3, 2] } })
  const scores = graph.node('MatMul', [query, keys], `${name}.scores`)
  const root = graph.floats(`${name}.root`, [], [1 / scale])
  const masked = graph.node(
    'Add',
    [graph.node('Div', [scores, root], `${name}.scaled`), mask],
    `${name}.masked`,
  )
  const weights = graph.node('Softmax', [masked], `${name}.weights`, { axis: { int: -1 } })
  return graph.node('MatMul', [weights, value], `${name}.mixed`)
}
