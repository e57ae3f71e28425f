import type { Parameters } from './hypernetwork.ts'
import { infoNceReference } from './infoNce.ts'
import { linearReference } from './linear.ts'
import { linearBackwardInputReference, linearBackwardWeightReference } from './linearBackward.ts'
import { normaliseRowsBackwardReference, normaliseRowsReference } from './normaliseRows.ts'

const HEADS = { said: 'hidden_to_role_emb_layer', speaker: 'role_emb_to_role_emb_layer' } as const

/**
 * The contrastive loss in both forms, and its gradients:
 * `1/b · Σ_i (log Σ_c n_c·exp(t_i·s_c/τ) − t_i·s_role(i)/τ)`, n_c = 1 (`table`) or the number of rows of role c (`batch`),
 * `t_i = normalise(W_t·H_i + b_t)`, `s_c = normalise(W_r·e_c + b_r)`.
 *
 * @param pooled the hidden states of the anchors, [batch, hidden].
 */
export function contrastBackwardReference(
  params: Parameters,
  pooled: ArrayLike<number>,
  roleIds: readonly number[],
  { temperature, form }: { readonly temperature: number; readonly form: 'batch' | 'table' },
): {
  readonly loss: number
  readonly dPooled: Float64Array
  readonly gradients: ReadonlyMap<string, Float64Array>
} {
  const batch = roleIds.length
  const table = params.get('roles_emb.weight')!
  const width = params.get(`${HEADS.speaker}.bias`)!.length
  const roles = table.length / width
  const head = (name: string, x: ArrayLike<number>, rows: number) => {
    const sizes = { rows, inner: x.length / rows, columns: width }
    const weight = params.get(`${name}.weight`)!
    const raw = linearReference(x, weight, sizes, { bias: params.get(`${name}.bias`)! })
    return { sizes, weight, raw, features: normaliseRowsReference(raw, width) }
  }
  const said = head(HEADS.said, pooled, batch)
  const speaker = head(HEADS.speaker, table, roles)
  const product = { rows: batch, inner: width, columns: roles }
  const scale = 1 / temperature
  const logits = linearReference(said.features, speaker.features, product, { scale })
  const occurrences = Array.from({ length: roles }, (_, role) =>
    form === 'table' ? 1 : roleIds.filter((id) => id === role).length,
  )
  const { loss, gradient } = infoNceReference(logits, roleIds, occurrences)
  const dLogits = gradient.map((value) => value / batch)

  const back = (
    name: string,
    side: ReturnType<typeof head>,
    x: ArrayLike<number>,
    dFeatures: Float64Array,
  ) => {
    const dRaw = normaliseRowsBackwardReference(dFeatures, side.raw, width)
    const { dweight, dbias } = linearBackwardWeightReference(dRaw, x, side.sizes)
    const dx = linearBackwardInputReference(dRaw, side.weight, side.sizes)
    return { dx, entries: [[`${name}.weight`, dweight] as const, [`${name}.bias`, dbias] as const] }
  }
  const dSaid = linearBackwardInputReference(dLogits, speaker.features, product, { scale })
  const dSpeaker = linearBackwardWeightReference(dLogits, said.features, product, { scale }).dweight
  const ofSaid = back(HEADS.said, said, pooled, dSaid)
  const ofSpeaker = back(HEADS.speaker, speaker, table, dSpeaker)
  return {
    loss: loss.reduce((sum, row) => sum + row, 0) / batch,
    dPooled: ofSaid.dx,
    gradients: new Map<string, Float64Array>([
      ...ofSaid.entries,
      ...ofSpeaker.entries,
      ['roles_emb.weight', ofSpeaker.dx],
    ]),
  }
}
