import { check } from '../core/errors.ts'
import { castRole } from '../model/adapter/roles.ts'
import type { EngineRequests, PackProof, ProofParams } from './protocol.ts'
import type { Stage } from '../play/stage.ts'

/** What is read for the proof, where the backbone has a tokenizer. */
const PROBE = 'Who are you, and what do you want?'

/** Below this share a role changes nothing that rounding would not. */
const SILENT = 1e-6

/** ‖values − bare‖ / ‖bare‖; NaN where any value is not finite. */
function relativeChange(values: Float32Array, bare: Float32Array): number {
  let difference = 0
  let size = 0
  for (const [index, value] of values.entries()) {
    const from = bare[index] ?? 0
    difference += (value - from) ** 2
    size += from ** 2
  }
  return Math.sqrt(difference / size)
}

/**
 * Lets each role read a sentence: the logits must be finite (the smoke pass) and differ from the bare backbone's (the
 * proof of life), so that no pack is taken in that breaks the answers or silently does nothing.
 *
 * @yields after each role.
 * @throws HycoraError `model-incompatible` for another backbone's pack or a role that changes nothing, `format-invalid`
 * for one whose logits are not finite, `usage` for a role that is not in the pack, `cancelled`.
 */
export async function* provePack(
  stage: Pick<Stage, 'backbone' | 'model' | 'shelf'>,
  { pack: ref, roles }: ProofParams,
  signal: AbortSignal,
): AsyncGenerator<EngineRequests['prove']['yields'], PackProof> {
  const { backbone, model, shelf } = stage
  const pack = await shelf.attach(ref)
  check(pack, 'usage', () => `${ref.name} holds no pack`)
  const ids = model.tokenizer?.encode(PROBE) ?? [0]
  const bare = await backbone.logits(ids, null)
  const changes: { readonly role: string; readonly change: number }[] = []
  for (const role of roles) {
    check(!signal.aborted, 'cancelled', () => `the proof of ${ref.name} was stopped`)
    const change = relativeChange(await backbone.logits(ids, castRole(pack, role, 1)), bare)
    check(
      Number.isFinite(change),
      'format-invalid',
      () => `${ref.name}: as ${role} the model computes values that are not finite`,
    )
    check(
      change > SILENT,
      'model-incompatible',
      () => `${ref.name}: the adapter of ${role} changes nothing that the model says`,
    )
    changes.push({ role, change })
    yield { done: changes.length, total: roles.length }
  }
  return { changes, warnings: shelf.warningsOf(pack) }
}
