import { HycoraError } from '../../core/errors.ts'
import { Random } from '../../core/random.ts'
import { shuffled } from '../../core/shuffle.ts'
import type { TokenRow } from './rows.ts'

/** A micro-batch: rows padded to one length, row-major [rows, tokens]. */
export interface Batch {
  readonly rows: number
  readonly tokens: number
  readonly ids: Uint32Array<ArrayBuffer>
  /** 1 for reply tokens. */
  readonly isReply: Uint8Array<ArrayBuffer>
  /** Position of each row's last reply token. */
  readonly anchors: readonly number[]
  /** Each row's role id. */
  readonly roles: readonly number[]
}

/**
 * Pads rows to the longest of them; the padding is not computed.
 *
 * @throws HycoraError `usage` naming a role that has no id: nobody is taught another's words.
 */
export function padBatch(rows: readonly TokenRow[], roleIds: ReadonlyMap<string, number>): Batch {
  const tokens = Math.max(...rows.map(({ ids }) => ids.length))
  const ids = new Uint32Array(rows.length * tokens)
  const isReply = new Uint8Array(rows.length * tokens)
  rows.forEach((row, index) => {
    ids.set(row.ids, index * tokens)
    isReply.set(row.isReply.map(Number), index * tokens)
  })
  return {
    rows: rows.length,
    tokens,
    ids,
    isReply,
    anchors: rows.map(({ anchor }) => anchor),
    roles: rows.map(({ role }) => {
      const id = roleIds.get(role)
      if (id === undefined) throw new HycoraError('usage', `the run has no role ${role}`)
      return id
    }),
  }
}

/**
 * Where the tokens of a micro-batch are computed: side by side, without what lies behind a row's last reply token, which
 * nothing reads; the rows of a slot are neighbours, slots in ascending order.
 */
export interface PackedTokens {
  /** The batch's rows in the order in which they are computed. */
  readonly order: readonly number[]
  /** Tokens of each of the batch's rows that are computed. */
  readonly lengths: readonly number[]
  /** Where each of the batch's rows begins. */
  readonly first: readonly number[]
  /** Tokens in all. */
  readonly count: number
}

/** Tokens of each row up to its last reply token and its anchor. */
function lengthsOf({ rows, tokens, isReply, anchors }: Batch): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const lastReply = isReply.subarray(row * tokens, (row + 1) * tokens).lastIndexOf(1)
    return Math.min(tokens, 1 + Math.max(0, lastReply, anchors[row] ?? 0))
  })
}

/** How many tokens of a micro-batch are computed. */
export function countTokens(batch: Batch): number {
  return lengthsOf(batch).reduce((sum, length) => sum + length, 0)
}

/** Places the tokens of a micro-batch whose rows play these slots. */
export function packTokens(batch: Batch, slots: readonly number[]): PackedTokens {
  const lengths = lengthsOf(batch)
  const slotOf = (row: number): number => slots[row] ?? 0
  const order = [...lengths.keys()].toSorted((one, other) => slotOf(one) - slotOf(other))
  const first = lengths.map(() => 0)
  let count = 0
  for (const row of order) {
    first[row] = count
    count += lengths[row] ?? 0
  }
  return { order, lengths, first, count }
}

/** The rows of a role with at most so many wordings of each item, items in the order of their first; 0 takes all. */
function drawWordings(rows: readonly TokenRow[], wordings: number, random: Random): readonly TokenRow[] {
  if (wordings === 0) return rows
  const items = new Map<string, TokenRow[]>()
  for (const row of rows) {
    if (row.item === undefined) continue
    const own = items.get(row.item)
    if (own) own.push(row)
    else items.set(row.item, [row])
  }
  const drawn = new Set([...items.values()].flatMap((own) => shuffled(own, random).slice(0, wordings)))
  return rows.filter((row) => row.item === undefined || drawn.has(row))
}

/** How many rows an epoch has. */
export function epochLength(rows: readonly TokenRow[], wordings: number): number {
  if (wordings === 0) return rows.length
  const counts = new Map<string, number>()
  let length = 0
  for (const { role, item } of rows) {
    const key = JSON.stringify([role, item])
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (item === undefined || count <= wordings) length++
  }
  return length
}

/**
 * The order of one epoch: every row once, or with `wordings` so many wordings of each item, drawn anew role by role; each role's rows in an order of their own and spread evenly over the epoch, so that
 * neighbours, and so the rows of a batch, play different roles as far as the data allows: row i of a role's n stands at
 * (i + u) / n of it, u drawn from [0, 1) for each row. Depends on seed and epoch alone.
 */
export function epochOrder(rows: readonly TokenRow[], seed: number, epoch: number, wordings = 0): TokenRow[] {
  const random = new Random(seed, epoch + 1)
  const byRole = new Map<string, TokenRow[]>()
  for (const row of rows) {
    const own = byRole.get(row.role)
    if (own) own.push(row)
    else byRole.set(row.role, [row])
  }
  const drawn = [...byRole.values()].map((own) => drawWordings(own, wordings, random))
  const placed = drawn.flatMap((own) =>
    shuffled(own, random).map((row, index) => {
      return { row, place: (index + random.nextUniform()) / own.length }
    }),
  )
  return placed.toSorted((one, other) => one.place - other.place).map(({ row }) => row)
}

/** At most so many rows at equal distances, since data sets lie role by role. */
export function spreadOver<Row>(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length <= most) return rows
  return rows.filter(
    (_, index) => Math.floor((index * most) / rows.length) !== Math.floor(((index - 1) * most) / rows.length),
  )
}

/** Rows by number of micro-step, over epochs without end; the same for a resumed run as for one never stopped. */
export class RowStream {
  private readonly rows: readonly TokenRow[]
  private readonly batch: number
  private readonly seed: number
  private readonly wordings: number
  /** Rows of an epoch. */
  readonly length: number
  private epoch = -1
  private order: readonly TokenRow[] = []

  constructor(rows: readonly TokenRow[], batch: number, seed: number, wordings = 0) {
    this.rows = rows
    this.batch = batch
    this.seed = seed
    this.wordings = wordings
    this.length = epochLength(rows, wordings)
  }

  /** The rows of a micro-step, counted from 0; a batch may reach into the next epoch. */
  at(microStep: number): TokenRow[] {
    return Array.from({ length: this.batch }, (_, index) => {
      const place = microStep * this.batch + index
      const epoch = Math.floor(place / this.length)
      if (epoch !== this.epoch) {
        this.order = epochOrder(this.rows, this.seed, epoch, this.wordings)
        this.epoch = epoch
      }
      return this.order[place % this.length]
    }).filter((row) => row !== undefined)
  }
}
