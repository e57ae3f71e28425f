import { HycoraError, check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { OnnxModel, OnnxValue } from '../formats/onnx.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import type { DecoderShape } from '../model/decoder/decoder.ts'

/** What the tokens of a run are told by, whatever an exporter calls it. */
export type TokenInput =
  /** The token ids. */
  | 'ids'
  /** Which of all tokens count: [batch, all], or [batch, 1, tokens, all] by tokens. */
  | 'mask'
  /** Where each token of the run stands. */
  | 'positions'
  /** How many tokens were read before, are read now, and both. */
  | 'past-length'
  | 'length'
  | 'total-length'
  /** Both less one, as an attention operator wants it. */
  | 'last-position'
  /** Of which tokens the logits are wanted: the last so many, 0 for all. */
  | 'rows-wanted'
  /** Whether anything was read before. */
  | 'use-cache'
  /** Which of several texts a token is of; there is one. */
  | 'segment'

/** A value that the graph carries from run to run: keys and values, or what a convolution remembers. */
export interface StateInput {
  readonly name: string
  /** The output that is given back under this name. */
  readonly output: string
  readonly dataType: number
  /** Of an empty cache: the axis of positions has 0. */
  readonly dims: readonly number[]
  /** The axis of positions; null for a state of one size, which cannot go back to an earlier token. */
  readonly axis: number | null
}

/** The inputs and sizes of a decoder as exporters write them. */
export interface Signature {
  readonly shape: DecoderShape
  /** The most positions that config.json allows. */
  readonly maxPositions: number
  readonly states: readonly StateInput[]
  readonly tokens: readonly (OnnxValue & { readonly role: TokenInput })[]
  /** The output that has the logits. */
  readonly logits: string
  /** Whether a run takes one token alone, whatever came before. */
  readonly isOneByOne: boolean
}

const ROLES: readonly (readonly [RegExp, TokenInput])[] = [
  [/^(input_)?(ids|tokens)$/, 'ids'],
  [/mask$/, 'mask'],
  [/^(past|kv)_?(key_values_)?(seq(uence)?|kv)?_?len(gth)?$/, 'past-length'],
  [/^total_(seq(uence)?_?)?len(gth)?$/, 'total-length'],
  [/^seqlens_k$/, 'last-position'],
  [/^seq(uence)?_?len(gth)?s?$/, 'length'],
  [/pos(ition)?(_?ids?|s)?$/, 'positions'],
  [/logits_to_keep$/, 'rows-wanted'],
  [/^use_(cache|past)/, 'use-cache'],
  [/^(token_type|segment)_ids$/, 'segment'],
]

/** What exporters write in place of one another for what comes in and what goes out. */
const RENAMINGS: readonly (readonly [RegExp, string])[] = [
  [/past_key_values/, 'present'],
  [/past_key_values/, 'present_key_values'],
  [/^past/, 'present'],
  [/past/, 'present'],
  [/past/, 'new'],
  [/_in(?=$|[._])/, '_out'],
  [/^in(?=[._])/, 'out'],
  [/input/, 'output'],
  [/$/, '_out'],
  [/^/, 'present_'],
  [/^/, 'present.'],
]

/**
 * Reads which inputs a graph has and what each of them is for.
 *
 * @throws HycoraError `format-unsupported` naming an input that is not known, or what of the sizes is not said.
 */
export function readSignature(model: OnnxModel, config: unknown): Signature {
  const { fileName, graph } = model
  const stated = statedSizes(config)
  const { tokens, states } = sortInputs(model, stated)
  const logits = logitsAmong(graph.outputs, states)
  const ids = tokens.find(({ role }) => role === 'ids')
  check(ids && states.length > 0 && logits, 'format-unsupported', () => {
    return `${fileName} has no inputs input_ids and past_key_values.0.key and output logits, expected a decoder with a cache`
  })
  return {
    shape: shapeOf(fileName, { states, logits, stated }),
    maxPositions: stated.maxPositions ?? Infinity,
    states,
    tokens,
    logits: logits.name,
    isOneByOne: ids.dims?.at(-1) === 1,
  }
}

function sortInputs(
  { fileName, graph }: OnnxModel,
  stated: StatedSizes,
): Pick<Signature, 'tokens' | 'states'> {
  const outputs = new Map(graph.outputs.map((output) => [output.name, output]))
  const states: StateInput[] = []
  const tokens: (OnnxValue & { role: TokenInput })[] = []
  for (const input of graph.inputs) {
    // Before IR 4 every initializer is listed as an input too.
    if (graph.initializers.has(input.name)) continue
    const output = outputOf(input.name, outputs)
    const role = ROLES.find(([pattern]) => pattern.test(input.name))?.[1]
    if (role) tokens.push({ ...input, role })
    else if (output) states.push(stateOf(input, output, stated))
    else {
      throw new HycoraError(
        'format-unsupported',
        `${fileName} has the input ${input.name}, expected token ids, a mask, positions and what is read before`,
      )
    }
  }
  return { tokens, states }
}

/** By another name, the logits are what is no state: the only such output, or the one that is called so. */
function logitsAmong(outputs: readonly OnnxValue[], states: readonly StateInput[]): OnnxValue | undefined {
  const others = outputs.filter(({ name }) => !states.some(({ output }) => output === name))
  const named = others.find(({ name }) => name === 'logits') ?? others.find(({ name }) => /logits/.test(name))
  return named ?? (others.length === 1 ? others[0] : undefined)
}

/** The sizes by the cache and the logits, and by config.json where these say nothing. */
function shapeOf(
  fileName: string,
  { states, logits, stated }: { states: readonly StateInput[]; logits: OnnxValue; stated: StatedSizes },
): DecoderShape {
  const key = states.find(({ axis, dims }) => axis === 2 && dims.length === 4)
  const headDim = key?.dims[3] ?? stated.headDim
  const vocabulary = sizeAt(logits, (logits.dims?.length ?? 3) - 1) ?? stated.vocabulary
  const isOpen = states.some(({ dims, axis }) => dims.some((size, at) => size === 0 && at !== axis))
  if (!headDim || !vocabulary || isOpen) {
    throw new HycoraError(
      'format-unsupported',
      `${fileName} and config.json do not say the size of heads and vocabulary, expected head_dim and vocab_size`,
    )
  }
  return {
    layers: stated.layers ?? Math.ceil(states.length / 2),
    hidden: stated.hidden ?? 0,
    heads: stated.heads ?? 0,
    kvHeads: key?.dims[1] ?? stated.kvHeads ?? 0,
    headDim,
    ffn: stated.ffn ?? 0,
    vocabulary,
  }
}

/** The output that an input is carried on by; for no state there is none. */
function outputOf(name: string, outputs: ReadonlyMap<string, OnnxValue>): OnnxValue | undefined {
  for (const [pattern, put] of RENAMINGS) {
    const output = pattern.test(name) ? outputs.get(name.replace(pattern, put)) : undefined
    if (output) return output
  }
  return undefined
}

type StatedSizes = ReturnType<typeof statedSizes>

function statedSizes(config: unknown) {
  const stated = (...names: readonly string[]): number | undefined => {
    const values = names.map((name) => (isJsonRecord(config) ? ownField(config, name) : undefined))
    return values.find((value): value is number => typeof value === 'number' && value > 0)
  }
  const heads = stated('num_attention_heads', 'n_head', 'num_heads')
  const hidden = stated('hidden_size', 'n_embd', 'd_model')
  return {
    heads,
    hidden,
    layers: stated('num_hidden_layers', 'n_layer', 'num_layers'),
    headDim: stated('head_dim', 'kv_channels') ?? (heads && hidden ? hidden / heads : undefined),
    kvHeads: stated('num_key_value_heads', 'multi_query_group_num') ?? heads,
    ffn: stated('intermediate_size', 'ffn_hidden_size', 'n_inner'),
    vocabulary: stated('vocab_size', 'padded_vocab_size'),
    maxPositions: stated('max_position_embeddings', 'n_positions', 'seq_length', 'max_sequence_length'),
  }
}

/** A cache is [batch, heads, positions, head]; where its sizes are symbols, config.json has them. */
function stateOf(input: OnnxValue, output: OnnxValue, stated: StatedSizes): StateInput {
  const { name, dataType } = input
  const dims = input.dims ?? [null, null, null, null]
  const open = dims.flatMap((size, at) => (at > 0 && typeof size !== 'number' ? [at] : []))
  const ofPositions = open.find((at) => /past|seq|len|pos/.test(String(dims[at])))
  const axis = ofPositions ?? (open.length === 1 ? open[0] : open.includes(2) ? 2 : undefined) ?? null
  const sizes = dims.map((size, at) => {
    if (typeof size === 'number' && size > 0) return size
    if (at === 0 || /batch/.test(String(size))) return 1
    if (at === axis) return 0
    return (at === dims.length - 1 ? stated.headDim : stated.kvHeads) ?? 0
  })
  return { name, output: output.name, dataType: dataType || DATA_TYPES.f32, dims: sizes, axis }
}

function sizeAt({ dims }: OnnxValue, axis: number): number | undefined {
  const size = dims?.[axis]
  return typeof size === 'number' && size > 0 ? size : undefined
}
