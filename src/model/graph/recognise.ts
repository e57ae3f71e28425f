import type { GateActivation } from '../../kernels/operands/gatedOperands.ts'
import type { ByteSource, FileSet } from '../../core/bytes.ts'
import { check, HycoraError } from '../../core/errors.ts'
import type { OnnxModel } from '../../formats/onnx.ts'
import type { BackboneConfig } from '../decoder/backboneConfig.ts'
import { readBackboneConfig } from '../decoder/backboneConfig.ts'
import type {
  Decoder,
  DecoderBlock,
  DecoderShape,
  HeadNorms,
  Linear,
  Multipliers,
  WeightMatrix,
  WeightVector,
} from '../decoder/decoder.ts'
import { followHiddenData } from './interpret.ts'
import { layerOf } from './values.ts'
import type {
  Attended,
  Gated,
  LinearOutput,
  Normed,
  NormedLinear,
  Residual,
  RotaryUse,
  WeightSite,
} from './values.ts'
import { isSameRotary } from './rotaryRules.ts'
import { resolveRotary } from './rotarySource.ts'
import type { StoredTensors } from './storedTensors.ts'
import { externalFiles, storedTensors, withSmallTensors } from './storedTensors.ts'

/** Scalars, shapes and rotary frequencies are smaller than this, wherever an exporter puts them. */
const SMALL_TENSOR_BYTES = 512

/** Sizes that config.json names too. */
const CONFIG_NAMES: readonly (readonly [keyof DecoderShape, string])[] = [
  ['layers', 'num_hidden_layers'],
  ['hidden', 'hidden_size'],
  ['heads', 'num_attention_heads'],
  ['kvHeads', 'num_key_value_heads'],
  ['headDim', 'head_dim'],
  ['ffn', 'intermediate_size'],
  ['vocabulary', 'vocab_size'],
]

/** The parts of one block as the graph has them. */
interface BlockSites {
  /** null where attention, or the MLP, reads the residual stream as it is. */
  readonly inputNorm: Normed | null
  readonly postAttentionNorm: Normed | null
  /** Of what attention and MLP give. */
  readonly attentionNorm: NormedLinear | null
  readonly mlpNorm: NormedLinear | null
  readonly attended: Attended
  readonly gated: Gated
  readonly o: LinearOutput
  readonly down: LinearOutput
}

/**
 * Recognises a decoder of a known family in a graph by its structure: every node between the token ids and the
 * logits has its place, or the graph is refused.
 *
 * @param files the model's own file, and the folder beside it for external data.
 * @param config the parsed config.json, or undefined for a bare graph.
 * @throws HycoraError `format-unsupported` naming the node that has no place, or what config.json asks for beyond;
 * `format-invalid` where graph, external files and config.json disagree.
 */
export async function recogniseDecoder(
  model: OnnxModel,
  files: { readonly model: ByteSource; readonly folder: FileSet },
  config: unknown,
): Promise<Decoder> {
  const fileName = files.model.name
  const stated = readBackboneConfig(config)
  const external = externalFiles(fileName, files.folder)
  const complete = await withSmallTensors({ ...model, fileName }, external, SMALL_TENSOR_BYTES)
  const head = followHiddenData(complete)
  const { table, blocks, multipliers } = unwind(head.stream, fileName)
  const shape = shapeOf(blocks, { table, vocabulary: head.output.length, fileName })
  const finalNorm = head.output.input
  check(finalNorm.kind === 'normed' && !head.output.bias, 'format-unsupported', () => {
    return `${fileName} adds a bias to the logits, expected a head without one`
  })
  checkHeadNorms(blocks, fileName)
  checkNormPlaces(blocks, fileName)
  const normEpsilon = epsilonOf([...blocks.flatMap(normsOf), finalNorm], stated, fileName)
  compareShapes(shape, stated, fileName)

  const tensors = storedTensors(fileName, external)
  const windows = blocks.map(({ attended }, layer) => windowOf(attended, layer, stated))
  const uses = rotaryUses(blocks, windows, fileName)
  const resolved = await inOrder(uses, ({ use, isLocal }) => {
    checkRotatedPart(use, { headDim: shape.headDim, config: stated, fileName })
    return resolveRotary(use, { fileName, config: isLocal ? localConfig(stated) : stated, tensors })
  })
  const { dim, isInterleaved } = uses[0].use
  return {
    ...shape,
    rotaries: resolved.map(({ rotary }) => rotary),
    rotation: { dim, isInterleaved },
    maxPositions: Math.min(...resolved.map(({ maxPositions }) => maxPositions)),
    architecture: stated?.architecture ?? '',
    normEpsilon,
    multipliers: { ...multipliers, logits: head.factor },
    activation: activationOf(blocks, stated, fileName),
    embedding: await matrixOf({ weight: table, first: 0, length: table.out }, tensors),
    blocks: await inOrder([...blocks.entries()], ([layer, block]) => {
      const own = uses.findIndex(({ use }) => isSameRotary(use, block.attended.rotary))
      const position = { rotary: own < 0 ? null : own, window: windows[layer] ?? null }
      return decoderBlock(block, position, tensors)
    }),
    finalNorm: await gainOf(finalNorm, tensors),
    head: await matrixOf(head.output, tensors),
  }
}

/** Walks the residual stream back from the final norm to the embedding. */
function unwind(
  stream: Residual,
  fileName: string,
): {
  table: WeightSite
  blocks: readonly BlockSites[]
  multipliers: Pick<Multipliers, 'embedding' | 'residual'>
} {
  const sums: Extract<Residual['origin'], { kind: 'sum' }>[] = []
  const factors = new Set<number>()
  let at = stream
  while (at.origin.kind === 'sum') {
    sums.unshift(at.origin)
    factors.add(at.origin.factor)
    at = at.origin.previous
  }
  check(sums.length > 0 && sums.length % 2 === 0, 'format-unsupported', () => {
    return `${fileName} adds ${sums.length} times to the residual stream, expected attention and a gated MLP by turns`
  })
  const [residual = 1, ...others] = factors
  check(others.length === 0 && residual > 0, 'format-unsupported', () => {
    return `${fileName} multiplies what it adds to the residual stream by ${[...factors].join(', ')}, expected one number`
  })
  const blocks: BlockSites[] = []
  for (let i = 0; i < sums.length; i += 2) {
    const [o, down] = [sums[i]?.addition, sums[i + 1]?.addition]
    if (o?.input.kind !== 'attended' || down?.input.kind !== 'gated') throw alternationError(fileName)
    blocks.push({
      inputNorm: normBefore(layerOf(o.input.query)),
      postAttentionNorm: normBefore(down.input.gate),
      attentionNorm: sums[i]?.norm ?? null,
      mlpNorm: sums[i + 1]?.norm ?? null,
      attended: o.input,
      gated: down.input,
      o,
      down,
    })
  }
  return { table: at.origin.table, blocks, multipliers: { embedding: at.origin.factor, residual } }
}

function normBefore({ input }: LinearOutput): Normed | null {
  return input.kind === 'normed' ? input : null
}

function alternationError(fileName: string): HycoraError {
  return new HycoraError(
    'format-unsupported',
    `${fileName} has blocks in another order, expected attention, then MLP`,
  )
}

function normsOf({
  inputNorm,
  postAttentionNorm,
  attentionNorm,
  mlpNorm,
  attended,
}: BlockSites): readonly (Normed | NormedLinear)[] {
  const ofHeads = [attended.query, attended.key].filter((part) => part.kind === 'normedLinear')
  return [inputNorm, postAttentionNorm, attentionNorm, mlpNorm, ...ofHeads].filter((norm) => norm !== null)
}

function shapeOf(
  blocks: readonly BlockSites[],
  { table, vocabulary, fileName }: { table: WeightSite; vocabulary: number; fileName: string },
): DecoderShape & Pick<Decoder, 'scoreScale'> {
  const same = (name: string, of: (block: BlockSites) => number): number => {
    const sizes = [...new Set(blocks.map(of))]
    check(sizes.length === 1, 'format-unsupported', () => {
      return `${fileName} has ${name} ${sizes.join(' and ')} in different blocks, expected one size`
    })
    return sizes[0] ?? 0
  }
  const headDim = same('head size', ({ attended }) => attended.headDim)
  check(table.out === vocabulary, 'format-unsupported', () => {
    return `${fileName} embeds ${table.out} tokens and gives ${vocabulary} logits, expected as many`
  })
  const scale = same('attention scale', ({ attended }) => attended.scale)
  return {
    layers: blocks.length,
    hidden: table.in,
    heads: same('query heads', ({ attended }) => attended.heads),
    kvHeads: same('key heads', ({ attended }) => attended.kvHeads),
    headDim,
    // Written in two factors, in half precision, the usual one is only nearly so.
    scoreScale: Math.abs(scale * Math.sqrt(headDim) - 1) < 2e-3 ? headDim ** -0.5 : scale,
    ffn: same('MLP width', ({ gated }) => gated.gate.length),
    vocabulary,
  }
}

function compareShapes(shape: DecoderShape, config: BackboneConfig | undefined, fileName: string): void {
  for (const [key, name] of CONFIG_NAMES) {
    const stated = config?.[key]
    check(stated === undefined || stated === shape[key], 'format-invalid', () => {
      return `${fileName} has ${name} ${shape[key]}, expected ${stated} of config.json`
    })
  }
}

/** What the gates of all blocks go through. */
function activationOf(
  blocks: readonly BlockSites[],
  config: BackboneConfig | undefined,
  fileName: string,
): GateActivation {
  const found = [...new Set(blocks.map(({ gated }) => gated.activation))]
  const [activation = 'silu'] = found
  check(found.length === 1, 'format-unsupported', () => {
    return `${fileName} gates by ${found.join(' and ')} in different blocks, expected one activation`
  })
  check(!config || config.activation === activation, 'format-invalid', () => {
    return `${fileName} gates by ${activation}, expected ${config?.activation} of config.json`
  })
  return activation
}

/** All blocks have norms of heads, or none; a pack's matrices fit every block alike. */
function checkHeadNorms(blocks: readonly BlockSites[], fileName: string): void {
  const columns = blocks.map(({ attended }) => ('columns' in attended.query ? attended.query.columns : 0))
  check(new Set(columns).size === 1, 'format-unsupported', () => {
    return `${fileName} normalises ${columns.join(', ')} columns of the blocks’ queries together, expected one number`
  })
}

/** In every block the norms stand where they stand in the others: behind both halves, or behind none. */
function checkNormPlaces(blocks: readonly BlockSites[], fileName: string): void {
  const places = blocks.map(({ inputNorm, postAttentionNorm, attentionNorm, mlpNorm }) =>
    [inputNorm, postAttentionNorm, attentionNorm, mlpNorm].map((norm) => (norm ? 1 : 0)).join(''),
  )
  const [first = ''] = places
  check(new Set(places).size === 1 && first[2] === first[3], 'format-unsupported', () => {
    return `${fileName} has norms behind some of its attentions and MLPs, expected them behind all or none`
  })
}

/** config.json says how much of a head is rotated, or means all of it. */
function checkRotatedPart(
  { dim }: RotaryUse,
  { headDim, config, fileName }: { headDim: number; config: BackboneConfig | undefined; fileName: string },
): void {
  const stated = Math.trunc(headDim * (config?.partialRotary ?? dim / headDim))
  check(dim === stated && dim % 2 === 0, 'format-invalid', () => {
    return `${fileName} rotates ${dim} of ${headDim} dimensions of a head, expected ${stated} of config.json`
  })
}

/** The epsilon of all norms: config.json's where the graph's, which may be a rounded half, agrees with it. */
function epsilonOf(
  norms: readonly (Normed | NormedLinear)[],
  config: BackboneConfig | undefined,
  fileName: string,
): number {
  const found = norms[0]?.epsilon ?? 0
  const stated = config?.normEpsilon ?? found
  for (const { epsilon } of norms) {
    check(Math.abs(epsilon - stated) <= 0.1 * stated, 'format-invalid', () => {
      return `${fileName} has an RMS norm with epsilon ${epsilon}, expected ${stated}`
    })
  }
  return stated
}

/** How many tokens back a block sees: as the graph has it, and where a mask tells nothing, as config.json says. */
function windowOf(attended: Attended, layer: number, config: BackboneConfig | undefined): number | null {
  const window = Math.min(attended.window ?? Infinity, config?.windowOf(layer) ?? Infinity)
  return window < Infinity ? window : null
}

interface SharedRotary {
  readonly use: RotaryUse
  /** Whether it is that of blocks with a window, beside another of blocks without. */
  readonly isLocal: boolean
}

/**
 * The rotations of blocks that see all tokens and of those with a window; all that rotate alike share one. Exporters that
 * write the angles out share one constant.
 */
function rotaryUses(
  blocks: readonly BlockSites[],
  windows: readonly (number | null)[],
  fileName: string,
): readonly [SharedRotary, ...SharedRotary[]] {
  const found: SharedRotary[] = []
  for (const [layer, { attended }] of blocks.entries()) {
    const use = attended.rotary
    const isLocal = windows[layer] !== null
    if (!use || found.some((other) => isSameRotary(other.use, use))) continue
    found.push({ use, isLocal })
  }
  const [first, second, ...more] = found.toSorted((a, b) => Number(a.isLocal) - Number(b.isLocal))
  check(first, 'format-unsupported', () => `${fileName} rotates in no block, expected positions in some`)
  if (!second) return [{ ...first, isLocal: false }]
  const isAlike = first.use.dim === second.use.dim && first.use.isInterleaved === second.use.isInterleaved
  check(more.length === 0 && !first.isLocal && second.isLocal && isAlike, 'format-unsupported', () => {
    return `${fileName} rotates in several ways, expected one for all blocks, or one more for those with a window`
  })
  return [first, second]
}

/** What config.json says of blocks with a window that have a rotation of their own. */
function localConfig(config: BackboneConfig | undefined): BackboneConfig | undefined {
  if (!config) return undefined
  return { ...config, theta: config.thetaLocal, hasPlainRotary: config.thetaLocal !== undefined }
}

async function decoderBlock(
  block: BlockSites,
  position: Pick<DecoderBlock, 'rotary' | 'window'>,
  tensors: StoredTensors,
): Promise<DecoderBlock> {
  const { attended, gated } = block
  return {
    inputNorm: block.inputNorm && (await gainOf(block.inputNorm, tensors)),
    postAttentionNorm: block.postAttentionNorm && (await gainOf(block.postAttentionNorm, tensors)),
    outputNorms:
      block.attentionNorm && block.mlpNorm
        ? { attention: await gainOf(block.attentionNorm, tensors), mlp: await gainOf(block.mlpNorm, tensors) }
        : null,
    headNorms: await headNormsOf(attended, tensors),
    ...position,
    linears: {
      q: await linearOf(layerOf(attended.query), tensors),
      k: await linearOf(layerOf(attended.key), tensors),
      v: await linearOf(attended.value, tensors),
      o: await linearOf(block.o, tensors),
      up: await linearOf(gated.up, tensors),
      down: await linearOf(block.down, tensors),
      gate: await linearOf(gated.gate, tensors),
    },
  }
}

/** One after the other, so that a file that is missing is reported once. */
async function inOrder<T, R>(items: readonly T[], of: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await of(item))
  return results
}

async function linearOf(output: LinearOutput, tensors: StoredTensors): Promise<Linear> {
  const { bias, length } = output
  return {
    weight: await matrixOf(output, tensors),
    bias: bias && { values: await tensors.open(bias.tensor), first: bias.first, length },
  }
}

async function matrixOf(
  { weight, first, length }: Pick<LinearOutput, 'weight' | 'first' | 'length'>,
  tensors: StoredTensors,
): Promise<WeightMatrix> {
  return { out: length, in: weight.in, firstOut: first, stored: await tensors.openSite(weight) }
}

async function gainOf(norm: Normed | NormedLinear, tensors: StoredTensors): Promise<WeightVector> {
  const length = norm.kind === 'normed' ? norm.of.hidden : norm.columns
  const { tensor, plus } = norm.gain
  return { values: await tensors.open(tensor), first: 0, length, ...(plus !== 0 && { plus }) }
}

async function headNormsOf({ query, key }: Attended, tensors: StoredTensors): Promise<HeadNorms | null> {
  if (query.kind !== 'normedLinear' || key.kind !== 'normedLinear') return null
  return { query: await gainOf(query, tensors), key: await gainOf(key, tensors) }
}
