import { DATA_TYPES } from '../formats/onnxTensor.ts'
import type { BlockMatrix, Decoder, FloatMatrix, WeightMatrix } from '../model/decoder/decoder.ts'
import { readBlockParts } from '../model/decoder/dequantise.ts'
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
  const isWhole = stored.kind === 'blocks' && !stored.levels && width % stored.blockSize === 0
  if (isWhole) return addCodes(graph, embedding, stored)
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
  const { out, in: width } = table
  const { codes, scales, zeros, blocks } = await readBlockParts(table, stored)
  const rows = (name: string): string => graph.node('Gather', [name, 'ids'], `${name}.rows`, ROWS)
  graph.constant('embedding.codes', 'u8', [out, blocks, stored.blockSize], codes)
  graph.constant('embedding.scales', 'f32', [out, blocks, 1], scales)
  let zero = ''
  if (typeof stored.zeros === 'number') {
    zero = graph.constant('embedding.zero', 'f32', [], Float32Array.of(stored.zeros))
  } else if (stored.zeros.values.dataType.startsWith('u')) {
    graph.constant('embedding.zeros', 'u8', [out, blocks, 1], Uint8Array.from(zeros))
    zero = graph.node('Cast', [rows('embedding.zeros')], 'embedding.zero', TO_FLOAT)
  } else {
    graph.constant('embedding.zeros', 'f32', [out, blocks, 1], zeros)
    zero = rows('embedding.zeros')
  }
  const code = graph.node('Cast', [rows('embedding.codes')], 'embedding.code', TO_FLOAT)
  const centred = graph.node('Sub', [code, zero], 'embedding.centred')
  const scaled = graph.node('Mul', [centred, rows('embedding.scales')], 'embedding.scaled')
  return graph.node('Reshape', [scaled, graph.integers('hidden_rows', [-1, width])], 'embedded')
}
