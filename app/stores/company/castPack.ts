// The pack in which the cast was taught to a model on this device. No state.
import type { PackFile } from '../../../src/formats/packFacts.ts'
import { useCast } from './cast.ts'
import { packFileOf } from './guests.ts'
import { keeping } from './keeping.ts'

/** Whether these roles are all who come with the page. */
export function isWholeCast(roles: readonly string[]): boolean {
  const { shipped } = useCast.getState()
  return shipped.length > 0 && shipped.every(({ role }) => role !== null && roles.includes(role))
}

/**
 * The last pack in which the cast was taught to a model: its roles play the members of this site, so that none of them
 * stands in the gallery for itself. Null where there is none, or where it cannot be read.
 */
export async function castPackFor(fingerprint: string): Promise<PackFile | null> {
  if (fingerprint === '') return null
  const packs = (await (await keeping())?.library.list().catch(() => [])) ?? []
  const kept = packs.find(
    ({ cast, origin, backbone }) =>
      cast.length === 0 && origin.kind === 'taught' && backbone.fingerprint === fingerprint,
  )
  if (!kept) return null
  const file = await packFileOf(kept.id).catch(() => null)
  return file && { name: kept.name, file }
}
