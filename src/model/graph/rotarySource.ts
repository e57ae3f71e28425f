import type { ByteSource } from '../../core/bytes.ts'
import { check } from '../../core/errors.ts'
import { readNumbers } from '../../formats/onnxTensor.ts'
import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import type { BackboneConfig } from '../decoder/backboneConfig.ts'
import type { ElementType, RotarySource, StoredTensor } from '../decoder/decoder.ts'
import { readVector } from '../decoder/dequantise.ts'
import type { AngleSource, RotaryUse } from './values.ts'
import type { StoredTensors } from './storedTensors.ts'

/** What rounding leaves of a frequency that is read from tables of halves, or of upper halves of float32. */
const TABLE_TOLERANCE: Partial<Record<ElementType, GraphRotary['tolerance']>> = {
  f16: { relative: 3e-3, absolute: 1e-7 },
  bf16: { relative: 2e-2, absolute: 1e-6 },
}

/** The positions assumed where neither config.json nor the graph names any. */
const UNSTATED_POSITIONS = 2048

/** What a graph's constants say about its rotation. */
interface GraphRotary {
  /** [dim / 2], radians a position. */
  readonly frequencies: readonly number[]
  readonly scale: number
  /** How far a frequency may lie off, relative and absolute: the tables may be halves. */
  readonly tolerance: { readonly relative: number; readonly absolute: number }
  /** The stored tables [positions, dim / 2], if these are what the graph has. */
  readonly tables: { readonly cos: StoredTensor; readonly sin: StoredTensor } | null
  readonly positions: number | undefined
}

/**
 * Decides where rotary angles come from: θ of config.json where positions are not scaled, else the graph's tables,
 * else θ fitted to the graph's frequencies, else tables computed from them.
 *
 * @throws HycoraError `format-invalid` naming both numbers where config.json and graph disagree; `format-unsupported` for
 * angles that do not fit the rotated dimensions.
 */
export async function resolveRotary(
  use: RotaryUse,
  context: {
    readonly fileName: string
    readonly config: BackboneConfig | undefined
    readonly tensors: StoredTensors
  },
): Promise<{ rotary: RotarySource; maxPositions: number }> {
  const { config } = context
  const { dim } = use
  const sized = { ...context, dim }
  const graph = await readAngles(use, sized)
  const limit = config?.maxPositions ?? graph.positions ?? UNSTATED_POSITIONS
  const fitted = fitTheta(graph, dim)
  if (config?.theta !== undefined && config.hasPlainRotary) {
    const { theta } = config
    check(isThetaOf(graph, theta, dim), 'format-invalid', () => {
      const found = fitted === undefined ? 'no single rope_theta' : `rope_theta ${fitted}`
      return `${context.fileName} rotates with ${found}, expected ${theta} of config.json`
    })
    return { rotary: { kind: 'theta', theta }, maxPositions: limit }
  }
  if (graph.tables) {
    return {
      rotary: { kind: 'tables', ...graph.tables },
      maxPositions: Math.min(limit, graph.positions ?? limit),
    }
  }
  if (fitted !== undefined) return { rotary: { kind: 'theta', theta: fitted }, maxPositions: limit }
  return { rotary: { kind: 'tables', ...computedTables(graph, limit) }, maxPositions: limit }
}

function readAngles(
  { angles, isInterleaved }: RotaryUse,
  sized: { fileName: string; dim: number; tensors: StoredTensors },
): Promise<GraphRotary> | GraphRotary {
  switch (angles.kind) {
    case 'frequencies':
      return readFrequencies(angles, sized)
    case 'turns':
      return readTurns(angles.tensor, sized)
    case 'tables':
      return readTables(angles, { ...sized, isInterleaved })
  }
}

/** Frequencies from a table [positions, dim / 2, 2] of cosines and sines; the tables are computed from these again. */
async function readTurns(
  tensor: OnnxTensor,
  { fileName, dim, tensors }: { fileName: string; dim: number; tensors: StoredTensors },
): Promise<GraphRotary> {
  const turns = await tensors.open(tensor)
  const [positions = 0, pairs = 0] = turns.shape
  check(pairs === dim / 2 && positions >= 2, 'format-invalid', () => {
    return `${fileName} has a rotary table [${turns.shape.join(', ')}] in ${turns.name}, expected two positions and ${dim / 2} pairs`
  })
  const values = await readVector({ values: turns, first: 0, length: 4 * pairs })
  const angles = Array.from(
    { length: pairs },
    (_, i) => [values[2 * i] ?? 0, values[2 * i + 1] ?? 0] as const,
  )
  checkStart(
    angles.every(([cosine, sine]) => sine === 0 && cosine > 0),
    fileName,
  )
  return {
    frequencies: angles.map((_, i) =>
      Math.atan2(values[2 * (pairs + i) + 1] ?? 0, values[2 * (pairs + i)] ?? 0),
    ),
    scale: values[0] ?? 0,
    tolerance: TABLE_TOLERANCE[turns.dataType] ?? { relative: 1e-4, absolute: 1e-9 },
    tables: null,
    positions,
  }
}

function checkStart(isStart: boolean, fileName: string): void {
  check(
    isStart,
    'format-invalid',
    () => `${fileName} has rotary tables that do not start at angle 0, expected so`,
  )
}

function readFrequencies(
  use: Extract<AngleSource, { kind: 'frequencies' }>,
  { fileName, dim }: { fileName: string; dim: number },
): GraphRotary {
  const { tensor, scale } = use
  const count = tensor.dims.reduce((product, size) => product * size, 1)
  check(count === dim / 2, 'format-unsupported', () => {
    return `${fileName} has ${count} rotary frequencies in ${tensor.name}, expected ${dim / 2} for ${dim} dimensions`
  })
  const frequencies = readNumbers(tensor)?.values
  check(frequencies, 'format-unsupported', () => {
    return `${fileName} holds rotary frequencies in ${tensor.name} that are no small floats, expected so`
  })
  return {
    frequencies,
    scale,
    tolerance: { relative: 1e-4, absolute: 1e-9 },
    tables: null,
    positions: undefined,
  }
}

/** Frequencies from the angles of position 1; position 0 tells cosines from sines. */
async function readTables(
  use: Extract<AngleSource, { kind: 'tables' }>,
  sized: { fileName: string; dim: number; tensors: StoredTensors; isInterleaved: boolean },
): Promise<GraphRotary> {
  const { fileName, dim, tensors } = sized
  const [cos, sin] = await Promise.all([tensors.open(use.cos), tensors.open(use.sin)])
  const width = cos.shape.at(-1) ?? 0
  const positions = cos.shape.slice(0, -1).reduce((product, size) => product * size, 1)
  const isDoubled = width === dim
  check(isDoubled || width === dim / 2, 'format-unsupported', () => {
    return `${fileName} has ${width} rotary angles a position in ${cos.name}, expected ${dim / 2} for ${dim} dimensions`
  })
  const isSameShape =
    cos.shape.length === sin.shape.length && cos.shape.every((size, at) => size === sin.shape[at])
  check(positions >= 2 && isSameShape, 'format-invalid', () => {
    return `${fileName} has rotary tables [${cos.shape.join(', ')}] and [${sin.shape.join(', ')}], expected two positions and equal shapes`
  })
  const rows = { first: 0, length: 2 * width }
  const cosines = await readVector({ values: cos, ...rows })
  const sines = await readVector({ values: sin, ...rows })
  // Angles that lie there twice do so half by half, or neighbour by neighbour.
  const step = isDoubled && sized.isInterleaved ? 2 : 1
  const at = (values: Float32Array, position: number, i: number): number =>
    values[position * width + step * i] ?? 0
  const indices = Array.from({ length: dim / 2 }, (_, i) => i)
  const isStart = indices.every((i) => at(sines, 0, i) === 0 && at(cosines, 0, i) > 0)
  checkStart(isStart, fileName)
  return {
    frequencies: indices.map((i) => Math.atan2(at(sines, 1, i), at(cosines, 1, i))),
    scale: at(cosines, 0, 0),
    tolerance: TABLE_TOLERANCE[cos.dataType] ?? { relative: 1e-4, absolute: 1e-9 },
    tables: isDoubled ? null : { cos, sin },
    positions,
  }
}

function isThetaOf({ frequencies, scale, tolerance }: GraphRotary, theta: number, dim: number): boolean {
  if (Math.abs(scale - 1) > tolerance.relative) return false
  return frequencies.every((frequency, i) => {
    const expected = theta ** ((-2 * i) / dim)
    return Math.abs(frequency - expected) <= tolerance.relative * expected + tolerance.absolute
  })
}

/** θ where the frequencies are θ^(−2i / dim); rounded where it is a whole number up to the constants' precision. */
function fitTheta(graph: GraphRotary, dim: number): number | undefined {
  // The middle frequency is small enough to tell θ well and large enough for halves to hold it.
  const i = Math.max(1, Math.floor(dim / 4))
  const theta = (graph.frequencies[i] ?? 0) ** (-dim / (2 * i))
  const whole = Math.round(theta)
  return [whole, theta].find((candidate) => isThetaOf(graph, candidate, dim))
}

function computedTables(graph: GraphRotary, positions: number): { cos: StoredTensor; sin: StoredTensor } {
  const table = (name: string, of: (angle: number) => number): StoredTensor => {
    const width = graph.frequencies.length
    const sizeBytes = positions * width * 4
    return {
      name,
      dataType: 'f32',
      shape: [positions, width],
      source: source(name, of, sizeBytes),
      offset: 0,
      sizeBytes,
    }
  }
  const source = (name: string, of: (angle: number) => number, sizeBytes: number): ByteSource => ({
    name,
    sizeBytes,
    async read(offset, length) {
      const first = Math.floor(offset / 4)
      const values = Float32Array.from({ length: Math.ceil((offset + length) / 4) - first }, (_, at) => {
        const position = Math.floor((first + at) / graph.frequencies.length)
        return of(position * (graph.frequencies[(first + at) % graph.frequencies.length] ?? 0)) * graph.scale
      })
      return new Uint8Array(values.buffer, offset - 4 * first, length)
    },
  })
  return { cos: table('rotary cosines', Math.cos), sin: table('rotary sines', Math.sin) }
}
