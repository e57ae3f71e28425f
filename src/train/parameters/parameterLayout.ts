import { check } from '../../core/errors.ts'
import { expectedTensors } from '../../formats/packConfig.ts'
import type { PackConfig, PackProjection } from '../../formats/packConfig.ts'
import { sizeOf } from '../../gpu/tensor.ts'
import type { AdapterLayout } from '../../model/adapter/adapterLayout.ts'
import { aOffset, bOffset } from '../../model/adapter/adapterLayout.ts'

/** Which learning rate a parameter has: `B` for stored B, `hyper` for everything else. */
export type RateGroup = 'hyper' | 'B'

/** Where the elements of a tensor of the pack lie: run i of `length` elements at float `first(i)` of the values. */
export interface PackPiece {
  /** The tensor's name in the pack. */
  readonly name: string
  readonly runs: number
  readonly length: number
  readonly first: (run: number) => number
}

/** A tensor as the GPU computes with it: one of the pack's, or the slots that many of the pack's share. */
export interface Segment {
  /** The pack's name, or `A`, `A0` or `B` for slots. */
  readonly name: string
  readonly shape: readonly number[]
  readonly group: RateGroup
  /** Whether its gradient is computed. */
  readonly isTrained: boolean
  /** Where it begins among the values, in floats. */
  readonly first: number
}

/** All parameters in one flat array: those that are trained come first, so that gradients need only the front. */
export interface ParameterLayout {
  readonly segments: ReadonlyMap<string, Segment>
  readonly pieces: readonly PackPiece[]
  /** Floats of all values, and of the front that has gradients. */
  readonly length: number
  readonly trainedLength: number
  /** The ranges that the optimiser moves; all of their gradients make the norm. */
  readonly updates: readonly { readonly first: number; readonly length: number; readonly group: RateGroup }[]
}

/** What a run trains, and of what. */
export interface ParameterOptions {
  readonly config: PackConfig
  readonly layout: AdapterLayout
  /** Roles with rows of their own. */
  readonly roles: number
  /** Whether the projections of the contrastive loss are there. */
  readonly hasHeads: boolean
  /** Whether there is a contrastive loss; without it the heads do not move. */
  readonly hasContrast: boolean
  /** Only this role's embedding is trained, everything else is frozen. */
  readonly onlyRole?: number
}

/** Floats in 256 bytes, the alignment of a binding's offset. */
const ALIGNMENT = 64

interface Draft extends Omit<Segment, 'first' | 'isTrained'> {
  /** `first` counts from the segment's own beginning. */
  readonly pieces: readonly PackPiece[]
}

/** One tensor of the pack as it is. */
function plain(name: string, shape: readonly number[]): Draft {
  return {
    name,
    shape,
    group: 'hyper',
    pieces: [{ name, runs: 1, length: sizeOf(shape), first: () => 0 }],
  }
}

/** `{p}_down_linear.up` with the rank padded: rows [in · paddedRank]. */
function generatorOfA(
  { config, layout }: ParameterOptions,
  name: string,
  inFeatures: number,
  columns: readonly number[],
): Draft {
  const width = sizeOf(columns)
  return {
    name,
    shape: [inFeatures * layout.paddedRank, ...columns],
    group: 'hyper',
    pieces: [
      {
        name,
        runs: inFeatures,
        length: config.rank * width,
        first: (run) => run * layout.paddedRank * width,
      },
    ],
  }
}

/** `{p}_up_linear.up` with the rank padded: rows [paddedRank · out], the padding at the end. */
function generatorOfB(
  { layout }: ParameterOptions,
  name: string,
  outFeatures: number,
  columns: readonly number[],
  length: number,
): Draft {
  return {
    name,
    shape: [layout.paddedRank * outFeatures, ...columns],
    group: 'hyper',
    pieces: [{ name, runs: 1, length, first: () => 0 }],
  }
}

/** Stored A of `rows` roles as slots [rows, aSize]. */
function slotsOfA({ config, layout }: ParameterOptions, name: string, suffix: string, rows: number): Draft {
  const { rank } = config
  const pieces: PackPiece[] = []
  for (const [projection, [inFeatures]] of config.dims) {
    for (let layer = 0; layer < config.layers; layer++) {
      const offset = aOffset(layout, projection, layer)
      pieces.push({
        name: `layers.${layer}.${projection}.${suffix}`,
        runs: rows * inFeatures,
        length: rank,
        first: (run) =>
          Math.floor(run / inFeatures) * layout.aSize + offset + (run % inFeatures) * layout.paddedRank,
      })
    }
  }
  return { name, shape: [rows, layout.aSize], group: 'hyper', pieces }
}

/** Stored B of `rows` roles as slots [rows, bSize]. */
function slotsOfB({ config, layout }: ParameterOptions, suffix: string, rows: number): Draft {
  const pieces: PackPiece[] = []
  for (const [projection, [, outFeatures]] of config.dims) {
    for (let layer = 0; layer < config.layers; layer++) {
      const offset = bOffset(layout, projection, layer)
      pieces.push({
        name: `layers.${layer}.${projection}.${suffix}`,
        runs: rows,
        length: config.rank * outFeatures,
        first: (run) => run * layout.bSize + offset,
      })
    }
  }
  return { name: 'B', shape: [rows, layout.bSize], group: 'B', pieces }
}

const GENERATOR = /^(?<projection>\w+?)_(?<side>down|up)_linear\.up\.(?:weight|bias)$/
const STORED = /^layers\.\d+\.\w+\.lora_/
const HEAD = /^(?:hidden_to_role_emb_layer|role_emb_to_role_emb_layer)\./

function draftsOf(options: ParameterOptions): Draft[] {
  const { config, roles, hasHeads } = options
  const drafts: Draft[] = []
  for (const [name, shape] of expectedTensors(config, roles, { hasHeads })) {
    const found = GENERATOR.exec(name)?.groups
    const dims = config.dims.get(found?.['projection'] as PackProjection)
    if (found && dims) {
      const columns = shape.slice(1)
      drafts.push(
        found['side'] === 'down'
          ? generatorOfA(options, name, dims[0], columns)
          : generatorOfB(options, name, dims[1], columns, sizeOf(shape)),
      )
    } else if (!STORED.test(name)) drafts.push(plain(name, shape))
  }
  const { A, B } = config.sources
  if (A === 'shared') drafts.push(slotsOfA(options, 'A', 'lora_A', 1))
  if (A === 'table') drafts.push(slotsOfA(options, 'A', 'lora_A_table', roles))
  if (A === 'hyper+static') drafts.push(slotsOfA(options, 'A0', 'lora_A0', 1))
  if (B === 'shared') drafts.push(slotsOfB(options, 'lora_B', 1))
  if (B === 'table') drafts.push(slotsOfB(options, 'lora_B_table', roles))
  return drafts
}

/** Whether a segment has gradients: what a role's vector needs on its way, or all that a loss reaches. */
function trains({ config, hasContrast, onlyRole }: ParameterOptions, name: string): boolean {
  // The backward of the hyper-network's input writes both tables at once.
  if (onlyRole !== undefined) return name === 'roles_emb.weight' || name === 'layers_emb.weight'
  if (HEAD.test(name)) return hasContrast
  return name !== 'roles_emb.weight' || hasContrast || config.hypernetwork !== null
}

/** What the optimiser moves of the front: one role's row, or every group of neighbours. */
function updatesOf(
  { roles, config, onlyRole }: ParameterOptions,
  segments: readonly Segment[],
  trainedLength: number,
): ParameterLayout['updates'] {
  if (onlyRole !== undefined) {
    const table = segments.find(({ name }) => name === 'roles_emb.weight')
    check(
      table && config.hypernetwork && onlyRole < roles,
      'format-unsupported',
      () => `the vector of role ${onlyRole} cannot be fitted: the pack has none that makes its matrices`,
    )
    const width = table.shape[1] ?? 0
    return [{ first: table.first + onlyRole * width, length: width, group: 'hyper' }]
  }
  const firstB = segments.find(({ group }) => group === 'B')?.first ?? trainedLength
  return [
    { first: 0, length: firstB, group: 'hyper' } as const,
    { first: firstB, length: trainedLength - firstB, group: 'B' } as const,
  ].filter(({ length }) => length > 0)
}

/**
 * Places all parameters of a pack in one flat array: trained ones first, those of one learning rate side by side, every
 * segment at a multiple of 256 bytes. Padding between and inside segments is zero and stays zero: nothing that is zero there
 * has a gradient.
 *
 * @throws HycoraError `format-unsupported` when only a role's vector is to be trained and the pack has no use for one.
 */
export function parameterLayout(options: ParameterOptions): ParameterLayout {
  const drafts = draftsOf(options).map((draft) => ({ ...draft, isTrained: trains(options, draft.name) }))
  const order = ({ isTrained, group }: (typeof drafts)[number]): number =>
    isTrained ? Number(group === 'B') : 2
  const segments: Segment[] = []
  const pieces: PackPiece[] = []
  let length = 0
  let trainedLength = 0
  for (const draft of drafts.toSorted((left, right) => order(left) - order(right))) {
    const first = length
    const { name, shape, group, isTrained } = draft
    segments.push({ name, shape, group, isTrained, first })
    for (const piece of draft.pieces) pieces.push({ ...piece, first: (run) => first + piece.first(run) })
    length += Math.ceil(sizeOf(shape) / ALIGNMENT) * ALIGNMENT
    if (isTrained) trainedLength = length
  }
  return {
    segments: new Map(segments.map((segment) => [segment.name, segment])),
    pieces,
    length,
    trainedLength,
    updates: updatesOf(options, segments, trainedLength),
  }
}
