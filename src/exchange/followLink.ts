import { hexSha256 } from '../core/bytes.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, writePack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import type { PackFile } from '../formats/packFacts.ts'
import { addRole, changeRole, extractRole, packStem } from '../formats/packParts.ts'
import { matchRoleLink, readRoleLink } from '../formats/roleLink.ts'
import type { LinkMissing, PackArrival } from './arrival.ts'
import { packArrival } from './arrive.ts'

/**
 * Opens a link to a role: a pack of the role alone, made with what one of `packs` shares, or what is missing for it.
 *
 * @throws HycoraError `format-invalid`, `format-unsupported` when the text holds no role.
 */
export async function followLink(
  text: string,
  packs: readonly PackFile[],
): Promise<PackArrival | LinkMissing> {
  const link = readRoleLink(text)
  const targets: { readonly pack: Pack; readonly stem: string; readonly fingerprint: string }[] = []
  for (const { name, file } of packs) {
    const pack = await readPack(memorySource(name, new Uint8Array(await file.arrayBuffer())))
    targets.push({ pack, stem: await packStem(pack), fingerprint: pack.backbone.fingerprint })
  }
  const match = matchRoleLink(link, targets)
  const target = match.missing === null ? targets[match.index] : undefined
  if (match.missing !== null || !target) {
    return { kind: 'missing', name: link.name, missing: match.missing ?? 'pack', backbone: link.backbone }
  }
  const role = { name: link.name, system: link.system, card: null }
  // Only what all roles share is taken of the pack: any of its roles carries that along, under a name that is free.
  const donor = target.pack.roles[0]?.name ?? ''
  const free = link.name === 'donor' ? 'another' : 'donor'
  const stem = changeRole(extractRole(target.pack, donor), donor, { name: free })
  const joined = addRole(stem, role, link.vector)
  const bytes = await writePack(extractRole(joined, link.name))
  const pack = await readPack(memorySource(link.name, bytes))
  const facts = {
    fileName: `a link to ${link.name}`,
    bytes: text.length,
    sha256: await hexSha256(new TextEncoder().encode(text)),
    warnings: [],
  }
  return packArrival(pack, 'link', new Blob([bytes]), facts)
}
