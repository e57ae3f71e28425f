import type { JsonRecord } from '../core/json.ts'
import type { Pack, PackContent } from './pack.ts'
import type { PackRole } from './packRoles.ts'

/** A pack as a file, by the page's own name for it. */
export interface PackFile {
  readonly name: string
  readonly file: Blob
}

/** A pack beside the one that came with the backbone; `id` stands for its bytes, which are read once. */
export interface PackRef extends PackFile {
  readonly id: string
}

/** A role as its pack says it is. */
export interface RoleFacts extends PackRole {
  /** The role's own vector [role_embedding]; empty where it has none, as a blend has none. */
  readonly vector: Float32Array
}

/** What a pack says of itself, checked. */
export interface PackFacts {
  readonly backbone: { readonly name: string; readonly fingerprint: string }
  /** In the order of the pack. */
  readonly roles: readonly RoleFacts[]
  /** Licence, data, steps, parents, as whoever wrote the file put it. */
  readonly provenance: JsonRecord
  readonly bytes: number
  /** Of the whole file, lower-case hexadecimal. */
  readonly sha256: string
}

/** The roles of a pack with their vectors. */
export function roleFacts(pack: Pack): readonly RoleFacts[] {
  const width = pack.config.roleEmbedding ?? 0
  const hasVectors = width > 0 && pack.tensors.has('roles_emb.weight')
  const vectors = hasVectors ? pack.tensor('roles_emb.weight') : new Float32Array(0)
  return pack.roles.map((role, index) => ({
    ...role,
    vector: vectors.slice(index * width, (index + 1) * width),
  }))
}

/** The line that a role was trained behind; null for no system turn at all, and where there is no such role. */
export function roleLineOf(pack: Pick<PackContent, 'roles'>, name: string): string | null {
  return pack.roles.find((role) => role.name === name)?.system ?? null
}
