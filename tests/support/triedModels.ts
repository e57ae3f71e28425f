import type { TRIED_FORMS } from '../../src/hub/catalogue.ts'
import { asHalf } from './tinyBackbone.ts'
import { GEMMA, GEMMA_CONFIG, TINY_CONFIG, tinyDecoder } from './tinyDecoder.ts'
import { F32 } from './tinyGraph.ts'
import type { TinyOptions } from './tinyGraph.ts'
import type { WrittenModel, WrittenTensor } from './onnxWriter.ts'

/** What the models of the catalogue are built like, by the `model_type` of their config.json. */
export const TRIED_FAMILIES: Readonly<Record<string, TinyOptions>> = {
  llama: {},
  qwen2: { bias: 'last', embedding: 'tied' },
  qwen3: { headNorms: 'each', attention: 'written', qkv: 'separate', embedding: 'tied' },
  gemma3_text: { ...GEMMA, attention: 'written' },
  granitemoehybrid: { multipliers: 'all', embedding: 'tied' },
  olmo2: { norms: 'behind', headNorms: 'all', attention: 'written', qkv: 'separate' },
  smollm3: { rotated: 'first', attention: 'written', embedding: 'tied' },
  phi3: { rotaryDim: 12, attention: 'written', gateUp: 'fused', embedding: 'tied' },
  ernie4_5: { isInterleaved: true, embedding: 'tied' },
}

type Form = (typeof TRIED_FORMS)[number]

const LINEARS: Readonly<Record<Form, TinyOptions>> = {
  fp32: {},
  fp16: {},
  q4: { linear: 'blocks4', blockSize: 32 },
  q4f16: { linear: 'blocks4', blockSize: 32 },
  int8: { linear: 'rounded', codes: 'int8' },
  uint8: { linear: 'rounded', codes: 'uint8' },
  bnb4: { linear: 'normalLevels', blockSize: 64 },
}

/** What the forms of SmolLM2 that were measured are called in `scale/experiments/forms.json`. */
export const MEASURED_FORMS: Readonly<Partial<Record<Form, string>>> = {
  fp32: 'float32',
  fp16: 'float16',
  q4: 'blocks of 32, 4 bits',
  int8: 'rounded, int8',
  uint8: 'rounded, uint8',
  bnb4: 'NF4',
}

/** A small decoder that is built like a model's family, with its weights in a form. */
export function triedDecoder(
  family: string,
  form: Form,
): { readonly graph: WrittenModel; readonly config: unknown } {
  const options = TRIED_FAMILIES[family]
  if (!options) throw new Error(`${family} has no decoder that is built like it`)
  const config = family === 'gemma3_text' ? GEMMA_CONFIG : { ...TINY_CONFIG, model_type: family }
  const graph = tinyDecoder({ ...options, ...LINEARS[form] })
  return { graph: form.endsWith('16') ? withHalves(graph) : graph, config }
}

function isHalved({ name, dataType }: WrittenTensor): boolean {
  return dataType === F32 && /(weight|scales?|embedding)$/.test(name)
}

function withHalves(graph: WrittenModel): WrittenModel {
  return {
    ...graph,
    initializers: graph.initializers.map((tensor) => (isHalved(tensor) ? asHalf(tensor) : tensor)),
  }
}
