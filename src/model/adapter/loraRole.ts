import type { LoraRole } from '../../formats/loraRole.ts'
import type { Pack } from '../../formats/pack.ts'
import { openAdapterMatrices } from './cpuAdapter.ts'
import { castRole } from './roles.ts'

/**
 * A role of a pack as plain matrices for another program, computed on the CPU; a blend's A is mixed from its parents'.
 *
 * @param options `name` is what it is called there.
 * @throws HycoraError `usage` when the pack has no such role.
 */
export function loraRole(
  pack: Pack,
  role: string,
  { strength, name }: { readonly strength: number; readonly name: string },
): LoraRole {
  const casting = castRole(pack, role, strength)
  const matrices = openAdapterMatrices(pack)
  return {
    name,
    config: pack.config,
    strength,
    a: (layer, projection) => matrices.plainA(casting, layer, projection),
    b: (layer, projection) => matrices.b(casting, layer, projection),
  }
}
