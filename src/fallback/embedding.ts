import { DATA_TYPES } from '../formats/onnxTensor.ts'
import type {
  BlockMatrix,
  Decoder,
  FloatMatrix,
  StoredTensor,
  WeightMatrix,
} from '../model/decoder/decoder.ts'
import { readVector } from '../model/decoder/dequantise.ts'
import type { GraphBuilder } from './graphBuilder.ts'
import { int } from './graphBuilder.ts'
import { floatRows, halfRows } from './weightForms.ts'

/** The name of the table [vocabulary, hidden] where it is float32, so that a tied head may read it too. */
export const EMBEDDING = 'embedding'

const ROWS = { axis: int(0) }
const TO_FLOAT = { to: int(DATA_TYPES.f32) }

export function isFloat32(stored: FloatMatrix | BlockMatrix): boolean {
  return stored.kind === 'float' && stored.values.dataType === 'f32'
}

/** The embeddings of `ids`, exactly as stored; returns the value [tokens, hidden]. */
export async function addEmbedding(graph: GraphBuilder, { embedding }: Decoder): Promise<string> {
  const { stored, out, in: width } = embedding
  const dims = [out, width]
  if (isFloat32(stored)) {
    graph.constant(EMBEDDING, 'f32', dims, await floatRows([embedding]))
    return graph.node('Gather', [EMBEDDING, 'ids'], 'embedded', ROWS)
  }
  if (stored.kind === 'blocks' && width % stored.blockSize === 0) return addCodes(graph, embedding, stored)
  graph.constant(EMBEDDING, 'f16', dims, await halfRows(embedding))
  return graph.node(
    'Cast',
    [graph.node('Gather', [EMBEDDING, 'ids'], 'embedded.half', ROWS)],
    'embedded',
    TO_FLOAT,
  )
}

/** (code − zero) · scale, block by block, of the rows asked for; codes and integer zeros with a byte each. */
async function addCodes(graph: GraphBuilder, table: WeightMatrix, stored: BlockMatrix): Promise<string> {
  const { out, in: width, firstOut } = table
  const { bits, blockSize, codes, scales, zeroPoints } = stored
  const blocks = width / blockSize
  const count = out * blocks
  const rows = (name: string): string => graph.node('Gather', [name, 'ids'], `${name}.rows`, ROWS)
  const floats = (values: StoredTensor): Promise<Float32Array> =>
    readVector({ values, first: firstOut * blocks, length: count })

  const codeBytes = await readCodes(codes, { first: firstOut, rows: out, width, bits })
  graph.constant('embedding.codes', 'u8', [out, blocks, blockSize], codeBytes)
  graph.constant('embedding.scales', 'f32', [out, blocks, 1], await floats(scales))
  let zero = ''
  if (!zeroPoints) {
    zero = graph.constant('embedding.middle', 'f32', [], Float32Array.of(2 ** (bits - 1)))
  } else if (zeroPoints.dataType === 'u8') {
    const zeros = await readCodes(zeroPoints, { first: firstOut, rows: out, width: blocks, bits })
    graph.constant('embedding.zeros', 'u8', [out, blocks, 1], zeros)
    zero = graph.node('Cast', [rows('embedding.zeros')], 'embedding.zero', TO_FLOAT)
  } else {
    graph.constant('embedding.zeros', 'f32', [out, blocks, 1], await floats(zeroPoints))
    zero = rows('embedding.zeros')
  }
  const code = graph.node('Cast', [rows('embedding.codes')], 'embedding.code', TO_FLOAT)
  const centred = graph.node('Sub', [code, zero], 'embedding.centred')
  const scaled = graph.node('Mul', [centred, rows('embedding.scales')], 'embedding.scaled')
  return graph.node('Reshape', [scaled, graph.integers('hidden_rows', [-1, width])], 'embedded')
}

/** Packed codes as one byte each: low bits first, each row padded to a byte. */
async function readCodes(
  { source, offset }: StoredTensor,
  { first, rows, width, bits }: { first: number; rows: number; width: number; bits: 4 | 8 },
): Promise<Uint8Array> {
  const rowBytes = Math.ceil((width * bits) / 8)
  const packed = await source.read(offset + first * rowBytes, rows * rowBytes)
  if (bits === 8) return packed
  const codes = new Uint8Array(rows * width)
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      codes[row * width + i] = ((packed[row * rowBytes + (i >> 1)] ?? 0) >> (4 * (i & 1))) & 15
    }
  }
  return codes
}
