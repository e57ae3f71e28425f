import type { Decoder, WeightMatrix } from '../model/decoder/decoder.ts'
import { GROUPS } from './linearLayers.ts'
import type { Group } from './linearLayers.ts'
import type { GraphForms } from './rewriteDecoder.ts'
import type { WeightForm } from './weightForms.ts'

/**
 * What stands for quantised weights. In 8 bits a prompt takes half the time of float32; the inputs of q, k and v, and
 * those of down in the first and last blocks, have outliers that 8 bits hold badly, so these stay float32. (SmolLM2 in
 * 4 bits, KL to float32 and equal top tokens over 2,120 tokens of chats: all in 8 bits 0.033 and 89.5 %, q, k and v in
 * float32 0.022 and 91.5 %, as here 0.016 and 93.1 %, down in float32 throughout 0.013 and 93.4 %.)
 */
const FAST_FORMS: GraphForms = {
  qkv: 'float32',
  o: 'uint8',
  gateUp: 'uint8',
  down: 'uint8',
  edgeDown: 'float32',
  head: 'uint8',
}

/** Up to so many bytes as float32, exactness costs no time worth speaking of. */
const SMALL_BYTES = 64 * 2 ** 20

/** WebAssembly has 4 GiB of memory, and weights are there twice for a moment while they are taken in. */
const MOST_FLOAT_BYTES = 2 ** 31

/**
 * The form of each weight: float32 where the file has floats or the model is small, else what is fast; 8 bits
 * throughout where float32 would not fit into memory.
 */
export function chooseForms(decoder: Decoder): GraphForms {
  const bytes = 4 * matrices(decoder).reduce((sum, matrix) => sum + matrix.out * matrix.in, 0)
  const formOf = (matrix: WeightMatrix | undefined, fast: WeightForm): WeightForm => {
    if (bytes > MOST_FLOAT_BYTES) return 'uint8'
    return bytes <= SMALL_BYTES || matrix?.stored.kind === 'float' ? 'float32' : fast
  }
  const linears = decoder.blocks[0]?.linears
  const groupForm = (group: Group, fast = FAST_FORMS[group]): WeightForm => {
    return formOf(linears?.[GROUPS[group][0]].weight, fast)
  }
  return {
    qkv: groupForm('qkv'),
    o: groupForm('o'),
    gateUp: groupForm('gateUp'),
    down: groupForm('down'),
    edgeDown: groupForm('down', FAST_FORMS.edgeDown),
    head: formOf(decoder.head, FAST_FORMS.head),
  }
}

/** Bytes that the weights of a graph of these forms take. */
export function formBytes(decoder: Decoder, forms: GraphForms): number {
  const groups = Object.entries(GROUPS).flatMap(([group, projections]) =>
    projections.map((projection) => ({ projection, form: forms[group as Group] })),
  )
  const layers = decoder.blocks.flatMap(({ linears }) =>
    groups.map(({ projection, form }) => bytesOf(linears[projection].weight, form)),
  )
  // The embedding is stored in two bytes or fewer.
  const ends = bytesOf(decoder.head, forms.head) + 2 * decoder.embedding.out * decoder.embedding.in
  return layers.reduce((sum, bytes) => sum + bytes, ends)
}

function bytesOf({ out, in: width }: WeightMatrix, form: WeightForm): number {
  return out * width * (form === 'uint8' ? 1 : 4)
}

function matrices({ blocks, head }: Decoder): readonly WeightMatrix[] {
  return [...blocks.flatMap(({ linears }) => Object.values(linears).map(({ weight }) => weight)), head]
}
