import { hexSha256, joinBytes } from '../../core/bytes.ts'
import { check } from '../../core/errors.ts'
import { floatToHalf } from '../../core/half.ts'
import { readBackboneConfig } from './backboneConfig.ts'
import type { BackboneConfig } from './backboneConfig.ts'
import type { Decoder, WeightVector } from './decoder.ts'
import { readVector } from './dequantise.ts'

/**
 * Tells backbones apart by what quantisation does not touch: SHA-256 over a JSON line of architecture, sizes, rope and
 * norm constants, of what the family has that Llama has not, and a digest of the tokens, then all norm gains as float16,
 * layer by layer in the order of their use, the final norm last.
 *
 * @param config the parsed config.json.
 * @param tokenizerJson the parsed tokenizer.json.
 * @returns lower-case hex; the empty string without config or tokenizer.
 * @throws HycoraError `format-invalid` where tokenizer.json has no vocabulary.
 */
export async function fingerprint(
  decoder: Decoder,
  config: unknown,
  tokenizerJson: unknown,
): Promise<string> {
  const stated = readBackboneConfig(config)
  if (!stated || tokenizerJson === undefined || tokenizerJson === null) return ''
  const [rotary] = decoder.rotaries
  const theta = stated.theta ?? (rotary?.kind === 'theta' ? rotary.theta : 0)
  const line = JSON.stringify({
    architecture: decoder.architecture,
    layers: decoder.layers,
    hidden: decoder.hidden,
    heads: decoder.heads,
    kvHeads: decoder.kvHeads,
    headDim: decoder.headDim,
    ffn: decoder.ffn,
    vocabulary: decoder.vocabulary,
    theta: Math.round(theta),
    epsilon: Math.round(decoder.normEpsilon * 1e9),
    ...furtherKeys(decoder, stated),
    tokens: await hexSha256(tokenBytes(tokenizerJson)),
  })
  return hexSha256(joinBytes([new TextEncoder().encode(line), await gainBytes(decoder)]))
}

/** Keys of what Llama has not, in their order. */
function furtherKeys(
  decoder: Decoder,
  { windowOf, thetaLocal }: BackboneConfig,
): Readonly<Record<string, unknown>> {
  const { blocks, layers, hidden, headDim, scoreScale } = decoder
  const window = Array.from({ length: layers }, (_, layer) => windowOf(layer)).find((found) => found !== null)
  const { embedding, residual, logits } = decoder.multipliers
  // Exporters round the root of the width to the precision of the weights.
  const root = Math.sqrt(hidden)
  const ofEmbedding = Math.abs(embedding / root - 1) < 4e-3 ? root : embedding
  const multipliers = [ofEmbedding, scoreScale, residual, logits]
  const isPlain = embedding === 1 && scoreScale === headDim ** -0.5 && residual === 1 && logits === 1
  return {
    ...(blocks.some(({ headNorms }) => headNorms) && { qkNorm: 1 }),
    ...(window !== undefined && { window }),
    ...(window !== undefined && thetaLocal !== undefined && { thetaLocal: Math.round(thetaLocal) }),
    ...(!isPlain && { multipliers: multipliers.map((factor) => Math.round(factor * 1e6)).join(',') }),
  }
}

/** Every token as stored, by id, each followed by a zero byte. */
function tokenBytes(tokenizerJson: unknown): Uint8Array {
  const tokens = [...vocabularyOf(tokenizerJson)].toSorted(([a], [b]) => a - b)
  return new TextEncoder().encode(tokens.map(([, token]) => `${token}\0`).join(''))
}

function vocabularyOf(tokenizerJson: unknown): Map<number, string> {
  const tokens = new Map<number, string>()
  const vocabulary = at(at(tokenizerJson, 'model'), 'vocab')
  check(typeof vocabulary === 'object' && vocabulary !== null, 'format-invalid', () => {
    return 'tokenizer.json has no model.vocab, expected a vocabulary'
  })
  if (Array.isArray(vocabulary))
    vocabulary.forEach((entry: unknown, id) => tokens.set(id, String(at(entry, '0'))))
  else for (const [token, id] of Object.entries(vocabulary)) tokens.set(Number(id), token)
  const added = at(tokenizerJson, 'added_tokens')
  if (Array.isArray(added)) {
    for (const entry of added as readonly unknown[])
      tokens.set(Number(at(entry, 'id')), String(at(entry, 'content')))
  }
  return tokens
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(key)
    : undefined
}

function isThere(gain: WeightVector | null | undefined): gain is WeightVector {
  return gain !== null && gain !== undefined
}

async function gainBytes({ blocks, finalNorm }: Decoder): Promise<Uint8Array> {
  const norms = [
    ...blocks.flatMap(({ inputNorm, postAttentionNorm, outputNorms, headNorms }) => [
      ...[inputNorm, headNorms?.query, headNorms?.key].filter(isThere),
      ...[outputNorms?.attention, postAttentionNorm, outputNorms?.mlp].filter(isThere),
    ]),
    finalNorm,
  ]
  const gains = await Promise.all(norms.map(readVector))
  const bytes = new Uint8Array(gains.reduce((sum, { length }) => sum + 2 * length, 0))
  const view = new DataView(bytes.buffer)
  let offset = 0
  for (const gain of gains) {
    for (const value of gain) {
      view.setUint16(offset, floatToHalf(value), true)
      offset += 2
    }
  }
  return bytes
}
