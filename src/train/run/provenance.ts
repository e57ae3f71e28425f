import type { JsonRecord } from '../../core/json.ts'
import type { Pack } from '../../formats/pack.ts'
import type { RunFacts } from './checkpoint.ts'

/**
 * What a pack says of its training: nothing that hangs on the clock, so that the same seed gives the same bytes.
 *
 * @param facts those that are known of the parameters in the pack.
 */
export function trainingProvenance(steps: number, facts: Partial<RunFacts>, start: Pack | null): JsonRecord {
  const { replyTokens, ...all } = facts
  const losses = Object.fromEntries(
    Object.entries(all).flatMap(([name, loss]) => (loss === null ? [] : [[name, Number(loss.toFixed(4))]])),
  )
  return {
    steps,
    ...(replyTokens !== undefined && { replyTokens }),
    ...(Object.keys(losses).length > 0 && { losses: { unit: 'nats a reply token', ...losses } }),
    software: 'HyCoRA playground 0.1.0',
    ...(start && { parents: [start.sha256] }),
  }
}
