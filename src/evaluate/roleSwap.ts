import { mean, meanByRole } from './nll.ts'
import type { ReplyScore } from './nll.ts'

/** How well the adapters tell the roles apart, without a word generated. */
export interface RoleSwap {
  /** Mean NLL of role i's replies under role j's adapter, the line staying role i's: [roles][roles]. */
  readonly matrix: readonly (readonly number[])[]
  /** Share of roles whose replies are likeliest under their own adapter. */
  readonly accuracy: number
  /** Mean over roles of the best other adapter's NLL less their own adapter's, in nats a token. */
  readonly margin: number
  /** Share of replies that are likeliest under their own role's adapter. */
  readonly perReply: number
}

/**
 * The role-swap matrix and what it says.
 *
 * @param scores for each adapter, in the order of `roles`, the scores of the same replies in the same order.
 */
export function summariseSwap(
  roles: readonly string[],
  scores: readonly (readonly ReplyScore[])[],
): RoleSwap {
  const byAdapter = scores.map((own) => meanByRole(own, roles))
  const matrix = roles.map((_, role) => byAdapter.map((means) => means[role] ?? 0))
  const margins = matrix.map((row, role) => marginOf(row, role))
  const replies = (scores[0] ?? []).map(({ role }, reply) => {
    const row = scores.map((own) => own[reply]?.nll ?? 0)
    return marginOf(row, roles.indexOf(role))
  })
  return {
    matrix,
    accuracy: mean(margins.map((margin) => (margin > 0 ? 1 : 0))),
    margin: roles.length > 1 ? mean(margins) : 0,
    perReply: mean(replies.map((margin) => (margin > 0 ? 1 : 0))),
  }
}

/** By how much the best other entry of a row exceeds its own; a row of one entry has none to confuse it with. */
function marginOf(row: readonly number[], own: number): number {
  return Math.min(...row.filter((_, index) => index !== own)) - (row[own] ?? 0)
}
